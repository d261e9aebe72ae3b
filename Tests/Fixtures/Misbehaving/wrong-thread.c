// Calls the host from the loader thread, before it is active, with nonsense; the tool tells what came back.
#include "fixture.h"

FIXTURE("wrong-thread", TOOL("wrong-thread"))

static int32_t emitted, stored;

HANDLER(tell) { answer(call, "{\"emitted\":%d,\"stored\":%d}", (int)emitted, (int)stored); }

static const void *get_extension(const char *id) {
    static const nocturne_contribution_t items[] = { { "wrong-thread", tell, NULL } };
    static const nocturne_contributions_t tools = { sizeof tools, 1, items };
    return strcmp(id, NOCTURNE_TOOLS) == 0 ? &tools : NULL;
}

NOCTURNE_EXPORT const nocturne_plugin_t *nocturne_plugin_entry(
    const nocturne_host_t *host, nocturne_error_t *error) {
    static const nocturne_plugin_t plugin = { NOCTURNE_ABI, sizeof plugin, get_extension, NULL, NULL };
    (void)error;
    nocturne = host;
    const nocturne_host_events_t *events =
        (const nocturne_host_events_t *)host->get_extension(NOCTURNE_HOST_EVENTS);
    const nocturne_host_storage_t *storage =
        (const nocturne_host_storage_t *)host->get_extension(NOCTURNE_HOST_STORAGE);
    if (events != NULL) emitted = events->emit("wrong-thread:early", "{}", 2);
    if (storage != NULL) stored = storage->set("early", NOCTURNE_JSON, "1", 1);
    return &plugin;
}
