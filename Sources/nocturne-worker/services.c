// services.c — the host's tables: log, configuration, storage, events, calls of other tools. What
// needs an answer goes through a service slot and waits; log records and events go into a ring and
// never wait. plugin.h has the contracts.
#include "worker.h"
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#define NO_SLOT UINT32_MAX
#define LOOK_AGAIN_NS                                                                              \
    20000000 // for answers that came too late for their askers, and so freed their slots
#define ANSWER_PAUSES 64    // about 2 µs, before the asking thread sleeps
#define EVENT_NAME_MAX 256u // bytes
#define EVENT_PAYLOAD_MAX 4096u

// The slots. One that is abandoned is free again once its answer has come.
static struct {
    uint32_t generation;
    bool is_taken, is_abandoned;
} slots[WIRE_SERVICE_SLOTS];
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER,
                       settings_lock = PTHREAD_MUTEX_INITIALIZER,
                       records_lock = PTHREAD_MUTEX_INITIALIZER;
static char *settings;
static size_t settings_size;

void ring_host(void) {
    if (write(WIRE_FD_HOST_DOORBELL, "", 1) < 0) {
        return; // EAGAIN: the host has wake-ups enough to read
    }
}

int64_t service_deadline(int64_t deadline) {
    int64_t latest = now_ns() + SERVICE_TIMEOUT;
    return deadline != 0 && deadline < latest ? deadline : latest;
}

// ---- asking

static uint32_t take_slot(int64_t deadline) {
    uint32_t found = NO_SLOT;
    while (found == NO_SLOT) {
        pthread_mutex_lock(&slots_lock);
        for (uint32_t i = 0; found == NO_SLOT && i < WIRE_SERVICE_SLOTS; i++) {
            bool has_come = slots[i].is_abandoned
                && wire_load(&wire_answer_at(worker.down, i)->state) == slots[i].generation;
            if (!slots[i].is_taken || has_come) {
                slots[i].is_taken = true;
                slots[i].is_abandoned = false;
                found = i;
            }
        }
        pthread_mutex_unlock(&slots_lock);
        if (found == NO_SLOT) {
            if (now_ns() >= deadline) {
                return NO_SLOT;
            }
            nanosleep(&(struct timespec){0, LOOK_AGAIN_NS}, NULL);
        }
    }
    return found;
}

static void free_slot(uint32_t slot, bool is_abandoned) {
    pthread_mutex_lock(&slots_lock);
    slots[slot].is_taken = slots[slot].is_abandoned = is_abandoned;
    pthread_mutex_unlock(&slots_lock);
}

// Publishes an ask in a slot of ours. With `room` its payload is there, which has been filled.
static void post(uint32_t slot, uint32_t kind, nocturne_call_t *call, const service_part parts[2],
    const memory_file *room) {
    wire_ask *ask = wire_ask_at(worker.up, slot);
    size_t size = parts[0].size + parts[1].size;
    uint8_t *target = room != NULL ? room->bytes
        : size <= WIRE_INLINE      ? ask->bytes
                                   : wire_service_block(worker.up, slot);
    for (int i = 0; i < 2; i++) {
        if (parts[i].size > 0) {
            memcpy(target, parts[i].bytes, parts[i].size);
            target += parts[i].size;
        }
    }
    slots[slot].generation += slots[slot].generation == UINT32_MAX ? 2 : 1; // never 0
    ask->kind = (uint16_t)kind;
    ask->flags = room != NULL ? WIRE_IN_FILE : size <= WIRE_INLINE ? WIRE_INLINED : WIRE_IN_BLOCK;
    ask->length = (uint32_t)size;
    ask->call_slot = WIRE_NO_CALL;
    ask->call_generation = 0;
    if (call != NULL) {
        call_parts(call, &ask->call_slot, &ask->call_generation);
    }
    wire_store(&ask->state, slots[slot].generation);
    wire_add(&worker.up->asked, 1); // fenced
    ring_host();
}

// Until the slot's answer is there. ETIMEDOUT.
static int await(uint32_t slot, int64_t deadline) {
    const uint32_t *state = &wire_answer_at(worker.down, slot)->state;
    for (int i = 0; i < ANSWER_PAUSES; i++) {
        if (wire_load(state) == slots[slot].generation) {
            return 0;
        }
        wire_pause();
    }
    for (;;) {
        uint32_t seen = wire_load(state);
        int64_t left = deadline - now_ns();
        if (seen == slots[slot].generation) {
            return 0;
        }
        if (left <= 0) {
            return ETIMEDOUT;
        }
        struct timespec time = {left / NANOSECONDS, left % NANOSECONDS};
        syscall(SYS_futex, state, FUTEX_WAIT, seen, &time, NULL, 0);
    }
}

