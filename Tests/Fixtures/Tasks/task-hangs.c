// A task that never returns, beside a tool and a task that take {"n": 100} ms.
#include "tasks.h"

FIXTURE("task-hangs", "limits": { "concurrency": 3, "deadline": "20s" },
    "contributes": { "tools": [ { "name": "task-hangs", "idempotent": true } ],
        "tasks": [ TASK("hang"), TASK("take") ] })

HANDLER(never) { hang(); }
HANDLER(take) {
    sleep_ms(number(input, size, "n", 100));
    answer(call, "{}");
}
TASKS_ENTRY("task-hangs", take, { "hang", never, NULL }, { "take", take, NULL })
