// CWire.h — the shared memory between the host and one worker, and the messages of their control socket. Compiled by
// both sides. The host believes nothing that the worker can write: it reads only the reply slots of calls that it has
// pending and the service slots, copies before it checks, and takes no index from here unmasked.
//
// Two memory files per worker:
//   down  written by the host, sealed F_SEAL_FUTURE_WRITE after the host has mapped it: the worker maps it read-only
//   up    written by the worker
//
// A call. The host picks a free call slot, writes `wire_request` into down and its payload beside it, appends the slot
// number to down's queue, stores the new tail, and rings the worker's doorbell if a thread of it sleeps. A call thread
// takes the next number of the queue, runs the handler, writes `wire_reply` into the same slot of up and stores the
// request's generation into `wire_reply.state` last. It rings the host's doorbell if the host waits. The queue is as
// long as there are slots, so it cannot overflow, and the reply's place is reserved.
// A service. The same the other way round, with service slots: the worker asks (storage, a tool of another plugin, a
// large reply buffer), the host answers in down and wakes the asking thread by FUTEX_WAKE on `wire_answer.state`.
// A record. Log records and events go one way, through a byte ring in up; what does not fit is dropped and counted.
// A doorbell is one byte in a pipe: a pipe wakes its reader on the writer's CPU, futex and eventfd on another one.
//
// Payloads: up to WIRE_INLINE bytes in the slot, up to WIRE_BLOCK in the slot's block of the arena, up to
// WIRE_PAYLOAD_MAX in a memory file of their own, which the host makes, seals and sends over the control socket.
#ifndef NOCTURNE_WIRE_H
#define NOCTURNE_WIRE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "CWireMetrics.h"

#define WIRE_VERSION 1u
#define WIRE_CALL_SLOTS 64u      // calls in flight in one worker; also the length of the queue
#define WIRE_SERVICE_SLOTS 16u   // services that a worker may have asked for at once
#define WIRE_INLINE 40u          // bytes of payload inside a slot
#define WIRE_BLOCK 65536u        // bytes of payload in a slot's block of the arena
#define WIRE_PAYLOAD_MAX (16u << 20) // bytes, NOCTURNE_PAYLOAD_MAX of the SDK
#define WIRE_RING 65536u         // bytes of the record ring, a power of two
#define WIRE_RECORD_MAX 8192u    // bytes of one record with its header
#define WIRE_PAGE 4096u

// What the host wants of a request (wire_request.kind).
#define WIRE_CALL_TOOL 1u      // target: index among the declared contributions of the spawn message
#define WIRE_CALL_COMMAND 2u   // target: the same
#define WIRE_CALL_LISTENER 3u  // target: the same; payload: the event
#define WIRE_CALL_TASK 4u      // target: the same; payload: wire_task, what the task is (JSON), its input
#define WIRE_CALL_EXPORTER 5u  // target: the same; payload: metrics (JSON); reply: bytes
#define WIRE_CALL_STRATEGY 6u  // target: the same; payload and reply: JSON
#define WIRE_CALL_AGENT 7u     // target: the same; payload: wire_task, JSON; reply: JSON
#define WIRE_CALL_ACTIVATE 8u  // from here on hooks; payload: the settings (JSON)
#define WIRE_CALL_DEACTIVATE 9u
#define WIRE_CALL_HEALTH 10u
#define WIRE_CALL_SAVE 11u     // reply: 4 bytes of schema number, then the state
#define WIRE_CALL_RESTORE 12u  // payload: the same
#define WIRE_CALL_SETTINGS 13u // payload: the new settings (JSON)

// How a request ended (wire_reply.status): the SDK's NOCTURNE_OK … NOCTURNE_CANCELLED, and of the worker itself:
#define WIRE_STATUS_NO_HANDLER 16u // declared, but not registered at the moment
#define WIRE_STATUS_NO_HOOK 17u    // the plugin has no such hook (state, settings): the host's default applies
#define WIRE_STATUS_CONTRACT 18u   // the plugin broke the contract; the text says how
// Of tasks only. A wait is a u64 of milliseconds.
#define WIRE_STATUS_PAUSED 19u      // nothing
#define WIRE_STATUS_RETRY_AFTER 20u // the wait, then a message
#define WIRE_STATUS_SNOOZED 21u     // the wait

