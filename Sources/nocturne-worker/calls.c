// calls.c — the call threads: take a request, run its handler or hook, publish the reply.
//
// A handle is not a pointer but slot and generation, so that one kept too long is noticed and never
// reaches a newer call. A thread without work watches the queue only while callers come back soon, as
// the host measures it; else it sleeps on the doorbell. `pollers` and `sleepers` are told to
// the host before the last look at the queue (Dekker's pattern), so that either the host sees them
// or the thread sees the request.
#include "worker.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>

#define CALL_STACK (1u << 20) // bytes
#define SHORT_GAP_NS 20000    // callers that come back sooner are watched for: about two wake-ups by pipe
#define WATCH_NS 100000       // at most; holds the wake-up of a caller on another CPU, 59 to 72 µs
#define PAUSES_UNTIMED 64     // before the clock is read for the first time
#define PAUSES_TIMED 32       // between two readings
#define STATE_SCHEMA_SIZE 4u  // WIRE_CALL_SAVE: the number before the state

// A call in progress. Written by the thread that took it, read by whoever completes it.
struct call {
    uint64_t state; // generation << 1 | whether it is open
    int64_t deadline;
    memory_file input; // mapped for this call
    memory_file room;  // for its reply: asked for by `reserve` or `complete`
    task_call task;    // number 0: it is no task's and no agent's
};
static struct call calls[WIRE_CALL_SLOTS];
static uint32_t queue_head; // count of numbers ever taken out of the queue
static bool is_active;
static bool is_passed_on; // a byte of `pass_on` is on its way; one is enough, its reader passes on
                          // what is left
static _Thread_local bool is_control;

// ---- handles

static nocturne_call_t *handle_of(uint32_t slot, uint32_t generation) {
    return (nocturne_call_t *)(uintptr_t)((uint64_t)generation * WIRE_CALL_SLOTS + slot);
}

void call_parts(nocturne_call_t *handle, uint32_t *slot, uint32_t *generation) {
    uint64_t number = (uint64_t)(uintptr_t)handle;
    *slot = (uint32_t)(number % WIRE_CALL_SLOTS);
    *generation = (uint32_t)(number / WIRE_CALL_SLOTS);
}

// The open call of `handle`, or NULL: it was completed, or never was.
static struct call *open_call(nocturne_call_t *handle, uint32_t *slot, uint32_t *generation) {
    call_parts(handle, slot, generation);
    uint64_t open = (uint64_t)*generation << 1 | 1;
    return __atomic_load_n(&calls[*slot].state, __ATOMIC_ACQUIRE) == open ? &calls[*slot] : NULL;
}

bool call_is_open(nocturne_call_t *handle, int64_t *deadline) {
    uint32_t slot, generation;
    struct call *call = open_call(handle, &slot, &generation);
    *deadline = call != NULL ? call->deadline : 0;
    return call != NULL;
}

const task_call *call_task(nocturne_call_t *handle) {
    uint32_t slot, generation;
    struct call *call = open_call(handle, &slot, &generation);
    return call != NULL && call->task.number != 0 ? &call->task : NULL;
}

bool plugin_is_active(void) {
    return __atomic_load_n(&is_active, __ATOMIC_ACQUIRE);
}

int32_t misuse(void) {
    wire_add(&worker.up->misuses, 1);
    return -EPERM;
}

bool is_control_thread(void) {
    return is_control;
}

// ---- replies

// Gets memory of the host's for a reply. ETIMEDOUT, EAGAIN, or what the host says.
static int take_room(uint32_t slot, uint32_t generation, uint64_t size, memory_file *room) {
    const service_part parts[2] = {{&size, sizeof size}, {NULL, 0}};
    int64_t deadline = service_deadline(calls[slot].deadline);
    service_answer answer;
    int error = service_ask(WIRE_ASK_BUFFER, handle_of(slot, generation), parts, deadline, &answer);
    if (error == 0) {
        error = (int)answer.status;
        answer_release(&answer);
    }
    return error != 0 ? error : file_take(WIRE_FILE_REPLY, slot, generation, deadline, room);
}

static void unmap(memory_file *file) {
    if (file->bytes != NULL) {
        munmap(file->bytes, file->size);
        file->bytes = NULL;
    }
}

