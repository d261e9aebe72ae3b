// The struct_size of its table is 0.
#include "fixture.h"

FIXTURE("table-size", "x-why": "struct_size is 0")

NOCTURNE_EXPORT const nocturne_plugin_t *nocturne_plugin_entry(
    const nocturne_host_t *host, nocturne_error_t *error) {
    static const nocturne_plugin_t plugin = { NOCTURNE_ABI, 0, NULL, NULL, NULL };
    (void)host, (void)error;
    return &plugin;
}
