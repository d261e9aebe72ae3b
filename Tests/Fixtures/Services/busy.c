// Has one call thread and a queue of two. A call takes {"n": 100} ms.
#include "fixture.h"

FIXTURE("busy", "limits": { "concurrency": 1, "queue": 2 }, TOOL("busy"))

HANDLER(take_time) {
    sleep_ms(number(input, size, "n", 100));
    answer(call, "{\"done\":true}");
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("busy", take_time))
