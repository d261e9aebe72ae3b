// Writes to standard output and standard error without end, or {"n": 5} MiB to each.
#include "fixture.h"

FIXTURE("output-flood", "limits": { "deadline": "2s" }, TOOL("output-flood"))

HANDLER(flood) {
    static char block[65536];
    long long wanted = number(input, size, "n", -1), errors = 0;
    memset(block, 'o', sizeof block);
    for (size_t i = 127; i < sizeof block; i += 128) block[i] = '\n';
    for (long long i = 0; i != wanted * 16; i++) {
        for (int file = 1; file <= 2; file++) {
            if (write(file, block, sizeof block) < 0) errors++;
        }
    }
    answer(call, "{\"errors\":%lld}", errors);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("output-flood", flood))
