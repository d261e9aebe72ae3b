// Its code states a version that would drive a terminal and forge a line of a log.
#include "fixture.h"

FIXTURE("identity-control-characters", TOOL("identity-control-characters"))
NOCTURNE_IDENTIFY("identity-control-characters", "1.0.0\033[2J\nerror: forged")

HANDLER(tell) { answer(call, "{}"); }
NOCTURNE_PLUGIN(NOCTURNE_TOOL("identity-control-characters", tell))
