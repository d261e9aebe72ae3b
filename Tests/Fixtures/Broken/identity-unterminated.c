// Its identity's id runs to the end of its memory without a NUL.
#include "fixture.h"

#include <sys/mman.h>

FIXTURE("identity-unterminated", "x-why": "the id in the code has no end")

static const void *get_extension(const char *id) {
    static nocturne_identity_t identity = { sizeof identity, 0, NULL, "1.0.0" };
    size_t page = (size_t)getpagesize();
    if (strcmp(id, NOCTURNE_IDENTITY) != 0) return NULL;
    char *text = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (text == MAP_FAILED) return NULL;
    munmap(text + page, page); // nothing follows
    memset(text, 'x', page);
    identity.id = text + page - 8;
    return &identity;
}

ENTRY_WITH(get_extension, NULL)
