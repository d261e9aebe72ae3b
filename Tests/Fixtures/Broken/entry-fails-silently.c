// Its entry returns NULL without a word, and leaves the message without a NUL.
#include "fixture.h"

FIXTURE("entry-fails-silently", "x-why": "the entry says no and not why")

NOCTURNE_EXPORT const nocturne_plugin_t *nocturne_plugin_entry(
    const nocturne_host_t *host, nocturne_error_t *error) {
    (void)host;
    memset(error->message, '\xff', sizeof error->message);
    return NULL;
}