// What a worker asks of the host (wire_ask.kind). Payloads: integers little-endian, keys ending in NUL.
#define WIRE_ASK_STORAGE_GET 1u    // key NUL → value
#define WIRE_ASK_STORAGE_SET 2u    // u32 kind, key NUL, value → nothing
#define WIRE_ASK_STORAGE_REMOVE 3u // key NUL → nothing
#define WIRE_ASK_STORAGE_KEYS 4u   // prefix NUL → JSON array
#define WIRE_ASK_CALL_TOOL 5u      // name NUL, JSON → JSON; `call` names the parent call
#define WIRE_ASK_BUFFER 6u         // u64 size: a memory file for the reply of `call`, sent over the control socket;
                                   // without a call: for the payload of the next ask in this service slot
#define WIRE_ASK_CHECKPOINT 7u     // u64 number of the task's call, JSON → nothing
#define WIRE_ASK_METRIC 8u         // u32 kind, u32 count of labels, name NUL, help NUL, unit NUL, key NUL, value NUL …
                                   // → u32 number of the series; before the first answer comes WIRE_FILE_METRICS
#define WIRE_ASK_METRICS_READ 9u   // name NUL, empty: all → JSON
// Answers (wire_answer.status): 0, or a positive errno, or for CALL_TOOL 1000 + a status of the SDK, payload the text.
#define WIRE_ANSWER_TOOL 1000u

// Kinds of records in the ring.
#define WIRE_RECORD_LOG 1u     // u32 level, message NUL, then key NUL value NUL …
#define WIRE_RECORD_EVENT 2u   // name NUL, JSON
#define WIRE_RECORD_PROGRESS 3u // wire_progress, message
#define WIRE_RECORD_TASK_LOG 4u // u64 number of the task's call, line
#define WIRE_RECORD_AGENT_LINE 5u // u64 number of the agent's call, JSON

// wire_request.flags, wire_reply.flags, wire_ask.flags, wire_answer.flags: where the payload is.
#define WIRE_INLINED 0u
#define WIRE_IN_BLOCK 1u
#define WIRE_IN_FILE 2u // the memory file sent for this slot and generation

typedef struct wire_request {
    uint32_t generation; // of this use of the slot; never 0
    uint16_t kind, flags;
    uint32_t target, length;
    int64_t deadline; // CLOCK_MONOTONIC ns, 0: none. The host's own clock decides; this one is for the plugin to ask
    uint8_t bytes[WIRE_INLINE];
} wire_request;

// Before the payload of a call of a task or an agent. Its number names the call in records and asks, also when its
// slot is used again: what was said before the end comes in after it.
typedef struct wire_task {
    uint64_t number; // never 0
    uint32_t info_length, reserved;
} wire_task;

typedef struct wire_progress {
    uint64_t number;
    double percent;
} wire_progress;

typedef struct wire_reply {
    uint32_t state; // the request's generation, stored last, with release
    uint32_t status, length;
    uint16_t flags, reserved;
    uint64_t reserved2;
    uint8_t bytes[WIRE_INLINE];
} wire_reply;

typedef struct wire_ask {
    uint32_t state; // generation of this use of the slot, stored last, with release
    uint16_t kind, flags;
    uint32_t length;
    uint32_t call_slot, call_generation; // on whose behalf; WIRE_NO_CALL: none
    uint32_t reserved;
    uint8_t bytes[WIRE_INLINE];
} wire_ask;
#define WIRE_NO_CALL 0xffffffffu

typedef struct wire_answer {
    uint32_t state; // the ask's generation, stored last, with release, then FUTEX_WAKE (shared)
    uint32_t status, length;
    uint16_t flags, reserved;
    uint64_t reserved2;
    uint8_t bytes[WIRE_INLINE];
} wire_answer;

// Page 0 of each file. The words that are polled stand on cache lines of their own.
typedef struct wire_down_head {
    uint32_t version, reserved[15];
    uint32_t tail;      // count of numbers ever put into the queue
    uint32_t waiting;   // not 0: a caller sleeps, so a reply must ring the host's doorbell
    uint32_t record_head; // bytes of the record ring that the host has taken
    uint32_t reserved2;
    int64_t gap; // ns between the return of a call and the latest request: how close calls come, wake-ups not counted
    uint32_t reserved4[10];
    uint64_t cancelled; // bit i: nobody waits for call slot i any more
    uint64_t pausing;   // bit i: the task in call slot i is to pause
    uint64_t reserved3[6];
    uint8_t queue[WIRE_CALL_SLOTS];
    wire_answer answers[WIRE_SERVICE_SLOTS];
} wire_down_head;

