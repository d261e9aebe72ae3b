// Answers with what is no JSON: a word, half an object, bytes that are no UTF-8, nothing: {"n": 0 … 4}.
#include "fixture.h"

FIXTURE("result-not-json", TOOL("result-not-json"))

HANDLER(babble) {
    static const struct {
        const char *bytes;
        uint64_t size;
    } results[] = { { "hello", 5 }, { "{\"a\":", 5 }, { "\"\xff\xfe\"", 4 }, { "", 0 }, { "{}\0{}", 5 } };
    long long n = number(input, size, "n", 0);
    if (n < 0 || n > 4) n = 0;
    nocturne->complete(call, NOCTURNE_OK, results[n].bytes, results[n].size);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("result-not-json", babble))
