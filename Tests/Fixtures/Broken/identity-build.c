// Its code is another build of its version.
#include "fixture.h"

FIXTURE("identity-build", TOOL("identity-build"))
NOCTURNE_IDENTIFY("identity-build", "1.0.0+build.7")

HANDLER(tell) { answer(call, "{}"); }
NOCTURNE_PLUGIN(NOCTURNE_TOOL("identity-build", tell))
