// Never leaves its constructor, so dlopen never returns.
#include "fixture.h"

FIXTURE("hang-constructor", "x-why": "dlopen never returns")

__attribute__((constructor)) static void stay(void) { hang(); }

ENTRY_WITH(NULL, NULL)