// Asks for a memory file for this slot's next ask.
static int take_room(uint32_t slot, uint64_t size, int64_t deadline, memory_file *room) {
    const service_part parts[2] = {{&size, sizeof size}, {NULL, 0}};
    post(slot, WIRE_ASK_BUFFER, NULL, parts, NULL);
    int error = await(slot, deadline);
    if (error == 0) {
        error = (int)wire_answer_at(worker.down, slot)->status;
    }
    return error != 0 ? error
                      : file_take(WIRE_FILE_ASK, slot, slots[slot].generation, deadline, room);
}

static int collect(uint32_t slot, int64_t deadline, service_answer *answer) {
    const wire_answer *source = wire_answer_at(worker.down, slot);
    *answer = (service_answer){.slot = slot, .status = source->status, .length = source->length};
    answer->bytes =
        source->flags == WIRE_INLINED ? source->bytes : wire_service_block(worker.down, slot);
    if (source->flags != WIRE_IN_FILE) {
        return 0;
    }
    int error = file_take(WIRE_FILE_ANSWER, slot, slots[slot].generation, deadline, &answer->file);
    answer->bytes = answer->file.bytes;
    return error != 0 || answer->file.size >= source->length ? error : EPROTO;
}

int service_ask(uint32_t kind, nocturne_call_t *call, const service_part parts[2], int64_t deadline,
    service_answer *answer) {
    memory_file room = {0, NULL, 0};
    size_t size = parts[0].size + parts[1].size;
    bool is_large = size > WIRE_BLOCK;
    if (parts[1].size > WIRE_PAYLOAD_MAX || size > WIRE_PAYLOAD_MAX) {
        return EMSGSIZE;
    }
    uint32_t slot = take_slot(deadline);
    if (slot == NO_SLOT) {
        return EAGAIN;
    }
    int error = is_large ? take_room(slot, size, deadline, &room) : 0;
    if (error == 0) {
        post(slot, kind, call, parts, is_large ? &room : NULL);
        error = await(slot, deadline);
    }
    if (room.bytes != NULL) {
        munmap(room.bytes, room.size);
    }
    error = error != 0 ? error : collect(slot, deadline, answer);
    if (error != 0) {
        free_slot(slot, true); // it is free as soon as its answer has come
    }
    return error;
}

void answer_release(service_answer *answer) {
    if (answer->file.bytes != NULL) {
        munmap(answer->file.bytes, answer->file.size);
    }
    free_slot(answer->slot, false);
}

// ---- records in the ring

static void put_bytes(uint32_t *at, const void *bytes, size_t size) {
    size_t start = *at % WIRE_RING, first = size < WIRE_RING - start ? size : WIRE_RING - start;
    memcpy(wire_ring(worker.up) + start, bytes, first);
    memcpy(wire_ring(worker.up), (const uint8_t *)bytes + first, size - first);
    *at += (uint32_t)size;
}

bool put_record(uint32_t kind, const service_part parts[2]) {
    wire_up_head *up = worker.up;
    wire_record record = {(uint32_t)(parts[0].size + parts[1].size), kind};
    uint32_t size = ((uint32_t)sizeof record + record.length + 7u) & ~7u;
    pthread_mutex_lock(&records_lock);
    uint32_t start = up->record_tail, at = start;
    bool fits = WIRE_RING - (start - wire_load(&worker.down->record_head)) >= size;
    if (fits) {
        put_bytes(&at, &record, sizeof record);
        put_bytes(&at, parts[0].bytes, parts[0].size);
        put_bytes(&at, parts[1].bytes, parts[1].size);
        wire_store(&up->record_tail, start + size);
        wire_fence();
        if (wire_load(&worker.down->record_head) == start) { // it may think that there is nothing
            ring_host();
        }
    }
    pthread_mutex_unlock(&records_lock);
    return fits;
}

void count_dropped_record(void) {
    wire_add(&worker.up->record_dropped, 1);
}

