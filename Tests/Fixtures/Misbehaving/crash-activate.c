// Dies in activate.
#include "fixture.h"

FIXTURE("crash-activate", "x-why": "activate dies")

static int32_t activate(nocturne_error_t *error) {
    (void)error;
    *(volatile int *)8 = 1;
    return 0;
}

ENTRY_WITH(NULL, activate)
