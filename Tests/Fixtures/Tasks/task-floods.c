// Tasks that say more than anybody wants to hear, and checkpoints that are none.
#include "tasks.h"

FIXTURE("task-floods", "limits": { "memory": "128MiB" }, "contributes": { "tools": [ { "name": "task-floods" } ],
    "tasks": [ TASK("flood"), TASK("lie") ] })

// {"n": 20000} times progress and a line each, from 100 percent down to nothing and worse.
HANDLER(flood) {
    const nocturne_host_tasks_t *host = tasks();
    long long count = number(input, size, "n", 20000);
    char line[4000];
    memset(line, 'a', sizeof line);
    line[sizeof line - 1] = 0;
    for (long long i = 0; i < count; i++) {
        host->progress(call, i == 0 ? 50 : i % 2 == 0 ? -1e300 : __builtin_nan(""), line);
        host->log(call, line);
    }
    host->progress(call, 1e300, "the last");
    host->log(call, "the last line");
    answer(call, "{}");
}

// The codes of checkpoints that the host must not take.
HANDLER(lie) {
    const nocturne_host_tasks_t *host = tasks();
    uint64_t huge = NOCTURNE_CHECKPOINT_MAX + 1;
    char *bytes = calloc(1, huge);
    memset(bytes, '1', huge);
    int32_t good = host->checkpoint(call, "{\"good\": 1}", 11);
    answer(call, "[%d,%d,%d,%d,%d,%d]", good, host->checkpoint(call, "{\"bad\":", 7),
        host->checkpoint(call, "", 0), host->checkpoint(call, NULL, 5), host->checkpoint(call, bytes, huge),
        host->checkpoint(call, "{\"good\": 2}", 11));
}
HANDLER(nothing) { answer(call, "{}"); }
TASKS_ENTRY("task-floods", nothing, { "flood", flood, NULL }, { "lie", lie, NULL })
