// Its activate says no, with a code and a message.
#include "fixture.h"

FIXTURE("activate-fails", "x-why": "activate says no")

static int32_t activate(nocturne_error_t *error) {
    error->code = 42;
    error->retryable = 1;
    snprintf(error->message, sizeof error->message, "the fixture does not want to");
    return -1;
}

ENTRY_WITH(NULL, activate)
