// Ends its process politely in the middle of a call; atexit tries to go on.
#include "fixture.h"

FIXTURE("exit-call", TOOL("exit-call"))

static void at_exit(void) { hang(); }

HANDLER(leave) {
    if (number(input, size, "hook", 0) != 0) atexit(at_exit);
    exit((int)number(input, size, "n", 0));
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("exit-call", leave))
