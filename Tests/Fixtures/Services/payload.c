// Answers with a JSON string of {"n": 1000} bytes in all, quotes included; with {"reserve": 1} written in place. With
// {"first": 100} it has reserved so many bytes before, and found them too few.
#include "fixture.h"

FIXTURE("payload", TOOL("payload"))

HANDLER(fill) {
    long long wanted = number(input, size, "n", 1000);
    if (wanted < 2 || wanted > (long long)NOCTURNE_PAYLOAD_MAX) return fail(call, "n must be 2 ... 16 MiB");
    long long first = number(input, size, "first", 0);
    if (first > 0 && nocturne->reserve(call, (uint64_t)first) == NULL) return fail(call, "no memory at first");
    int in_place = number(input, size, "reserve", 0) != 0;
    char *bytes = (char *)(in_place ? nocturne->reserve(call, (uint64_t)wanted) : malloc((size_t)wanted));
    if (bytes == NULL) return fail(call, "no memory");
    memset(bytes, 'p', (size_t)wanted);
    bytes[0] = bytes[wanted - 1] = '"';
    nocturne->complete(call, NOCTURNE_OK, bytes, (uint64_t)wanted);
    if (!in_place) free(bytes);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("payload", fill))