// Appends `text` and a NUL, cut so that `left` bytes stay free behind.
static void append_text(char *buffer, size_t *used, const char *text, size_t left) {
    size_t room = NOCTURNE_LOG_MAX - *used - left - 1,
           length = strnlen(text != NULL ? text : "", room);
    memcpy(buffer + *used, text != NULL ? text : "", length);
    *used += length;
    buffer[(*used)++] = 0;
}

static void write_log(
    uint32_t level, const char *message, const nocturne_field_t *fields, uint32_t count) {
    char buffer[NOCTURNE_LOG_MAX];
    size_t used = 0;
    append_text(buffer, &used, message, 0);
    for (uint32_t i = 0; fields != NULL && i < count && used + 2 <= NOCTURNE_LOG_MAX; i++) {
        append_text(buffer, &used, fields[i].key, 1);
        append_text(buffer, &used, fields[i].value, 0);
    }
    if (!put_record(WIRE_RECORD_LOG, (service_part[2]){{&level, sizeof level}, {buffer, used}})) {
        count_dropped_record();
    }
}

static int32_t emit(const char *name, const void *payload, uint64_t size) {
    if (!plugin_is_active()) {
        return misuse();
    }
    if (name == NULL || strchr(name, ':') == NULL || (payload == NULL && size != 0)) {
        return -EINVAL;
    }
    size_t length = strnlen(name, EVENT_NAME_MAX) + 1;
    if (length > EVENT_NAME_MAX || size > EVENT_PAYLOAD_MAX) {
        return -EMSGSIZE;
    }
    const service_part parts[2] = {{name, length}, {payload != NULL ? payload : "", size}};
    if (!put_record(WIRE_RECORD_EVENT, parts)) {
        count_dropped_record();
        return -EAGAIN;
    }
    return 0;
}

// ---- configuration

int settings_replace(const void *json, size_t size, char **old, size_t *old_size) {
    char *copy = malloc(size + 1);
    if (copy == NULL) {
        return ENOMEM;
    }
    memcpy(copy, json, size);
    pthread_mutex_lock(&settings_lock);
    *old = settings;
    *old_size = settings_size;
    settings = copy;
    settings_size = size;
    pthread_mutex_unlock(&settings_lock);
    return 0;
}

void settings_keep(bool is_kept, char *old, size_t old_size) {
    pthread_mutex_lock(&settings_lock);
    char *dropped = is_kept ? old : settings;
    if (!is_kept) {
        settings = old;
        settings_size = old_size;
    }
    pthread_mutex_unlock(&settings_lock);
    free(dropped);
}

int64_t copy_value(const void *bytes, size_t size, void *buffer, uint64_t capacity) {
    size_t count = size < capacity ? size : (size_t)capacity;
    if (buffer != NULL && count > 0) {
        memcpy(buffer, bytes, count);
    }
    return (int64_t)size;
}

static int64_t get_setting(const char *key, void *buffer, uint64_t capacity) {
    if (!plugin_is_active()) {
        return misuse();
    }
    pthread_mutex_lock(&settings_lock);
    const char *value = settings;
    size_t size = settings_size;
    bool is_there = key == NULL || json_member(settings, settings_size, key, &value, &size);
    int64_t result = is_there ? copy_value(value, size, buffer, capacity) : -ENOENT;
    pthread_mutex_unlock(&settings_lock);
    return result;
}

// ---- storage

// Asks for `kind` with a key of at least `shortest` bytes. Returns the answer's size, copied as far
// as it fits, or -errno.
static int64_t ask_storage(uint32_t kind, const service_part parts[2], const char *key,
    size_t shortest, void *buffer, uint64_t capacity) {
    service_answer answer;
    if (!plugin_is_active()) {
        return misuse();
    }
    size_t length = key == NULL ? 0 : strnlen(key, NOCTURNE_STORAGE_KEY_MAX + 1);
    if (key == NULL || length < shortest) {
        return -EINVAL;
    }
    if (length > NOCTURNE_STORAGE_KEY_MAX) {
        return -EMSGSIZE;
    }
    int error = service_ask(kind, NULL, parts, service_deadline(0), &answer);
    if (error != 0) {
        return error == EAGAIN ? -ETIMEDOUT : -error;
    }
    int64_t result = answer.status == 0 ? copy_value(answer.bytes, answer.length, buffer, capacity)
        : answer.status < WIRE_ANSWER_TOOL ? -(int64_t)answer.status
                                           : -EIO;
    answer_release(&answer);
    return result;
}

