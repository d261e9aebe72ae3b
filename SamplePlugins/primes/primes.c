// primes.c — a long computation as a background task: counts the primes up to a limit by a segmented sieve. It says
// how far it is, saves a checkpoint every second, pauses when it is asked to, and goes on from its checkpoint after a
// pause, a crash, a new build or a restart of the host.
#include <nocturne/plugin.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

NOCTURNE_MANIFEST({
    "id": "primes", "name": "Primes", "version": "1.0.0", "abi": "1.0",
    "description": "Counts prime numbers, for as long as it takes.",
    "contributes": {
        "tasks": [ {
            "name": "count-primes",
            "description": "Counts the primes up to a limit.",
            "input": {
                "type": "object", "required": ["limit"], "additionalProperties": false,
                "properties": { "limit": { "type": "integer", "minimum": 2, "maximum": 1000000000000 } }
            },
            "output": {
                "type": "object", "required": ["count", "largest"],
                "properties": {
                    "count": { "type": "integer", "minimum": 1 },
                    "largest": { "type": "integer", "minimum": 2 }
                }
            }
        } ]
    }
})

enum {
    SPAN = 1 << 20,          // numbers of one segment; its odd ones fit into the cache of a core
    DIVISORS_MAX = 1000000,  // the root of the largest limit
};

// Where the count is: everything that a later attempt needs.
typedef struct progress {
    uint64_t next; // the first number that was not looked at; even
    uint64_t count, largest;
} progress;

static const nocturne_host_tasks_t *tasks;
static uint32_t divisors[78500]; // the odd primes up to DIVISORS_MAX: there are 78,497
static size_t divisor_count;

static void find_divisors(void) {
    static uint8_t is_composite[DIVISORS_MAX + 1];
    for (uint32_t number = 3; number <= DIVISORS_MAX; number += 2) {
        if (is_composite[number]) {
            continue;
        }
        divisors[divisor_count++] = number;
        for (uint64_t multiple = (uint64_t)number * number; multiple <= DIVISORS_MAX; multiple += 2 * number) {
            is_composite[multiple] = 1;
        }
    }
}

// Looks at the odd numbers from at->next to `end`, which is even and at most SPAN away.
static void count_segment(progress *at, uint64_t end) {
    static uint8_t is_composite[SPAN / 2]; // of at->next + 1 + 2 i
    uint64_t first = at->next + 1;
    size_t size = (size_t)((end - at->next) / 2);
    memset(is_composite, 0, size);
    for (size_t i = 0; i < divisor_count && (uint64_t)divisors[i] * divisors[i] < end; i++) {
        uint64_t divisor = divisors[i], multiple = (first + divisor - 1) / divisor * divisor;
        multiple += multiple % 2 == 0 ? divisor : 0;
        if (multiple < divisor * divisor) {
            multiple = divisor * divisor;
        }
        for (uint64_t place = (multiple - first) / 2; place < size; place += divisor) {
            is_composite[place] = 1;
        }
    }
    for (size_t i = 0; i < size; i++) {
        if (!is_composite[i]) {
            at->count++;
            at->largest = first + 2 * i;
        }
    }
    at->next = end;
}

// The number of member `key` in a flat JSON object; -1 if it is not there. A schema has been there before.
static double member(const char *text, const char *key) {
    const char *found = strstr(text, key);
    return found == NULL ? -1 : strtod(found + strlen(key) + strspn(found + strlen(key), " \t\r\n:"), NULL);
}

// The checkpoint of an earlier attempt, or the beginning.
static progress begin(nocturne_call_t *call) {
    char info[1024] = "";
    progress at = {2, 1, 2}; // the one even prime
    int64_t size = tasks->info(call, info, sizeof info - 1);
    if (size > 0 && size < (int64_t)sizeof info && member(info, "\"next\"") > 0) {
        at.next = (uint64_t)member(info, "\"next\"");
        at.count = (uint64_t)member(info, "\"count\"");
        at.largest = (uint64_t)member(info, "\"largest\"");
    }
    return at;
}

static int32_t save(nocturne_call_t *call, const progress *at) {
    char text[128];
    int size = snprintf(text, sizeof text,
        "{\"next\":%" PRIu64 ",\"count\":%" PRIu64 ",\"largest\":%" PRIu64 "}", at->next, at->count, at->largest);
    return tasks->checkpoint(call, text, (uint64_t)size);
}

static void count_primes(nocturne_call_t *call, const void *input, uint64_t size, void *context) {
    char text[128];
    snprintf(text, sizeof text, "%.*s", (int)(size < sizeof text ? size : sizeof text - 1), (const char *)input);
    uint64_t limit = (uint64_t)member(text, "\"limit\""), end = limit + limit % 2;
    progress at = begin(call);
    time_t saved = time(NULL);
    (void)context;
    while (at.next < end) {
        uint64_t stop = at.next + SPAN;
        count_segment(&at, stop < end ? stop : end);
        snprintf(text, sizeof text, "%" PRIu64 " primes below %" PRIu64, at.count, at.next);
        tasks->progress(call, 100.0 * (double)at.next / (double)end, text);
        if (nocturne->is_cancelled(call)) {
            nocturne->complete(call, NOCTURNE_CANCELLED, NULL, 0);
            return;
        }
        if (tasks->is_pause_requested(call)) {
            save(call, &at);
            tasks->pause(call);
            return;
        }
        if (time(NULL) != saved) {
            saved = time(NULL);
            save(call, &at); // one that the host cannot store now is followed by another
        }
    }
    int length = snprintf(
        text, sizeof text, "{\"count\":%" PRIu64 ",\"largest\":%" PRIu64 "}", at.count, at.largest);
    nocturne->complete(call, NOCTURNE_OK, text, (uint64_t)length);
}

static int32_t activate(nocturne_error_t *error) {
    (void)error;
    find_divisors();
    return 0;
}

static const void *extension(const char *id) {
    static const nocturne_contribution_t items[] = {{"count-primes", count_primes, NULL}};
    static const nocturne_contributions_t table = {sizeof table, 1, items};
    return strcmp(id, NOCTURNE_TASKS) == 0 ? &table : NULL;
}

NOCTURNE_EXPORT const nocturne_plugin_t *nocturne_plugin_entry(
    const nocturne_host_t *host, nocturne_error_t *error) {
    static const nocturne_plugin_t plugin = {NOCTURNE_ABI, sizeof plugin, extension, activate, NULL};
    nocturne = host;
    tasks = host->get_extension(NOCTURNE_HOST_TASKS);
    if (tasks == NULL) {
        snprintf(error->message, sizeof error->message, "this host runs no tasks");
        return NULL;
    }
    return &plugin;
}
