// Its health check says no.
#include "fixture.h"

FIXTURE("unhealthy", "x-why": "the health check says no")

static int32_t check(nocturne_error_t *error) {
    error->code = 7;
    snprintf(error->message, sizeof error->message, "the fixture is never well");
    return -1;
}

static const void *get_extension(const char *id) {
    static const nocturne_health_t health = { sizeof health, 0, check };
    return strcmp(id, NOCTURNE_HEALTH) == 0 ? &health : NULL;
}

ENTRY_WITH(get_extension, NULL)
