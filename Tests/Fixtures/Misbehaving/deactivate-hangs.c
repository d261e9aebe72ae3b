// Never leaves deactivate.
#include "fixture.h"

FIXTURE("deactivate-hangs", TOOL("deactivate-hangs"))

HANDLER(tell) { answer(call, "{\"alive\":true}"); }

static const void *get_extension(const char *id) {
    static const nocturne_contribution_t items[] = { { "deactivate-hangs", tell, NULL } };
    static const nocturne_contributions_t tools = { sizeof tools, 1, items };
    return strcmp(id, NOCTURNE_TOOLS) == 0 ? &tools : NULL;
}

static int32_t deactivate(nocturne_error_t *error) {
    (void)error;
    hang();
    return 0;
}

NOCTURNE_EXPORT const nocturne_plugin_t *nocturne_plugin_entry(
    const nocturne_host_t *host, nocturne_error_t *error) {
    static const nocturne_plugin_t plugin = {
        NOCTURNE_ABI, sizeof plugin, get_extension, NULL, deactivate };
    (void)error;
    nocturne = host;
    return &plugin;
}
