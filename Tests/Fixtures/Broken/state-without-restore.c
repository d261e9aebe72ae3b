// Its state table has no restore, which is mandatory.
#include "fixture.h"

FIXTURE("state-without-restore", "reload": { "state": true })

static int64_t save(uint32_t *schema, void *buffer, uint64_t capacity, nocturne_error_t *error) {
    (void)buffer, (void)capacity, (void)error;
    *schema = 1;
    return 0;
}

static const void *get_extension(const char *id) {
    static const nocturne_state_t state = { sizeof state, 0, save, NULL };
    return strcmp(id, NOCTURNE_STATE) == 0 ? &state : NULL;
}

ENTRY_WITH(get_extension, NULL)