typedef struct wire_up_head {
    uint32_t version, reserved[15];
    uint32_t sleepers; // call threads that sleep on the doorbell: a hint, a wrong one hurts the worker only
    uint32_t wakes;    // bytes read from the doorbell less those the worker put in itself: a hint, as above
    uint32_t pollers;  // call threads that watch the queue: a hint
    uint32_t reserved2[13];
    uint32_t record_tail;    // bytes ever put into the record ring
    uint32_t record_dropped; // records that did not fit
    uint32_t misuses;        // host functions called on a wrong thread or in a wrong state
    uint32_t asked;          // count of asks ever posted: whether to look at them, one word for all
    uint32_t reserved3[12];
    wire_ask asks[WIRE_SERVICE_SLOTS];
} wire_up_head;

_Static_assert(sizeof(wire_request) == 64 && sizeof(wire_reply) == 64, "slots are one cache line");
_Static_assert(sizeof(wire_ask) == 64 && sizeof(wire_answer) == 64, "slots are one cache line");
_Static_assert(sizeof(wire_down_head) <= WIRE_PAGE && sizeof(wire_up_head) <= WIRE_PAGE, "one page");
_Static_assert(offsetof(wire_down_head, queue) == 192 && offsetof(wire_up_head, asks) == 192, "layout");

// Offsets in both files.
#define WIRE_SLOTS_AT WIRE_PAGE // requests in down, replies in up: one page
#define WIRE_NAMES_AT WIRE_SLOTS_AT // until the first request, and on into the blocks: no page of their own
#define WIRE_CALL_BLOCKS_AT (2u * WIRE_PAGE)
#define WIRE_SERVICE_BLOCKS_AT (WIRE_CALL_BLOCKS_AT + WIRE_CALL_SLOTS * WIRE_BLOCK)
#define WIRE_RING_AT (WIRE_SERVICE_BLOCKS_AT + WIRE_SERVICE_SLOTS * WIRE_BLOCK) // up only
#define WIRE_DOWN_SIZE WIRE_RING_AT
#define WIRE_UP_SIZE (WIRE_RING_AT + WIRE_RING)

// The sizes once more, for Swift, which imports no macro that is an expression of others.
static inline uint64_t wire_down_size(void) {
    return WIRE_DOWN_SIZE;
}
static inline uint64_t wire_up_size(void) {
    return WIRE_UP_SIZE;
}

// A record of the ring: this header, `length` bytes, padding to 8. Records wrap around the end byte by byte.
typedef struct wire_record {
    uint32_t length; // without header and padding
    uint32_t kind;
} wire_record;

// ---------------------------------------------------------------------------------------- the control messages
// SOCK_SEQPACKET, one struct a message. Host → zygote: wire_spawn with WIRE_FILES descriptors. Zygote → host:
// wire_forked with the worker's pidfd, wire_exited. Host ↔ worker, on the worker's own socket: the rest.

#define WIRE_MAGIC 0x4e4f4354u // "NOCT"
#define WIRE_MESSAGE_SPAWN 1u
#define WIRE_MESSAGE_FORKED 2u
#define WIRE_MESSAGE_EXITED 3u
#define WIRE_MESSAGE_HELLO 4u   // worker → host: the sandbox holds; what it consists of
#define WIRE_MESSAGE_LOADED 5u  // worker → host: dlopen, entry and extensions are done
#define WIRE_MESSAGE_FAILED 6u  // worker → host: it will never serve; text why; the worker exits
#define WIRE_MESSAGE_CANCEL 7u  // host → worker: run the plugin's `cancel` for this call
#define WIRE_MESSAGE_FILE 8u    // host → worker, one descriptor: a memory file, for what says `is_reply`
#define WIRE_MESSAGE_READY 9u   // zygote → host: started, with the layers that the kernel offers

