// Its code is that of another plugin.
#include "fixture.h"

FIXTURE("identity-id", TOOL("identity-id"))
NOCTURNE_IDENTIFY("somebody-else", "1.0.0")

HANDLER(tell) { answer(call, "{}"); }
NOCTURNE_PLUGIN(NOCTURNE_TOOL("identity-id", tell))
