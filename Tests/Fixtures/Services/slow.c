// Takes {"n": 100} ms for a call; gives up early when nobody waits any more if {"polite": 1}.
#include "fixture.h"

FIXTURE("slow", "limits": { "deadline": "10s" }, TOOL("slow"))

HANDLER(wait_then_answer) {
    long long left = number(input, size, "n", 100), asked = left;
    int polite = number(input, size, "polite", 0) != 0;
    while (left > 0) {
        if (polite && nocturne->is_cancelled(call)) {
            nocturne->complete(call, NOCTURNE_CANCELLED, "nobody waits", 12);
            return;
        }
        sleep_ms(left < 5 ? left : 5);
        left -= 5;
    }
    answer(call, "{\"slept\":%lld,\"remaining\":%lld}", asked, (long long)nocturne->remaining(call));
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("slow", wait_then_answer))
