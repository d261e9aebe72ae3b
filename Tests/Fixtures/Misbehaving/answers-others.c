// Completes made-up calls and calls that are long over, then its own.
#include "fixture.h"

FIXTURE("answers-others", TOOL("answers-others"))

HANDLER(confuse) {
    static nocturne_call_t *before;
    int32_t stale = 0;
    if (before != NULL) stale = nocturne->complete(before, NOCTURNE_OK, "\"stale\"", 7);
    int32_t status = nocturne->complete(call, 12345, "{}", 2);
    before = call;
    answer(call, "{\"stale\":%d,\"status\":%d}", (int)stale, (int)status);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("answers-others", confuse))
