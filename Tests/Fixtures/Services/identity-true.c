// Its code and its manifest say the same, build metadata and all.
#include "fixture.h"

#define VERSION "1.2.0-rc.1+build.7"
FIXTURE_OF("identity-true", VERSION, TOOL("identity-true"))
NOCTURNE_IDENTIFY("identity-true", VERSION)

HANDLER(tell) { answer(call, "{}"); }
NOCTURNE_PLUGIN(NOCTURNE_TOOL("identity-true", tell))
