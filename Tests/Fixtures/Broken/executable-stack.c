// Asks for an executable stack.
// build: -Wl,-z,execstack
#include "fixture.h"

FIXTURE("executable-stack", TOOL("executable-stack"))

HANDLER(tell) { answer(call, "{}"); }
NOCTURNE_PLUGIN(NOCTURNE_TOOL("executable-stack", tell))
