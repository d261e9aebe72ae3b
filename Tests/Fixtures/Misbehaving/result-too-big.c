// Completes with 17 MiB; when that is refused it says so in a small answer, if {"n": 0}; else it leaves it at that.
#include "fixture.h"

FIXTURE("result-too-big", "limits": { "deadline": "1s" }, TOOL("result-too-big"))

HANDLER(overdo) {
    static char bytes[17 << 20];
    memset(bytes, ' ', sizeof bytes);
    bytes[0] = '"';
    bytes[sizeof bytes - 1] = '"';
    int32_t error = nocturne->complete(call, NOCTURNE_OK, bytes, sizeof bytes);
    int reserved = nocturne->reserve(call, sizeof bytes) != NULL;
    if (number(input, size, "n", 0) == 0) {
        answer(call, "{\"error\":%d,\"reserved\":%s}", (int)error, reserved ? "true" : "false");
    }
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("result-too-big", overdo))
