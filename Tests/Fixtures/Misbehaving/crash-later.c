// Answers, and dies a moment afterwards on a thread of its own.
// build: -pthread
#include "fixture.h"

#include <pthread.h>

FIXTURE("crash-later", TOOL("crash-later"))

static void *crash(void *context) {
    (void)context;
    sleep_ms(20);
    *(volatile int *)8 = 1;
    return NULL;
}

HANDLER(start) {
    pthread_t thread;
    int error = pthread_create(&thread, NULL, crash, NULL);
    answer(call, "{\"error\":%d}", error);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("crash-later", start))
