// Its entry returns NULL, with a code and a message.
#include "fixture.h"

FIXTURE("entry-fails", "x-why": "the entry says no")

NOCTURNE_EXPORT const nocturne_plugin_t *nocturne_plugin_entry(
    const nocturne_host_t *host, nocturne_error_t *error) {
    (void)host;
    error->code = 3;
    snprintf(error->message, sizeof error->message, "the fixture has no license");
    return NULL;
}
