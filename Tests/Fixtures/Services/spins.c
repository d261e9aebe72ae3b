// Computes without pause until nobody waits any more, and counts how often that was and how often
// `cancel` was called: {"tell": 1} tells.
#include "fixture.h"

#include <stdatomic.h>

FIXTURE("spins", "limits": { "concurrency": 2, "deadline": "5s" }, TOOL("spins"))

static atomic_int started, cancels, given_up;

HANDLER(spin) {
    if (number(input, size, "tell", 0) != 0) {
        answer(call, "{\"started\":%d,\"cancels\":%d,\"givenUp\":%d}", atomic_load(&started),
            atomic_load(&cancels), atomic_load(&given_up));
        return;
    }
    atomic_fetch_add(&started, 1);
    while (!nocturne->is_cancelled(call)) {}
    // `cancel` is called for open calls only, so one that is completed at once may not see it.
    for (int i = 0; i < 1000 && atomic_load(&cancels) == 0; i++) sleep_ms(1);
    atomic_fetch_add(&given_up, 1);
    nocturne->complete(call, NOCTURNE_CANCELLED, "given up", 8);
}

static void cancel(nocturne_call_t *call) {
    (void)call;
    atomic_fetch_add(&cancels, 1);
}

static const void *get_extension(const char *id) {
    static const nocturne_contribution_t items[] = { { "spins", spin, NULL } };
    static const nocturne_contributions_t tools = { sizeof tools, 1, items };
    static const nocturne_cancel_t cancel_table = { sizeof cancel_table, 0, cancel };
    if (strcmp(id, NOCTURNE_TOOLS) == 0) return &tools;
    return strcmp(id, NOCTURNE_CANCEL) == 0 ? &cancel_table : NULL;
}

ENTRY_WITH(get_extension, NULL)
