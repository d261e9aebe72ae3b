// Handles a tool that its manifest does not declare.
#include "fixture.h"

FIXTURE("handler-not-declared", "x-why": "no tools declared")

HANDLER(surprise) { answer(call, "{}"); }
NOCTURNE_PLUGIN(NOCTURNE_TOOL("handler-not-declared", surprise))
