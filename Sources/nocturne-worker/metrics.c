// metrics.c — the host's table for what a plugin measures: a series is declared by an ask, which waits; recording is
// a few instructions on shared memory. plugin.h has the contracts, CWireMetrics.h the memory.
#include "worker.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define NO_SERIES 0 // in `kinds`; else the kind plus 1

_Static_assert(WIRE_METRICS_SERIES == NOCTURNE_METRICS_MAX && WIRE_METRIC_COUNTER == NOCTURNE_COUNTER
        && WIRE_METRIC_UP_DOWN == NOCTURNE_UP_DOWN_COUNTER && WIRE_METRIC_GAUGE == NOCTURNE_GAUGE
        && WIRE_METRIC_HISTOGRAM == NOCTURNE_HISTOGRAM,
    "the wire holds what the contract allows");

static void *slab; // there before any series is
static uint8_t kinds[WIRE_METRICS_SERIES];

// Appends `text` and its NUL at `*used` of `buffer`. False: it is longer than `limit`.
static bool append(char *buffer, size_t *used, const char *text, size_t limit) {
    text = text != NULL ? text : "";
    size_t length = strnlen(text, limit + 1);
    if (length > limit) {
        return false;
    }
    memcpy(buffer + *used, text, length + 1);
    *used += length + 1;
    return true;
}

// The payload of WIRE_ASK_METRIC. Returns its size, or -EMSGSIZE, -ENOMEM.
static int64_t pack(const nocturne_metric_t *metric, char **payload) {
    uint32_t head[2] = {metric->kind, metric->label_count};
    size_t used = sizeof head,
           room = used + NOCTURNE_METRIC_NAME_MAX + 2 * NOCTURNE_METRIC_TEXT_MAX + 3
        + metric->label_count * (NOCTURNE_METRIC_NAME_MAX + NOCTURNE_METRIC_TEXT_MAX + 2);
    char *buffer = malloc(room);
    if (buffer == NULL) {
        return -ENOMEM;
    }
    memcpy(buffer, head, sizeof head);
    bool fits = append(buffer, &used, metric->name, NOCTURNE_METRIC_NAME_MAX)
        && append(buffer, &used, metric->help, NOCTURNE_METRIC_TEXT_MAX)
        && append(buffer, &used, metric->unit, NOCTURNE_METRIC_TEXT_MAX);
    for (uint32_t i = 0; fits && i < metric->label_count; i++) {
        fits = append(buffer, &used, metric->labels[i].key, NOCTURNE_METRIC_NAME_MAX)
            && append(buffer, &used, metric->labels[i].value, NOCTURNE_METRIC_TEXT_MAX);
    }
    if (!fits) {
        free(buffer);
        return -EMSGSIZE;
    }
    *payload = buffer;
    return (int64_t)used;
}

// Maps the slab, which the host sends before its first answer. Several threads may come here at once.
static int find_slab(int64_t deadline) {
    memory_file file;
    if (__atomic_load_n(&slab, __ATOMIC_ACQUIRE) != NULL) {
        return 0;
    }
    int error = file_share(WIRE_FILE_METRICS, 0, 1, deadline, &file);
    if (error == 0 && file.size < WIRE_METRICS_SIZE) {
        error = EPROTO;
    }
    if (error == 0) {
        __atomic_store_n(&slab, file.bytes, __ATOMIC_RELEASE);
    }
    return error;
}

// Takes the number of the series out of an answer, as the wire counts, from 0.
static int64_t number_of(const service_answer *answer) {
    uint32_t number;
    if (answer->status != 0) {
        return answer->status < WIRE_ANSWER_TOOL ? -(int64_t)answer->status : -EIO;
    }
    if (answer->length != sizeof number) {
        return -EIO;
    }
    memcpy(&number, answer->bytes, sizeof number);
    return number < WIRE_METRICS_SERIES ? (int64_t)number : -EIO;
}

