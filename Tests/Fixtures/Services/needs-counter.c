// Depends on the plugin "counter", version 1, and calls it.
#include "fixture.h"

FIXTURE("needs-counter", "dependencies": { "counter": "^1" }, TOOL("needs-counter"))

static void pass_on(void *context, uint32_t status, const void *bytes, uint64_t size) {
    nocturne->complete((nocturne_call_t *)context, status, bytes, size);
}

HANDLER(ask) {
    const nocturne_host_calls_t *calls =
        (const nocturne_host_calls_t *)nocturne->get_extension(NOCTURNE_HOST_CALLS);
    if (calls == NULL) return fail(call, "no calls");
    int32_t error = calls->call_tool(call, "counter", "{}", 2, pass_on, call);
    if (error != 0 && error != -EIO) fail(call, "the counter did not answer");
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("needs-counter", ask))
