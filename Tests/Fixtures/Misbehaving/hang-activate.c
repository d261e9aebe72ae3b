// Never leaves activate.
#include "fixture.h"

FIXTURE("hang-activate", "x-why": "activate never returns")

static int32_t activate(nocturne_error_t *error) {
    (void)error;
    hang();
    return 0;
}

ENTRY_WITH(NULL, activate)
