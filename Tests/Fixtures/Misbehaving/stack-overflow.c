// Uses all of its stack.
#include "fixture.h"

FIXTURE("stack-overflow", TOOL("stack-overflow"))

static int descend(volatile char *above) {
    volatile char here[4096];
    here[0] = above[0];
    if (here[0] == 1) return 0;
    return descend(here) + here[0];
}

HANDLER(overflow) {
    volatile char start[1] = { 0 };
    answer(call, "{\"depth\":%d}", descend(start));
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("stack-overflow", overflow))
