// Returns from its handler without completing the call, ever.
#include "fixture.h"

FIXTURE("never-answers", "limits": { "deadline": "300ms" }, TOOL("never-answers"))

HANDLER(forget) {
    if (number(input, size, "n", 1) == 0) answer(call, "{\"alive\":true}");
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("never-answers", forget))
