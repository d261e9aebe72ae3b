// Its identity's version has 257 bytes, one more than a version may have, and begins like the manifest's.
#include "fixture.h"

FIXTURE("identity-overlong", "x-why": "the version in the code is too long")

#define X_16 "xxxxxxxxxxxxxxxx"
#define X_64 X_16 X_16 X_16 X_16
NOCTURNE_IDENTIFY("identity-overlong", "1.0.0+" X_64 X_64 X_64 X_16 X_16 X_16 "xxxxxxxxxxx")

static const void *get_extension(const char *id) {
    _Static_assert(sizeof X_64 == 65, "X_64 has 64 bytes");
    return strcmp(id, NOCTURNE_IDENTITY) == 0 ? nocturne_identity : NULL;
}

ENTRY_WITH(get_extension, NULL)
