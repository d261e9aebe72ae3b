// Dies in a constructor, so inside dlopen.
#include "fixture.h"

FIXTURE("crash-constructor", TOOL("crash-constructor"))

__attribute__((constructor)) static void crash(void) { *(volatile int *)8 = 1; }

HANDLER(never) { answer(call, "{}"); }
NOCTURNE_PLUGIN(NOCTURNE_TOOL("crash-constructor", never))
