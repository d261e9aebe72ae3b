// Never leaves a call, unless it is asked to {"n": 0}.
#include "fixture.h"

FIXTURE("hang-call", "limits": { "deadline": "300ms" }, TOOL("hang-call"))

HANDLER(stay) {
    if (number(input, size, "n", 1) != 0) hang();
    answer(call, "{\"alive\":true}");
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("hang-call", stay))