// The descriptors of a spawn message, in this order: stdout, stderr, control, the worker's doorbell (read end), the
// same (write end: call threads wake each other), the host's doorbell (write end), down, up. In the worker they become
// 1 … 8 in the same order, after /dev/null as 0; 7 and 8 are closed once mapped, so a worker holds exactly 0 … 6.
#define WIRE_FILES 8u
#define WIRE_FD_CONTROL 3
#define WIRE_FD_DOORBELL 4
#define WIRE_FD_DOORBELL_SELF 5
#define WIRE_FD_HOST_DOORBELL 6
#define WIRE_FD_DOWN 7
#define WIRE_FD_UP 8

// Stages of a failure (wire_failed.stage).
#define WIRE_STAGE_SANDBOX 1u  // a mandatory layer could not be applied
#define WIRE_STAGE_SELFTEST 2u // the sandbox let something through
#define WIRE_STAGE_LOAD 3u     // dlopen
#define WIRE_STAGE_ENTRY 4u    // nocturne_plugin_entry returned NULL, or a wrong table
#define WIRE_STAGE_CONTRACT 5u // an extension's table is broken, handlers are missing
#define WIRE_STAGE_SEAL 6u     // stage 2 could not be put on all threads

// Bits of the sandbox's layers, as really applied (wire_hello.layers) or offered (wire_ready.layers).
#define WIRE_LAYER_NO_NEW_PRIVS (1u << 0)
#define WIRE_LAYER_SESSION (1u << 1)
#define WIRE_LAYER_DESCRIPTORS (1u << 2)
#define WIRE_LAYER_UID (1u << 3)          // an unprivileged uid of its own (root host)
#define WIRE_LAYER_NON_ROOT (1u << 4)
#define WIRE_LAYER_CAPABILITIES (1u << 5)
#define WIRE_LAYER_LIMITS (1u << 6)
#define WIRE_LAYER_LANDLOCK (1u << 7)
#define WIRE_LAYER_SECCOMP (1u << 8)
#define WIRE_LAYER_SELFTEST (1u << 9)
#define WIRE_LAYER_DEATH_SIGNAL (1u << 10)
#define WIRE_LAYER_UNDUMPABLE (1u << 11)
#define WIRE_LAYER_PROCESS_LIMIT (1u << 12) // RLIMIT_NPROC means something: the uid is the worker's own
#define WIRE_LAYER_SEALED_MEMORY (1u << 13)
// Without one of these a worker loads nothing.
#define WIRE_LAYERS_MANDATORY                                                                             \
    (WIRE_LAYER_NO_NEW_PRIVS | WIRE_LAYER_DESCRIPTORS | WIRE_LAYER_NON_ROOT | WIRE_LAYER_CAPABILITIES      \
     | WIRE_LAYER_LIMITS | WIRE_LAYER_LANDLOCK | WIRE_LAYER_SECCOMP | WIRE_LAYER_SELFTEST                  \
     | WIRE_LAYER_SEALED_MEMORY)

#define WIRE_OBJECT_NAME 72u // "<64 hex digits>.so" and a NUL
#define WIRE_TEXT 512u
#define WIRE_ID 65u          // NOCTURNE_ID_MAX of the SDK and a NUL
#define WIRE_ID_VERSION 257u // NOCTURNE_VERSION_MAX of the SDK and a NUL

typedef struct wire_spawn {
    uint32_t magic, message;
    uint64_t id;          // of this spawn, the host's
    uint64_t memory_bytes; // manifest's limits.memory
    uint32_t concurrency; // call threads, 1 … WIRE_CALL_SLOTS
    uint32_t threads;     // limits.threads, 0: the runtime's default
    uint32_t names_count, names_length; // declared contributions: in down at WIRE_NAMES_AT, each u8 kind
                                        // (WIRE_CALL_TOOL … WIRE_CALL_AGENT), then the name and a NUL
    char object[WIRE_OBJECT_NAME];
} wire_spawn;

typedef struct wire_ready {
    uint32_t magic, message;
    uint32_t layers, landlock_abi;
    uint32_t threads; // of the zygote: must be 1
    uint32_t reserved;
    char text[WIRE_TEXT]; // why it cannot start workers; empty: it can
} wire_ready;

typedef struct wire_forked { // one descriptor: the pidfd
    uint32_t magic, message;
    uint64_t id;
    int32_t error; // errno of a fork that failed, then no descriptor
    uint32_t uid;
} wire_forked;

typedef struct wire_exited {
    uint32_t magic, message;
    uint64_t id;
    int32_t code;   // CLD_EXITED, CLD_KILLED, CLD_DUMPED as in siginfo_t
    int32_t status; // exit status or signal
} wire_exited;

