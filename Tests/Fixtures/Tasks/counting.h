// counting.h — a plugin whose task counts from its checkpoint to {"to": 10}, with {"ms": 0} for each step.
// COUNTING(version) in different files gives builds that replace each other.
#include "tasks.h"

#define COUNTING(VERSION)                                                                              \
    FIXTURE_OF("counting", VERSION, "limits": { "concurrency": 2 },                                    \
        "contributes": { "tools": [ { "name": "counting" } ], "tasks": [                               \
            { "name": "count", "input": { "type": "object", "required": [ "to" ],                      \
                "properties": { "to": { "type": "integer", "minimum": 1 } } } },                       \
            { "name": "end", "output": { "type": "object" } } ] },                                     \
        "reload": { "drain": "1500ms" })                                                               \
    static const char version[] = VERSION;

// {"polite": 0} neither pauses nor stops before its end; {"polite": 2} stops when it is cancelled, but does not pause.
#define COUNTING_HANDLERS                                                                              \
    HANDLER(count) {                                                                                   \
        const nocturne_host_tasks_t *host = tasks();                                                   \
        long long to = number(input, size, "to", 10), ms = number(input, size, "ms", 0),               \
                  polite = number(input, size, "polite", 1), from = info(call, "checkpoint", 0);       \
        char text[128];                                                                                \
        for (long long at = from; at < to; at++) {                                                     \
            int length = snprintf(text, sizeof text, "%lld", at + 1);                                  \
            sleep_ms(ms);                                                                              \
            host->checkpoint(call, text, (uint64_t)length);                                            \
            host->progress(call, 100.0 * (double)(at + 1) / (double)to, text);                         \
            host->log(call, text);                                                                     \
            if (polite && nocturne->is_cancelled(call)) {                                              \
                nocturne->complete(call, NOCTURNE_CANCELLED, NULL, 0);                                 \
                return;                                                                                \
            }                                                                                          \
            if (polite == 1 && host->is_pause_requested(call)) {                                       \
                host->pause(call);                                                                     \
                return;                                                                                \
            }                                                                                          \
        }                                                                                              \
        answer(call, "{\"from\":%lld,\"to\":%lld,\"attempt\":%lld,\"version\":\"%s\"}", from, to,      \
            info(call, "attempt", 0), version);                                                        \
    }
