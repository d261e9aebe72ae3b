// Tells the size of its input and the sum of its bytes, to see that large inputs arrive whole.
#include "fixture.h"

FIXTURE("measure", TOOL("measure"))

HANDLER(measure) {
    const unsigned char *bytes = (const unsigned char *)input;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < size; i++) sum += bytes[i];
    answer(call, "{\"size\":%llu,\"sum\":%llu}", (unsigned long long)size, (unsigned long long)sum);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("measure", measure))