typedef struct wire_hello {
    uint32_t magic, message;
    uint32_t layers, landlock_abi;
    uint32_t uid, tests_passed;
    char text[WIRE_TEXT]; // degradations in words, one a line
} wire_hello;

typedef struct wire_loaded {
    uint32_t magic, message;
    uint32_t abi;        // the plugin's
    uint32_t extensions; // bits below
    int64_t load_ns;     // of dlopen and entry
    char id[WIRE_ID], version[WIRE_ID_VERSION]; // with WIRE_EXTENSION_IDENTITY: who the code says it is
} wire_loaded;
#define WIRE_EXTENSION_HEALTH (1u << 0)
#define WIRE_EXTENSION_STATE (1u << 1)
#define WIRE_EXTENSION_SETTINGS (1u << 2)
#define WIRE_EXTENSION_CANCEL (1u << 3)
#define WIRE_EXTENSION_IDENTITY (1u << 4)

typedef struct wire_failed {
    uint32_t magic, message;
    uint32_t stage;
    int32_t code; // errno, or the plugin's own number
    char text[WIRE_TEXT];
} wire_failed;

// What the memory file of a FILE message is (wire_slot_message.is_reply). Of a call slot and its request's generation:
#define WIRE_FILE_REQUEST 0u // the request's payload
#define WIRE_FILE_REPLY 1u   // room for the reply's payload; answers WIRE_ASK_BUFFER of that call
// Of a service slot and its ask's generation:
#define WIRE_FILE_ANSWER 2u  // the answer's payload
#define WIRE_FILE_ASK 3u     // room; answers WIRE_ASK_BUFFER without a call. The next ask in this slot, which has the
                             // next generation, says WIRE_IN_FILE and is in it; the host drops it when it has answered
// Of slot 0 and generation 1, once in a worker's life:
#define WIRE_FILE_METRICS 4u // what its plugin measures: CWireMetrics.h

typedef struct wire_slot_message { // CANCEL, FILE
    uint32_t magic, message;
    uint32_t slot, generation;
    uint64_t size;    // FILE: bytes of the memory file
    uint32_t is_reply; // FILE: WIRE_FILE_…
    uint32_t reserved;
} wire_slot_message;

#define WIRE_MESSAGE_MAX 640u // bytes of the longest message
_Static_assert(sizeof(wire_ready) <= WIRE_MESSAGE_MAX && sizeof(wire_failed) <= WIRE_MESSAGE_MAX
        && sizeof(wire_loaded) <= WIRE_MESSAGE_MAX, "fits");

// ------------------------------------------------------------------------------------------------ atomic access
// Swift does not import `_Atomic` fields; these act on plain words.