static service_part key_part(const char *key) {
    return (service_part){key, key == NULL ? 0 : strnlen(key, NOCTURNE_STORAGE_KEY_MAX) + 1};
}

static int64_t storage_get(const char *key, void *buffer, uint64_t capacity) {
    return ask_storage(WIRE_ASK_STORAGE_GET, (service_part[2]){key_part(key), {NULL, 0}}, key, 1,
        buffer, capacity);
}

static int32_t storage_set(const char *key, uint32_t kind, const void *bytes, uint64_t size) {
    uint8_t prefix[sizeof kind + NOCTURNE_STORAGE_KEY_MAX + 1];
    service_part name = key_part(key);
    if (kind > NOCTURNE_BYTES || (bytes == NULL && size != 0)) {
        return -EINVAL;
    }
    if (size > NOCTURNE_STORAGE_VALUE_MAX) {
        return -EMSGSIZE;
    }
    memcpy(prefix, &kind, sizeof kind);
    if (name.size > 0) {
        memcpy(prefix + sizeof kind, name.bytes, name.size);
    }
    return (int32_t)ask_storage(WIRE_ASK_STORAGE_SET,
        (service_part[2]){{prefix, sizeof kind + name.size}, {bytes, size}}, key, 1, NULL, 0);
}

static int32_t storage_remove(const char *key) {
    return (int32_t)ask_storage(
        WIRE_ASK_STORAGE_REMOVE, (service_part[2]){key_part(key), {NULL, 0}}, key, 1, NULL, 0);
}

static int64_t storage_keys(const char *prefix, void *buffer, uint64_t capacity) {
    return ask_storage(WIRE_ASK_STORAGE_KEYS, (service_part[2]){key_part(prefix), {NULL, 0}},
        prefix, 0, buffer, capacity);
}

// ---- tools of other plugins

static int32_t call_tool(nocturne_call_t *parent, const char *tool, const void *input,
    uint64_t size, nocturne_answer_t receive, void *context) {
    int64_t deadline;
    service_answer answer;
    if (!plugin_is_active() || !call_is_open(parent, &deadline)) {
        return misuse();
    }
    if (tool == NULL || tool[0] == 0 || receive == NULL || (input == NULL && size != 0)) {
        return -EINVAL;
    }
    deadline = deadline != 0 ? deadline : service_deadline(0);
    const service_part parts[2] = {{tool, strlen(tool) + 1}, {input, size}};
    int error = service_ask(WIRE_ASK_CALL_TOOL, parent, parts, deadline, &answer);
    if (error != 0) {
        return -error;
    }
    if (answer.status != 0 && answer.status < WIRE_ANSWER_TOOL) {
        error = (int)answer.status;
    } else {
        uint32_t status = answer.status == 0 ? NOCTURNE_OK : answer.status - WIRE_ANSWER_TOOL;
        receive(context, status, answer.bytes, answer.length);
        error = status == NOCTURNE_OK ? 0 : EIO;
    }
    answer_release(&answer);
    return -error;
}

const void *host_extension(const char *id) {
    static const nocturne_host_log_t log = {sizeof log, 0, write_log};
    static const nocturne_host_configuration_t configuration = {
        sizeof configuration, 0, get_setting};
    static const nocturne_host_storage_t storage = {
        sizeof storage, 0, storage_get, storage_set, storage_remove, storage_keys};
    static const nocturne_host_events_t events = {sizeof events, 0, emit};
    static const nocturne_host_calls_t tools = {sizeof tools, 0, call_tool};
    static const struct {
        const char *id;
        const void *table;
    } known[] = {{NOCTURNE_HOST_LOG, &log}, {NOCTURNE_HOST_CONFIGURATION, &configuration},
        {NOCTURNE_HOST_STORAGE, &storage}, {NOCTURNE_HOST_EVENTS, &events},
        {NOCTURNE_HOST_CALLS, &tools}, {NOCTURNE_HOST_CONTRIBUTIONS, &host_contributions},
        {NOCTURNE_HOST_TASKS, &host_tasks}, {NOCTURNE_HOST_METRICS, &host_metrics},
        {NOCTURNE_HOST_AGENTS, &host_agents}};
    for (size_t i = 0; id != NULL && i < sizeof known / sizeof *known; i++) {
        if (strcmp(id, known[i].id) == 0) {
            return known[i].table;
        }
    }
    return NULL;
}
