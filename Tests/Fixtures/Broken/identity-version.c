// Its code is of another version than its manifest.
#include "fixture.h"

FIXTURE("identity-version", TOOL("identity-version"))
NOCTURNE_IDENTIFY("identity-version", "1.0.1")

HANDLER(tell) { answer(call, "{}"); }
NOCTURNE_PLUGIN(NOCTURNE_TOOL("identity-version", tell))
