// Completes each call twice; its second tool call tells what the second completion returned.
#include "fixture.h"

FIXTURE("answers-twice", TOOL("answers-twice"))

HANDLER(repeat) {
    static int32_t second;
    char text[64];
    int length = snprintf(text, sizeof text, "{\"second\":%d}", (int)second);
    nocturne->complete(call, NOCTURNE_OK, text, (uint64_t)length);
    second = nocturne->complete(call, NOCTURNE_OK, "{\"second\":\"wrong\"}", 18);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("answers-twice", repeat))
