// A task that counts, ends in every way that there is, and a tool that tries to use the tasks' service.
#include "counting.h"

COUNTING("1.0.0")
COUNTING_HANDLERS

// As {"how": "…"} says, in the first attempt; {"attempt": 2} in a later one.
HANDLER(end) {
    const nocturne_host_tasks_t *host = tasks();
    const char *how = string(input, size, "how");
    long long attempt = info(call, "attempt", 0);
    if (strcmp(how, "fail") == 0) return fail(call, "it cannot be");
    if (strcmp(how, "invalid") == 0) {
        nocturne->complete(call, NOCTURNE_INVALID_INPUT, "no such thing", 13);
    } else if (strcmp(how, "wrong result") == 0) {
        nocturne->complete(call, NOCTURNE_OK, "[1]", 3);
    } else if (strcmp(how, "no json") == 0) {
        nocturne->complete(call, NOCTURNE_OK, "{", 1);
    } else if (strcmp(how, "retry") == 0 && attempt == 1) {
        nocturne->complete(call, NOCTURNE_RETRY, "not now", 7);
    } else if (strcmp(how, "retry after") == 0 && attempt == 1) {
        host->retry_after(call, 1500, "come back later");
    } else if (strcmp(how, "snooze") == 0 && info(call, "checkpoint", 0) == 0) {
        host->checkpoint(call, "1", 1);
        host->snooze(call, 0);
    } else if (strcmp(how, "pause") == 0 && info(call, "checkpoint", 0) == 0) {
        host->checkpoint(call, "1", 1);
        host->pause(call);
    } else if (strcmp(how, "twice") == 0) {
        answer(call, "{\"first\":true}");
        int32_t codes[] = { nocturne->complete(call, NOCTURNE_OK, "{}", 2), host->pause(call),
            host->snooze(call, 5000), host->retry_after(call, 1, "no"), host->progress(call, 1, NULL) };
        char text[64];
        snprintf(text, sizeof text, "%d %d %d %d %d", codes[0], codes[1], codes[2], codes[3], codes[4]);
        const nocturne_host_log_t *log = nocturne->get_extension(NOCTURNE_HOST_LOG);
        log->write(NOCTURNE_LOG_INFO, text, NULL, 0);
    } else {
        answer(call, "{\"attempt\":%lld}", attempt);
    }
}

// A tool's call is no task.
HANDLER(misuse) {
    const nocturne_host_tasks_t *host = tasks();
    char text[8];
    answer(call, "[%lld,%d,%d,%d,%u,%d,%d,%d]", (long long)host->info(call, text, sizeof text),
        host->progress(call, 1, NULL), host->log(call, "no"), host->checkpoint(call, "1", 1),
        host->is_pause_requested(call), host->pause(call), host->snooze(call, 1), host->retry_after(call, 1, "no"));
}
TASKS_ENTRY("counting", misuse, { "count", count, NULL }, { "end", end, NULL })