static void publish(
    uint32_t slot, uint32_t generation, uint32_t status, uint32_t flags, size_t size) {
    wire_reply *reply = wire_reply_at(worker.up, slot);
    unmap(&calls[slot].input);
    unmap(&calls[slot].room);
    reply->status = status;
    reply->flags = (uint16_t)flags;
    reply->length = (uint32_t)size;
    wire_store(&reply->state, generation); // from here on the slot is the host's
    wire_fence();
    if (wire_load(&worker.down->waiting) != 0) {
        ring_host();
    }
}

// Replies to a call that is closed to everybody else by now. Where no memory is to be had, the
// reply is an error.
static void finish(
    uint32_t slot, uint32_t generation, uint32_t status, const void *bytes, size_t size) {
    struct call *call = &calls[slot];
    void *inlined = wire_reply_at(worker.up, slot)->bytes,
         *block = wire_call_block(worker.up, slot);
    uint32_t flags = size <= WIRE_INLINE ? WIRE_INLINED
        : size <= WIRE_BLOCK             ? WIRE_IN_BLOCK
                                         : WIRE_IN_FILE;
    if (bytes != NULL && (bytes == block || bytes == call->room.bytes)) { // from `reserve`
        flags = bytes == block ? WIRE_IN_BLOCK : WIRE_IN_FILE;
    }
    if (flags == WIRE_IN_FILE && call->room.size < size) {
        memory_file room = {0, NULL, 0};
        int error = take_room(slot, generation, size, &room);
        if (error != 0) {
            char text[WIRE_TEXT];
            format_text(
                text, "no memory for a result of %zu bytes: %s", size, strerrordesc_np(error));
            size = strlen(text);
            memcpy(block, text, size);
            publish(slot, generation, NOCTURNE_RETRY, WIRE_IN_BLOCK, size);
            return;
        }
        unmap(&call->room);
        call->room = room;
    }
    void *target = flags == WIRE_INLINED ? inlined
        : flags == WIRE_IN_BLOCK         ? block
                                         : call->room.bytes;
    if (size > 0 && bytes != target) {
        memmove(target, bytes, size);
    }
    publish(slot, generation, status, flags, size);
}

static void finish_text(uint32_t slot, uint32_t generation, uint32_t status, const char *text) {
    finish(slot, generation, status, text, strlen(text));
}

