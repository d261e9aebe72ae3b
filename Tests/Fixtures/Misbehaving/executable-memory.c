// Makes memory executable: freshly mapped ({"how": "map"}, the default) or its own data ("protect").
#include "fixture.h"

#include <sys/mman.h>

FIXTURE("executable-memory", TOOL("executable-memory"))

static _Alignas(4096) unsigned char page[4096];

HANDLER(make_executable) {
    int made;
    if (strcmp(string(input, size, "how"), "protect") == 0) {
        made = mprotect(page, sizeof page, PROT_READ | PROT_WRITE | PROT_EXEC) == 0;
    } else {
        made = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            != MAP_FAILED;
    }
    answer(call, "{\"made\":%s,\"errno\":%d}", made ? "true" : "false", made ? 0 : errno);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("executable-memory", make_executable))
