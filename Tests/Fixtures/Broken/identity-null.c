// Its identity has no version.
#include "fixture.h"

FIXTURE("identity-null", TOOL("identity-null"))
NOCTURNE_IDENTIFY("identity-null", NULL)

HANDLER(tell) { answer(call, "{}"); }
NOCTURNE_PLUGIN(NOCTURNE_TOOL("identity-null", tell))
