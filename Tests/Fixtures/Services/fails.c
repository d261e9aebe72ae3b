// Fails with the status asked for: {"n": 1 … 4}, or with a message far too long: {"long": 1}.
#include "fixture.h"

FIXTURE("fails", TOOL("fails"))

HANDLER(fail_so) {
    static char message[4096];
    if (number(input, size, "long", 0) != 0) {
        for (size_t i = 0; i < sizeof message; i += 2) memcpy(message + i, "\xc3\xa9", 2); // é
        nocturne->complete(call, NOCTURNE_FAILED, message, sizeof message);
        return;
    }
    long long status = number(input, size, "n", 1);
    nocturne->complete(call, (uint32_t)status, "as you wished", 13);
    if (status < 0 || status > 4) fail(call, "the status was refused");
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("fails", fail_so))