int32_t call_complete(
    nocturne_call_t *handle, uint32_t status, const void *bytes, uint64_t size) {
    uint32_t slot, generation;
    struct call *call = open_call(handle, &slot, &generation);
    if (call == NULL) {
        return -EALREADY;
    }
    uint64_t open = (uint64_t)generation << 1 | 1;
    if (!__atomic_compare_exchange_n(
            &call->state, &open, open - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        return -EALREADY;
    }
    finish(slot, generation, status, bytes, size);
    return 0;
}

size_t text_length(const char *text, size_t size, size_t limit) {
    if (size <= limit) {
        return size;
    }
    while (limit > 0 && ((uint8_t)text[limit] & 0xc0) == 0x80) {
        limit--;
    }
    return limit;
}

// The functions of nocturne_host_t; plugin.h has their contracts.
static int32_t complete(
    nocturne_call_t *call, uint32_t status, const void *bytes, uint64_t size) {
    int64_t deadline;
    if (!plugin_is_active()) {
        return misuse();
    }
    if (!call_is_open(call, &deadline)) {
        return -EALREADY;
    }
    if (status > NOCTURNE_CANCELLED || (bytes == NULL && size != 0)) {
        return -EINVAL;
    }
    if (status != NOCTURNE_OK) {
        size = text_length(bytes, size, NOCTURNE_MESSAGE_MAX);
    }
    return size > NOCTURNE_PAYLOAD_MAX ? -EMSGSIZE : call_complete(call, status, bytes, size);
}

static void *reserve(nocturne_call_t *handle, uint64_t size) {
    uint32_t slot, generation;
    struct call *call = open_call(handle, &slot, &generation);
    if (!plugin_is_active() || call == NULL) {
        misuse();
        return NULL;
    }
    if (size <= WIRE_BLOCK) {
        return wire_call_block(worker.up, slot);
    }
    if (size > NOCTURNE_PAYLOAD_MAX) {
        return NULL;
    }
    if (call->room.size < size) {
        memory_file room = {0, NULL, 0};
        if (take_room(slot, generation, size, &room) != 0) {
            return NULL;
        }
        unmap(&call->room);
        call->room = room;
    }
    return call->room.bytes;
}

static uint32_t is_cancelled(nocturne_call_t *handle) {
    uint32_t slot, generation;
    struct call *call = open_call(handle, &slot, &generation);
    if (!plugin_is_active()) {
        misuse();
        return 1;
    }
    return call == NULL || wire_bit(&worker.down->cancelled, slot)
        || (call->deadline != 0 && now_ns() >= call->deadline);
}

static int64_t remaining(nocturne_call_t *handle) {
    int64_t deadline;
    if (!plugin_is_active()) {
        misuse();
        return 0;
    }
    if (!call_is_open(handle, &deadline)) {
        return 0;
    }
    int64_t left = deadline - now_ns();
    return deadline == 0 ? INT64_MAX : left > 0 ? left : 0;
}

const nocturne_host_t host = {
    NOCTURNE_ABI, sizeof host, host_extension, complete, reserve, is_cancelled, remaining};

// ---- hooks

// Replies with how a hook ended: well if `is_well`, else with the plugin's reason or, without one,
// its result.
static void finish_hook(uint32_t slot, uint32_t generation, const char *hook, bool is_well,
    int64_t result, nocturne_error_t *error) {
    char text[WIRE_TEXT];
    error->message[sizeof error->message - 1] = 0;
    if (is_well) {
        finish(slot, generation, NOCTURNE_OK, NULL, 0);
        return;
    }
    if (error->message[0] == 0) {
        format_text(text, "%s returned %lld and gave no reason", hook, (long long)result);
    } else if (error->code != 0) {
        format_text(text, "%.480s (code %u)", error->message, error->code);
    } else {
        format_text(text, "%s", error->message);
    }
    finish_text(slot, generation, error->retryable == 1 ? NOCTURNE_RETRY : NOCTURNE_FAILED, text);
}

static void activate(uint32_t slot, uint32_t generation, const void *bytes, size_t size) {
    nocturne_error_t error = {.struct_size = sizeof error};
    char text[WIRE_TEXT], *old = NULL;
    size_t old_size;
    if (settings_replace(bytes, size, &old, &old_size) != 0) {
        finish_text(slot, generation, NOCTURNE_RETRY, "no memory for the settings");
        return;
    }
    __atomic_store_n(&is_active, true, __ATOMIC_SEQ_CST);
    int32_t result = tables.plugin->activate == NULL ? 0 : tables.plugin->activate(&error);
    if (result != 0) {
        __atomic_store_n(&is_active, false, __ATOMIC_SEQ_CST);
    } else if (!contributions_complete(text)) {
        __atomic_store_n(&is_active, false, __ATOMIC_SEQ_CST);
        finish_text(slot, generation, WIRE_STATUS_CONTRACT, text);
        return;
    }
    finish_hook(slot, generation, "activate", result == 0, result, &error);
}

static void save(uint32_t slot, uint32_t generation) {
    nocturne_error_t error = {.struct_size = sizeof error};
    const uint64_t capacity = WIRE_PAYLOAD_MAX - STATE_SCHEMA_SIZE;
    uint32_t schema = 0;
    uint8_t *buffer = mmap(NULL, WIRE_PAYLOAD_MAX, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (buffer == MAP_FAILED) {
        finish_text(slot, generation, NOCTURNE_RETRY,
            "no memory for the buffer of `save`: raise limits.memory");
        return;
    }
    int64_t size = tables.state->save(&schema, buffer + STATE_SCHEMA_SIZE, capacity, &error);
    if (size > (int64_t)capacity) {
        finish_text(slot, generation, WIRE_STATUS_CONTRACT, "`save` returned more than `capacity`");
    } else if (size < 0) {
        finish_hook(slot, generation, "save", false, size, &error);
    } else {
        memcpy(buffer, &schema, STATE_SCHEMA_SIZE);
        finish(slot, generation, NOCTURNE_OK, buffer, STATE_SCHEMA_SIZE + (size_t)size);
    }
    munmap(buffer, WIRE_PAYLOAD_MAX);
}

static void change_settings(uint32_t slot, uint32_t generation, const void *bytes, size_t size) {
    nocturne_error_t error = {.struct_size = sizeof error};
    char *old;
    size_t old_size;
    if (settings_replace(bytes, size, &old, &old_size) != 0) {
        finish_text(slot, generation, NOCTURNE_RETRY, "no memory for the settings");
        return;
    }
    int32_t result = tables.settings->changed(bytes, size, &error);
    settings_keep(result >= 0, old, old_size);
    finish_hook(slot, generation, "changed", result >= 0, result, &error);
}

static void run_hook(
    uint32_t kind, uint32_t slot, uint32_t generation, const void *bytes, size_t size) {
    nocturne_error_t error = {.struct_size = sizeof error};
    const nocturne_plugin_t *plugin = tables.plugin;
    int32_t result = 0;
    uint32_t schema;
    if (kind == WIRE_CALL_ACTIVATE) {
        activate(slot, generation, bytes, size);
    } else if (kind == WIRE_CALL_DEACTIVATE) {
        result = plugin->deactivate == NULL ? 0 : plugin->deactivate(&error);
        __atomic_store_n(&is_active, false, __ATOMIC_SEQ_CST);
        finish_hook(slot, generation, "deactivate", result == 0, result, &error);
    } else if (kind == WIRE_CALL_HEALTH && tables.health != NULL) {
        result = tables.health->check(&error);
        finish_hook(slot, generation, "check", result == 0, result, &error);
    } else if (kind == WIRE_CALL_SAVE && tables.state != NULL) {
        save(slot, generation);
    } else if (kind == WIRE_CALL_RESTORE && tables.state != NULL && size >= STATE_SCHEMA_SIZE) {
        memcpy(&schema, bytes, STATE_SCHEMA_SIZE);
        result = tables.state->restore(
            schema, (const uint8_t *)bytes + STATE_SCHEMA_SIZE, size - STATE_SCHEMA_SIZE, &error);
        finish_hook(slot, generation, "restore", result == 0, result, &error);
    } else if (kind == WIRE_CALL_SETTINGS && tables.settings != NULL) {
        change_settings(slot, generation, bytes, size);
    } else {
        finish(slot, generation, WIRE_STATUS_NO_HOOK, NULL, 0);
    }
}

// ---- threads

// Where the request's payload is. NULL if its memory file did not come in time.
static const void *find_input(const wire_request *request, uint32_t slot, struct call *call) {
    if (request->flags == WIRE_INLINED) {
        return request->bytes;
    }
    if (request->flags == WIRE_IN_BLOCK) {
        return wire_call_block(worker.down, slot);
    }
    int64_t deadline = service_deadline(request->deadline);
    return file_take(WIRE_FILE_REQUEST, slot, request->generation, deadline, &call->input) == 0
            && call->input.size >= request->length
        ? call->input.bytes
        : NULL;
}

static void serve(uint32_t slot) {
    const wire_request *request = wire_request_at(worker.down, slot);
    struct call *call = &calls[slot];
    uint32_t generation = request->generation, kind = request->kind;
    call->deadline = request->deadline;
    call->room.size = 0;
    const void *bytes = find_input(request, slot, call);
    if (bytes == NULL) {
        finish_text(slot, generation, NOCTURNE_RETRY, "the call's input did not arrive in time");
        return;
    }
    if (kind >= WIRE_CALL_ACTIVATE) {
        run_hook(kind, slot, generation, bytes, request->length);
        return;
    }
    size_t length = request->length;
    call->task.number = 0;
    if ((kind == WIRE_CALL_TASK || kind == WIRE_CALL_AGENT)
        && !task_unpack(&bytes, &length, &call->task)) {
        finish_text(slot, generation, NOCTURNE_FAILED, "the call's head is malformed");
        return;
    }
    call->task.is_agent = kind == WIRE_CALL_AGENT;
    void *context = NULL;
    nocturne_handler_t handler = contributions_find(kind, request->target, &context);
    if (handler == NULL || !plugin_is_active()) {
        finish(slot, generation, WIRE_STATUS_NO_HANDLER, NULL, 0);
        return;
    }
    __atomic_store_n(&call->state, (uint64_t)generation << 1 | 1, __ATOMIC_RELEASE);
    handler(handle_of(slot, generation), bytes, length, context);
}

static bool queue_is_empty(void) {
    return wire_load(&worker.down->tail) == __atomic_load_n(&queue_head, __ATOMIC_RELAXED);
}

// An entry is not overwritten before its request is answered, so it may be read before it is
// claimed.
static bool take_request(uint32_t *slot) {
    for (;;) {
        uint32_t head = wire_load(&queue_head);
        if (wire_load(&worker.down->tail) == head) {
            return false;
        }
        *slot = worker.down->queue[head % WIRE_CALL_SLOTS] % WIRE_CALL_SLOTS;
        if (wire_claim(&queue_head, head, head + 1)) {
            return true;
        }
    }
}

static bool watch_queue(void) {
    for (int i = 0; i < PAUSES_UNTIMED; i++) {
        if (!queue_is_empty()) {
            return true;
        }
        wire_pause();
    }
    int64_t until = now_ns() + WATCH_NS;
    do {
        for (int i = 0; i < PAUSES_TIMED; i++) {
            if (!queue_is_empty()) {
                return true;
            }
            wire_pause();
        }
        sched_yield(); // the host may wait for this very CPU
    } while (now_ns() < until);
    return false;
}

static void sleep_on_doorbell(void) {
    struct pollfd ready = {WIRE_FD_DOORBELL, POLLIN, 0};
    uint8_t byte;
    ssize_t count = 0;
    wire_add(&worker.up->sleepers, 1);
    wire_fence();
    if (queue_is_empty()) {
        while ((count = read(WIRE_FD_DOORBELL, &byte, 1)) < 0) {
            if (errno == EAGAIN) { // the plugin made it non-blocking
                poll(&ready, 1, -1);
            } else if (errno != EINTR) {
                _exit(EXIT_UNUSABLE); // the plugin has closed it
            }
        }
        if (count == 0) {
            _exit(0); // the host has
        }
    }
    wire_add(
        &worker.up->sleepers, UINT32_MAX); // first, or the host counts a sleeper without a byte
    wire_add(&worker.up->wakes, (uint32_t)count);
    if (count > 0) {
        __atomic_store_n(&is_passed_on, false, __ATOMIC_SEQ_CST);
    }
    wire_fence();
}

// What the host left lying because a thread watched, or was on its way, another one may have to
// fetch.
static void pass_on(void) {
    if (!queue_is_empty() && wire_load(&worker.up->sleepers) != 0
        && wire_load(&worker.up->pollers) == 0
        && !__atomic_exchange_n(&is_passed_on, true, __ATOMIC_SEQ_CST)) {
        wire_add(&worker.up->wakes, UINT32_MAX); // the host must not take this byte for its own
        if (write(WIRE_FD_DOORBELL_SELF, "", 1) != 1) {
            wire_add(&worker.up->wakes, 1);
        }
    }
}

static void stop_watching(bool *is_watcher) {
    if (*is_watcher) {
        *is_watcher = false;
        wire_store_fence(&worker.up->pollers, 0);
    }
}

static void wait_for_work(bool *is_watcher) {
    if (profile.has_many_cpus && wire_gap(worker.down) < SHORT_GAP_NS) {
        *is_watcher = *is_watcher || wire_claim(&worker.up->pollers, 0, 1);
        if (*is_watcher && watch_queue()) {
            return;
        }
    }
    stop_watching(is_watcher);
    sleep_on_doorbell();
}

static void *run_call_thread(void *unused) {
    bool is_watcher = false;
    bool is_alone = worker.spawn.concurrency == 1; // then it stays the watcher through its calls
    uint32_t slot;
    (void)unused;
    for (;;) {
        if (!take_request(&slot)) {
            wait_for_work(&is_watcher);
            continue;
        }
        if (!is_alone) {
            stop_watching(&is_watcher);
            pass_on();
        }
        serve(slot);
    }
    return NULL;
}

int calls_start(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    files_start();
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return error;
    }
    pthread_attr_setstacksize(&attributes, CALL_STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (uint32_t i = 0; error == 0 && i < worker.spawn.concurrency; i++) {
        error = pthread_create(&thread, &attributes, run_call_thread, NULL);
    }
    pthread_attr_destroy(&attributes);
    return error;
}

void call_cancel(uint32_t slot, uint32_t generation) {
    nocturne_call_t *handle = handle_of(slot % WIRE_CALL_SLOTS, generation);
    int64_t deadline;
    if (tables.cancel != NULL && plugin_is_active() && call_is_open(handle, &deadline)) {
        tables.cancel->cancel(handle);
    }
}

void control_run(void) {
    is_control = true;
    for (;;) {
        int error = control_step(INT64_MAX);
        if (error != 0) {
            dprintf(
                STDERR_FILENO, "nocturne-worker: a control message was ignored: error %d\n", error);
        }
    }
}
