// Asks whether it may signal its parent, its neighbors, process 1 and everybody, by signal 0, which harms nobody should
// the sandbox fail. {"n": 9} really sends a signal, to its parent only.
#include "fixture.h"

#include <signal.h>

FIXTURE("kill-others", TOOL("kill-others"))

HANDLER(kill_others) {
    int signal = (int)number(input, size, "n", 0), reached = 0, last = 0;
    const pid_t targets[] = { getppid(), 1, -1, getpid() - 1, getpid() + 1 };
    size_t count = signal == 0 ? sizeof targets / sizeof *targets : 1;
    for (size_t i = 0; i < count; i++) {
        if (kill(targets[i], signal) == 0) reached++;
        else last = errno;
    }
    answer(call, "{\"reached\":%d,\"errno\":%d}", reached, last);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("kill-others", kill_others))
