// Starts threads until it gets no more, or {"n": 5}; they never end.
// build: -pthread
#include "fixture.h"

#include <pthread.h>

FIXTURE("thread-flood", "limits": { "threads": 4 }, TOOL("thread-flood"))

static void *stay(void *context) {
    for (;;) pause();
    return context;
}

HANDLER(flood) {
    long long wanted = number(input, size, "n", 100000), started = 0;
    int error = 0;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    while (started < wanted) {
        pthread_t thread;
        error = pthread_create(&thread, &attributes, stay, NULL);
        if (error != 0) break;
        started++;
    }
    answer(call, "{\"started\":%lld,\"errno\":%d}", started, error);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("thread-flood", flood))
