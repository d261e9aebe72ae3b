// Aborts in a call.
#include "fixture.h"

FIXTURE("abort-call", TOOL("abort-call"))

HANDLER(stop) { abort(); }
NOCTURNE_PLUGIN(NOCTURNE_TOOL("abort-call", stop))
