// Its table is no table: an address that is not mapped.
#include "fixture.h"

FIXTURE("table-wild", "x-why": "the table is nowhere")

NOCTURNE_EXPORT const nocturne_plugin_t *nocturne_plugin_entry(
    const nocturne_host_t *host, nocturne_error_t *error) {
    (void)host, (void)error;
    return (const nocturne_plugin_t *)16;
}
