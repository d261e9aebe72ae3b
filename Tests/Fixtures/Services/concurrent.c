// Has four call threads. A call takes {"n": 50} ms and tells how many ran beside it at most, since the start.
#include "fixture.h"

#include <stdatomic.h>

FIXTURE("concurrent", "limits": { "concurrency": 4, "queue": 8 }, TOOL("concurrent"))

static atomic_int running, most;

HANDLER(overlap) {
    int now = atomic_fetch_add(&running, 1) + 1;
    int seen = atomic_load(&most);
    while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now)) {}
    sleep_ms(number(input, size, "n", 50));
    atomic_fetch_sub(&running, 1);
    answer(call, "{\"now\":%d,\"most\":%d}", now, atomic_load(&most));
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("concurrent", overlap))
