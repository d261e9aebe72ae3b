// Allocates and touches memory without end, or {"n": 5} MiB.
#include "fixture.h"

FIXTURE("allocate", "limits": { "memory": "32MiB", "deadline": "2s" }, TOOL("allocate"))

HANDLER(allocate) {
    long long wanted = number(input, size, "n", -1), got = 0;
    while (got != wanted) {
        char *block = (char *)malloc(1 << 20);
        if (block == NULL) break;
        memset(block, 0x5a, 1 << 20);
        got++;
    }
    answer(call, "{\"megabytes\":%lld}", got);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("allocate", allocate))
