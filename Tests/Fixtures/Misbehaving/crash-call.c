// Dies in a call, unless it is asked to {"n": 0}.
#include "fixture.h"

FIXTURE("crash-call", TOOL("crash-call"))

HANDLER(crash) {
    if (number(input, size, "n", 1) != 0) *(volatile int *)8 = 1;
    answer(call, "{\"alive\":true,\"pid\":%d}", (int)getpid());
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("crash-call", crash))
