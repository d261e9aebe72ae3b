// Returns at once and answers on a thread of its own {"n": 400} ms later: after the deadline, unless n is small.
// build: -pthread
#include "fixture.h"

#include <pthread.h>

FIXTURE("answers-late", "limits": { "deadline": "200ms", "concurrency": 4 }, TOOL("answers-late"))

typedef struct later {
    nocturne_call_t *call;
    long long milliseconds;
} later;

static void *answer_later(void *context) {
    later *l = (later *)context;
    sleep_ms(l->milliseconds);
    answer(l->call, "{\"after\":%lld}", l->milliseconds);
    free(l);
    return NULL;
}

HANDLER(start) {
    pthread_t thread;
    later *l = (later *)malloc(sizeof *l);
    if (l == NULL) return fail(call, "no memory");
    l->call = call;
    l->milliseconds = number(input, size, "n", 400);
    if (pthread_create(&thread, NULL, answer_later, l) != 0) {
        free(l);
        return fail(call, "no thread");
    }
    pthread_detach(thread);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("answers-late", start))