static int32_t create(const nocturne_metric_t *metric) {
    service_answer answer;
    char *payload;
    if (!plugin_is_active()) {
        return misuse();
    }
    if (metric == NULL || metric->struct_size < sizeof *metric || metric->kind > NOCTURNE_HISTOGRAM
        || metric->name == NULL || (metric->labels == NULL && metric->label_count != 0)) {
        return -EINVAL;
    }
    if (metric->label_count > NOCTURNE_METRIC_LABELS_MAX) {
        return -EMSGSIZE;
    }
    int64_t size = pack(metric, &payload);
    if (size < 0) {
        return (int32_t)size;
    }
    int64_t deadline = service_deadline(0);
    int error = service_ask(WIRE_ASK_METRIC, NULL,
        (service_part[2]){{payload, (size_t)size}, {NULL, 0}}, deadline, &answer);
    free(payload);
    if (error != 0) {
        return error == EAGAIN ? -ETIMEDOUT : -error;
    }
    int64_t number = number_of(&answer);
    answer_release(&answer);
    error = number >= 0 ? find_slab(deadline) : 0;
    if (number < 0 || error != 0) {
        return number < 0 ? (int32_t)number : -error;
    }
    __atomic_store_n(&kinds[number], (uint8_t)(metric->kind + 1), __ATOMIC_RELEASE);
    return (int32_t)number + 1; // so that one that was forgotten, 0, is none
}

// Why nothing is recorded: a handle that is an error is a measurement that the plugin does without.
static int32_t refuse(int32_t metric) {
    if (metric < 0) {
        return metric;
    }
    misuse();
    return plugin_is_active() ? -EINVAL : -EPERM;
}

static uint32_t kind_of(int32_t metric) {
    uint8_t kind = metric <= 0 || metric > (int32_t)WIRE_METRICS_SERIES || !plugin_is_active()
        ? NO_SERIES
        : __atomic_load_n(&kinds[metric - 1], __ATOMIC_ACQUIRE);
    return kind == NO_SERIES ? UINT32_MAX : kind - 1u;
}

static int32_t add(int32_t metric, double amount) {
    uint32_t kind = kind_of(metric);
    bool is_right = kind == NOCTURNE_COUNTER ? amount >= 0 : kind <= NOCTURNE_GAUGE;
    if (!is_right || !isfinite(amount)) {
        return refuse(metric);
    }
    if (kind == NOCTURNE_GAUGE) {
        wire_metric_move(slab, (uint32_t)metric - 1, amount);
    } else {
        wire_metric_add(slab, (uint32_t)metric - 1, amount);
    }
    return 0;
}

static int32_t set(int32_t metric, double value) {
    if (kind_of(metric) != NOCTURNE_GAUGE || !isfinite(value)) {
        return refuse(metric);
    }
    wire_metric_set(slab, (uint32_t)metric - 1, value);
    return 0;
}

static int32_t observe(int32_t metric, double value) {
    if (kind_of(metric) != NOCTURNE_HISTOGRAM || !isfinite(value)) {
        return refuse(metric);
    }
    wire_metric_observe(slab, (uint32_t)metric - 1, value);
    return 0;
}

static int64_t read_series(const char *name, void *buffer, uint64_t capacity) {
    service_answer answer;
    if (!plugin_is_active()) {
        return misuse();
    }
    name = name != NULL ? name : "";
    size_t length = strnlen(name, NOCTURNE_METRIC_NAME_MAX + 1);
    if (length > NOCTURNE_METRIC_NAME_MAX) {
        return -EMSGSIZE;
    }
    const service_part parts[2] = {{name, length + 1}, {NULL, 0}};
    int error = service_ask(WIRE_ASK_METRICS_READ, NULL, parts, service_deadline(0), &answer);
    if (error != 0) {
        return error == EAGAIN ? -ETIMEDOUT : -error;
    }
    int64_t result = answer.status == 0 ? copy_value(answer.bytes, answer.length, buffer, capacity)
        : answer.status < WIRE_ANSWER_TOOL ? -(int64_t)answer.status
                                           : -EIO;
    answer_release(&answer);
    return result;
}

const nocturne_host_metrics_t host_metrics = {
    sizeof host_metrics, 0, create, add, set, observe, read_series};
