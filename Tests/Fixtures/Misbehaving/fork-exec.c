// Forks ({"how": "fork"}, the default), forks without libc ("clone"), or replaces itself ("exec").
#include "fixture.h"

#include <signal.h>
#include <sys/syscall.h>

FIXTURE("fork-exec", TOOL("fork-exec"))

HANDLER(multiply) {
    const char *how = string(input, size, "how");
    long result;
    if (strcmp(how, "exec") == 0) {
        char *const arguments[] = { (char *)"true", NULL };
        result = execv("/bin/true", arguments);
    } else if (strcmp(how, "clone") == 0) {
        result = syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
    } else {
        result = fork();
    }
    if (result == 0) _exit(0); // the child, if there is one
    answer(call, "{\"forked\":%s,\"errno\":%d}", result > 0 ? "true" : "false", result > 0 ? 0 : errno);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("fork-exec", multiply))
