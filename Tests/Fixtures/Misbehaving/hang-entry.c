// Never leaves its entry.
#include "fixture.h"

FIXTURE("hang-entry", "x-why": "the entry never returns")

NOCTURNE_EXPORT const nocturne_plugin_t *nocturne_plugin_entry(
    const nocturne_host_t *host, nocturne_error_t *error) {
    (void)host, (void)error;
    hang();
    return NULL;
}
