// A task that crashes in its first {"times": 1} processes, after a line in its log.
#include "tasks.h"

FIXTURE("task-crashes", "contributes": { "tools": [ { "name": "task-crashes" } ], "tasks": [ TASK("crash") ] })

HANDLER(crash) {
    tasks()->log(call, "about to crash");
    if (info(call, "crashes", 0) < number(input, size, "times", 1)) abort();
    answer(call, "{\"attempt\":%lld}", info(call, "attempt", 0));
}
HANDLER(nothing) { answer(call, "{}"); }
TASKS_ENTRY("task-crashes", nothing, { "crash", crash, NULL })
