// Its table is of another major ABI than its manifest says.
#include "fixture.h"

FIXTURE("table-abi", "x-why": "the table says ABI 2.0")

NOCTURNE_EXPORT const nocturne_plugin_t *nocturne_plugin_entry(
    const nocturne_host_t *host, nocturne_error_t *error) {
    static const nocturne_plugin_t plugin = { 0x00020000u, sizeof plugin, NULL, NULL, NULL };
    (void)host, (void)error;
    return &plugin;
}
