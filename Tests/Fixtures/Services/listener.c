// Hears the emitter's events and those of plugins' lives; the tool tells how many and the last. {"listen": 0} ends
// listening to the emitter, {"listen": 1} takes it up again.
#include "fixture.h"

FIXTURE("listener", "contributes": {
    "tools": [ { "name": "listener" } ], "listens": [ "emitter:ping", "plugin:enabled" ] })

static int heard, enabled;
static char last[1024] = "null";

HANDLER(hear) {
    heard++;
    if (size < sizeof last) {
        memcpy(last, input, (size_t)size);
        last[size] = 0;
    }
    answer(call, "null");
}

HANDLER(hear_enabled) {
    enabled++;
    answer(call, "null");
}

HANDLER(tell) {
    const nocturne_host_contributions_t *contributions =
        (const nocturne_host_contributions_t *)nocturne->get_extension(NOCTURNE_HOST_CONTRIBUTIONS);
    long long listen = number(input, size, "listen", -1);
    int32_t error = 0;
    if (contributions != NULL && listen == 0) error = contributions->unsubscribe("emitter:ping");
    if (contributions != NULL && listen == 1) error = contributions->subscribe("emitter:ping", hear, NULL);
    answer(call, "{\"heard\":%d,\"enabled\":%d,\"error\":%d,\"last\":%s}", heard, enabled, (int)error, last);
}

static const void *get_extension(const char *id) {
    static const nocturne_contribution_t tool_items[] = { { "listener", tell, NULL } };
    static const nocturne_contribution_t listener_items[] = {
        { "emitter:ping", hear, NULL }, { "plugin:enabled", hear_enabled, NULL } };
    static const nocturne_contributions_t tools = { sizeof tools, 1, tool_items };
    static const nocturne_contributions_t listeners = { sizeof listeners, 2, listener_items };
    if (strcmp(id, NOCTURNE_TOOLS) == 0) return &tools;
    return strcmp(id, NOCTURNE_LISTENERS) == 0 ? &listeners : NULL;
}

ENTRY_WITH(get_extension, NULL)
