// measures.h — a plugin that measures: MEASURES(version) in different files gives builds that replace each other.
#include "metrics.h"

#define MEASURES(VERSION)                                                                                       \
    FIXTURE_OF("measures", VERSION, "limits": { "threads": 8, "concurrency": 2 }, TOOL("measures"))

static int32_t counter, open_things, level, seconds;

static int32_t activate(nocturne_error_t *error) {
    (void)error;
    counter = series(NOCTURNE_COUNTER, "measured.total", "a");
    open_things = series(NOCTURNE_UP_DOWN_COUNTER, "measured.open", NULL);
    level = series(NOCTURNE_GAUGE, "measured.level", NULL);
    seconds = series(NOCTURNE_HISTOGRAM, "measured.seconds", NULL);
    return 0;
}

// {"n": 100} times: the counter by 1 and by 0.5, one thing more that is open, the values 1, 2, 4, … 64, and -1.
static void *record(void *context) {
    const nocturne_host_metrics_t *host = metrics();
    long long times = *(const long long *)context;
    for (long long i = 0; i < times; i++) {
        host->add(counter, 1);
        host->add(counter, 0.5);
        host->add(open_things, 1);
        host->observe(seconds, (double)(1 << i % 7));
        host->observe(seconds, -1);
    }
    return NULL;
}

HANDLER(record_all) {
    pthread_t threads[8];
    long long times = number(input, size, "n", 0), count = number(input, size, "threads", 1);
    for (int i = 0; i < count; i++) pthread_create(&threads[i], NULL, record, &times);
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
    answer(call, "{}");
}

// What is not allowed, and what comes back.
HANDLER(misuse) {
    const nocturne_host_metrics_t *host = metrics();
    double nan = __builtin_nan(""), infinity = __builtin_inf();
    char name[NOCTURNE_METRIC_NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = 0;
    answer(call, "[%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d]",
        host->add(counter, -1), host->add(counter, nan), host->add(open_things, infinity), host->set(level, nan),
        host->set(counter, 1), host->observe(level, 1), host->observe(seconds, nan), host->add(seconds, 1),
        host->add(0, 1), host->add(1 << 20, 1), host->add(-ENOSPC, 1), host->create(NULL),
        series(7, "measured.kind", NULL), series(NOCTURNE_COUNTER, name, NULL),
        series(NOCTURNE_COUNTER, "measured.\xff", NULL));
}

// {"n": 1030} series of a counter, besides the four. How many came to be, and what the last one got.
HANDLER(many) {
    long long count = number(input, size, "n", 0), made = 0;
    int32_t last = 0;
    for (long long i = 0; i < count; i++) {
        char part[32];
        snprintf(part, sizeof part, "%lld", i);
        last = series(NOCTURNE_COUNTER, "measured.many", part);
        if (last > 0 && metrics()->add(last, (double)(i + 1)) == 0) made++;
    }
    answer(call, "[%lld,%d,%d]", made, last, series(NOCTURNE_COUNTER, "measured.total", "a") == counter);
}

HANDLER(measure) {
    const char *what = string(input, size, "do");
    if (strcmp(what, "misuse") == 0) return misuse(call, input, size, context);
    if (strcmp(what, "many") == 0) return many(call, input, size, context);
    if (strcmp(what, "codes") == 0) return answer(call, "[%d,%d,%d,%d]", counter, open_things, level, seconds);
    if (strcmp(what, "set") == 0) return answer(call, "%d",
        metrics()->set(level, (double)number(input, size, "n", 0)));
    if (strcmp(what, "move") == 0) return answer(call, "%d",
        metrics()->add(level, (double)number(input, size, "n", 0)));
    if (strcmp(what, "read") == 0) {
        char text[4096], name[128];
        snprintf(name, sizeof name, "%s", string(input, size, "name"));
        int64_t length = metrics()->read(name[0] == 0 ? NULL : name, text, sizeof text);
        if (length < 0) return answer(call, "%lld", (long long)length);
        nocturne->complete(call, NOCTURNE_OK, text, (uint64_t)length);
        return;
    }
    if (strcmp(what, "crash") == 0) {
        long long times = number(input, size, "n", 0);
        record(&times);
        metrics()->set(level, 7);
        abort();
    }
    record_all(call, input, size, context);
}

static const void *extension(const char *id) {
    static const nocturne_contribution_t item = { "measures", measure, NULL };
    static const nocturne_contributions_t tools = { sizeof tools, 1, &item };
    return strcmp(id, NOCTURNE_TOOLS) == 0 ? &tools : NULL;
}
ENTRY_WITH(extension, activate)