static inline uint32_t wire_load(const uint32_t *word) {
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}
static inline void wire_store(uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}
// Store, then a full fence: for "I sleep" flags that are set before the last look (Dekker's pattern).
static inline void wire_store_fence(uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
static inline void wire_fence(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
static inline uint32_t wire_add(uint32_t *word, uint32_t value) {
    return __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST);
}
static inline bool wire_claim(uint32_t *word, uint32_t expected, uint32_t desired) {
    return __atomic_compare_exchange_n(
        word, &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
static inline void wire_set_bit(uint64_t *word, uint32_t bit) {
    __atomic_fetch_or(word, (uint64_t)1 << bit, __ATOMIC_SEQ_CST);
}
static inline void wire_clear_bit(uint64_t *word, uint32_t bit) {
    __atomic_fetch_and(word, ~((uint64_t)1 << bit), __ATOMIC_SEQ_CST);
}
static inline bool wire_bit(const uint64_t *word, uint32_t bit) {
    return (__atomic_load_n(word, __ATOMIC_ACQUIRE) >> bit) & 1;
}
static inline void wire_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// Copies what the other side may be changing: the copy is taken once, and what follows uses the copy only.
static inline void wire_copy(void *target, const void *source, size_t size) {
    memcpy(target, source, size);
    __asm__ volatile("" ::: "memory");
}

// The polled words, by address: Swift has no other way to name a field of memory that it shares.
static inline uint32_t *wire_tail(void *down) {
    return &((wire_down_head *)down)->tail;
}
static inline uint32_t *wire_waiting(void *down) {
    return &((wire_down_head *)down)->waiting;
}
static inline uint32_t *wire_record_head(void *down) {
    return &((wire_down_head *)down)->record_head;
}
static inline void wire_set_gap(void *down, int64_t nanoseconds) {
    __atomic_store_n(&((wire_down_head *)down)->gap, nanoseconds, __ATOMIC_RELAXED);
}
static inline int64_t wire_gap(const void *down) {
    return __atomic_load_n(&((const wire_down_head *)down)->gap, __ATOMIC_RELAXED);
}
static inline uint64_t *wire_cancelled(void *down) {
    return &((wire_down_head *)down)->cancelled;
}
static inline uint64_t *wire_pausing(void *down) {
    return &((wire_down_head *)down)->pausing;
}
static inline void wire_queue_put(void *down, uint32_t position, uint8_t slot) {
    ((wire_down_head *)down)->queue[position % WIRE_CALL_SLOTS] = slot;
}
static inline const uint32_t *wire_sleepers(const void *up) {
    return &((const wire_up_head *)up)->sleepers;
}
static inline const uint32_t *wire_wakes(const void *up) {
    return &((const wire_up_head *)up)->wakes;
}
static inline const uint32_t *wire_pollers(const void *up) {
    return &((const wire_up_head *)up)->pollers;
}
static inline const uint32_t *wire_record_tail(const void *up) {
    return &((const wire_up_head *)up)->record_tail;
}
static inline const uint32_t *wire_asked(const void *up) {
    return &((const wire_up_head *)up)->asked;
}
static inline const uint32_t *wire_record_dropped(const void *up) {
    return &((const wire_up_head *)up)->record_dropped;
}

static inline wire_request *wire_request_at(void *down, uint32_t slot) {
    return (wire_request *)((uint8_t *)down + WIRE_SLOTS_AT) + (slot % WIRE_CALL_SLOTS);
}
static inline wire_reply *wire_reply_at(void *up, uint32_t slot) {
    return (wire_reply *)((uint8_t *)up + WIRE_SLOTS_AT) + (slot % WIRE_CALL_SLOTS);
}
static inline const uint32_t *wire_reply_state(const void *up, uint32_t slot) {
    return (const uint32_t *)((const uint8_t *)up + WIRE_SLOTS_AT) + (slot % WIRE_CALL_SLOTS) * 16;
}
// WIRE_BLOCK bytes for the declared names.
static inline uint8_t *wire_names(void *down) {
    return (uint8_t *)down + WIRE_NAMES_AT;
}
static inline uint8_t *wire_call_block(void *file, uint32_t slot) {
    return (uint8_t *)file + WIRE_CALL_BLOCKS_AT + (size_t)(slot % WIRE_CALL_SLOTS) * WIRE_BLOCK;
}
static inline wire_ask *wire_ask_at(void *up, uint32_t slot) {
    return ((wire_up_head *)up)->asks + (slot % WIRE_SERVICE_SLOTS);
}
static inline wire_answer *wire_answer_at(void *down, uint32_t slot) {
    return ((wire_down_head *)down)->answers + (slot % WIRE_SERVICE_SLOTS);
}
static inline const uint32_t *wire_ask_state(const void *up, uint32_t slot) {
    return &((const wire_up_head *)up)->asks[slot % WIRE_SERVICE_SLOTS].state;
}
static inline const uint32_t *wire_answer_state(const void *down, uint32_t slot) {
    return &((const wire_down_head *)down)->answers[slot % WIRE_SERVICE_SLOTS].state;
}
// Writes an answer, its state last.
static inline void wire_put_answer(
    void *down, uint32_t slot, const wire_answer *answer, uint32_t generation) {
    wire_answer *place = wire_answer_at(down, slot);
    memcpy((uint8_t *)place + sizeof place->state, (const uint8_t *)answer + sizeof place->state,
        sizeof *place - sizeof place->state);
    __atomic_store_n(&place->state, generation, __ATOMIC_SEQ_CST);
}
static inline uint8_t *wire_service_block(void *file, uint32_t slot) {
    return (uint8_t *)file + WIRE_SERVICE_BLOCKS_AT
        + (size_t)(slot % WIRE_SERVICE_SLOTS) * WIRE_BLOCK;
}
static inline uint8_t *wire_ring(void *up) {
    return (uint8_t *)up + WIRE_RING_AT;
}

#endif
