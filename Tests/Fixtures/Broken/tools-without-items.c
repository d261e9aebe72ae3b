// Its table of tools counts more than there is: no items at all.
#include "fixture.h"

FIXTURE("tools-without-items", TOOL("tools-without-items"))

static const void *get_extension(const char *id) {
    static const nocturne_contributions_t tools = { sizeof tools, 0x7fffffff, NULL };
    return strcmp(id, NOCTURNE_TOOLS) == 0 ? &tools : NULL;
}

ENTRY_WITH(get_extension, NULL)
