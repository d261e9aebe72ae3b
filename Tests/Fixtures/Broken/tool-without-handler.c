// Declares a tool that nothing handles.
#include "fixture.h"

FIXTURE("tool-without-handler", TOOL("tool-without-handler"))

ENTRY_WITH(NULL, NULL)
