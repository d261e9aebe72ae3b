// Has an entry and no manifest.
#include "fixture.h"

ENTRY_WITH(NULL, NULL)
