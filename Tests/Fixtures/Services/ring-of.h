// ring-of.h — plugins that call each other: SELF calls what {"tool": "…"} names, else NEXT, until {"n": 3}
// falls to 0. With SELF "ring-a", "ring-b" and "ring-c" they make a ring, which the host must refuse to close.
#include "fixture.h"

FIXTURE(SELF, "limits": { "concurrency": 2 }, TOOL(SELF))

static void pass_on(void *context, uint32_t status, const void *bytes, uint64_t size) {
    nocturne_call_t *call = (nocturne_call_t *)context;
    char text[1024];
    if (status != NOCTURNE_OK) {
        nocturne->complete(call, status, bytes, size);
        return;
    }
    int shown = (int)(size < 900 ? size : 900);
    int length = snprintf(text, sizeof text, "{\"" SELF "\":%.*s}", shown, (const char *)bytes);
    nocturne->complete(call, NOCTURNE_OK, text, (uint64_t)length);
}

HANDLER(go) {
    const nocturne_host_calls_t *calls =
        (const nocturne_host_calls_t *)nocturne->get_extension(NOCTURNE_HOST_CALLS);
    long long left = number(input, size, "n", 3);
    const char *tool = string(input, size, "tool");
    if (calls == NULL) return fail(call, "no calls");
    if (left <= 0) return answer(call, "\"end\"");
    char next[64];
    int length = snprintf(next, sizeof next, "{\"n\":%lld}", left - 1);
    int32_t error =
        calls->call_tool(call, *tool == 0 ? NEXT : tool, next, (uint64_t)length, pass_on, call);
    if (error != 0 && error != -EIO) { // no answer came, so nothing completed the call
        char message[64];
        snprintf(message, sizeof message, "call_tool returned %d", (int)error);
        fail(call, message);
    }
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL(SELF, go))
