// Rings the host's doorbell without end, or {"n": 100000} times, and empties its own.
#include "fixture.h"

#include "CWire.h"

FIXTURE("doorbell-flood", "limits": { "deadline": "2s" }, TOOL("doorbell-flood"))

HANDLER(flood) {
    static char block[4096];
    long long wanted = number(input, size, "n", -1), rung = 0;
    for (long long i = 0; i != wanted; i++) {
        if (write(WIRE_FD_HOST_DOORBELL, block, i % 100 == 0 ? sizeof block : 1) > 0) rung++;
        if (i % 1000 == 0 && read(WIRE_FD_DOORBELL, block, sizeof block) < 0) continue;
    }
    answer(call, "{\"rung\":%lld}", rung);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("doorbell-flood", flood))
