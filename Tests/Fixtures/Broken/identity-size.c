// Its identity ends before the version.
#include "fixture.h"

FIXTURE("identity-size", "x-why": "struct_size covers the id only")

static const void *get_extension(const char *id) {
    static const nocturne_identity_t identity = {
        offsetof(nocturne_identity_t, version), 0, "identity-size", "1.0.0" };
    return strcmp(id, NOCTURNE_IDENTITY) == 0 ? &identity : NULL;
}

ENTRY_WITH(get_extension, NULL)
