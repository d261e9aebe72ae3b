// worker.h — what the files of this program share. Read main.c first: it says what the process is.
//
// Error contract unless a function says otherwise: `int` is 0 or a positive errno, unchanged as the
// kernel gave it.
#ifndef NOCTURNE_WORKER_H
#define NOCTURNE_WORKER_H

#include "CWire.h"
#include <linux/filter.h>
#include <nocturne/plugin.h>
#include <stdarg.h>
#include <sys/types.h>
#include <unistd.h>

// All is hidden but what opens.c exports: a plugin's own names must never meet ours.
#pragma GCC visibility push(hidden)

#define EXIT_USAGE 64
#define EXIT_UNUSABLE 70
#define NANOSECONDS 1000000000LL

// What the zygote prepares once and its forks inherit. Constant after `zygote_run` has sent
// wire_ready.
typedef struct worker_profile {
    bool is_swift;
    const char *runtime_directory; // NULL for c
    uint32_t uid_base, uid_count;
    bool has_many_cpus; // spinning is worth a thought
    int landlock_abi;   // 0: the kernel has none
    struct sock_fprog stage1, stage2;
} worker_profile;
extern worker_profile profile;

// The worker, once it is bound to a plugin. Written by its main thread before the call threads
// start.
typedef struct worker_state {
    wire_spawn spawn;
    wire_down_head *down; // read-only mapping
    wire_up_head *up;
    uint32_t layers;         // WIRE_LAYER_… in force
    char remarks[WIRE_TEXT]; // degradations, one a line
    bool has_own_uid;
    pid_t zygote;
    bool is_confined; // opens.c answers for /proc from here on
} worker_state;
extern worker_state worker;

// main.c
int64_t now_ns(void); // CLOCK_MONOTONIC; cannot fail
// Formats into `text` of WIRE_TEXT bytes, cutting what does not fit. Cannot fail.
__attribute__((format(printf, 2, 3))) void format_text(char *text, const char *format, ...);
__attribute__((format(printf, 1, 2))) void add_remark(const char *format, ...);
// Tells the host why this worker will never serve, and ends the process.
__attribute__((noreturn, format(printf, 3, 4))) void fail(
    uint32_t stage, int code, const char *format, ...);
// Sends one control message; EINTR and EAGAIN are waited out.
int send_message(int socket, const void *message, size_t size, const int *files, size_t count);
// Receives one control message into `message`. Returns its size, 0 at end-of-file, or -errno. At
// most `*count` descriptors come in `files` (close-on-exec), and `*count` says how many; more than
// that are closed and give -EBADMSG.
ssize_t receive_message(int socket, void *message, size_t size, int *files, size_t *count);

// zygote.c: never returns.
__attribute__((noreturn)) void zygote_run(const char *objects);

// filter.c: compiles both seccomp programs into `profile`.
int filter_compile(void);
// Puts stage 1 and this process's own tail (what needs its pid) on this thread.
int filter_install_stage1(void);
// Puts stage 2 on all threads. ESRCH if a thread has another filter and cannot follow.
int filter_install_stage2(void);

// landlock.c: the kernel's ABI, 0 without.
int landlock_probe(void);
// A ruleset that handles all the ABI knows and grants the system's libraries. Returns a descriptor
// or -errno.
int landlock_prepare(void);
// Adds the object in the current directory and confines this thread. Closes `ruleset`.
int landlock_enforce(int ruleset, const char *object);

// lockdown.c: a fork of the zygote becomes a spare, then a worker. `socket`: whence its wire_spawn
// comes. Never returns.
__attribute__((noreturn)) void worker_run(int socket, uid_t uid, pid_t zygote);
// selftest.c: tries what must be refused. Returns how many tests passed; `*failed` is NULL or names
// the first that did not.
uint32_t selftest_run(const char **failed);

// loader.c: dlopen, entry, extensions. Fails by `fail`. `*loaded` is ready to be sent.
void loader_run(wire_loaded *loaded);

// The plugin, as loader.c found it. Tables are NULL if the plugin has none.
typedef struct plugin_tables {
    const nocturne_plugin_t *plugin;
    const nocturne_health_t *health;
    const nocturne_state_t *state;
    const nocturne_settings_t *settings;
    const nocturne_cancel_t *cancel;
} plugin_tables;
extern plugin_tables tables;

// contributions.c: reads the declared names out of `down`. EPROTO if they are malformed.
int contributions_read(void);
// Gives the items of a constant table their place. NULL, or what is wrong with it, in words.
const char *contributions_bind(
    uint32_t kind, const char *id, const nocturne_contributions_t *table);
// Whether handlers and declarations match. If not, false and `text` names both sides.
bool contributions_complete(char *text);
// The handler of declaration `target`, or NULL; `*context` fits it.
nocturne_handler_t contributions_find(uint32_t kind, uint32_t target, void **context);
extern const nocturne_host_contributions_t host_contributions;

// calls.c: starts the call threads.
int calls_start(void);
// The control thread: cancellations and memory files, until the host closes the socket. Never
// returns.
__attribute__((noreturn)) void control_run(void);
bool is_control_thread(void);
bool plugin_is_active(void);
// Counts a host function called in a wrong state, and returns -EPERM.
int32_t misuse(void);
// Slot and generation of any handle, open or not.
void call_parts(nocturne_call_t *call, uint32_t *slot, uint32_t *generation);
// Whether `call` is open; if so `*deadline` is its own (0: none).
bool call_is_open(nocturne_call_t *call, int64_t *deadline);
// Completes `call` with any status of the wire. EALREADY, negative.
int32_t call_complete(
    nocturne_call_t *call, uint32_t status, const void *bytes, uint64_t size);
// The task or the agent's work of an open call, or NULL. Good as long as the call is open.
const struct task_call *call_task(nocturne_call_t *call);
// How much of `size` bytes of UTF-8 to keep: at most `limit`, cut between two characters.
size_t text_length(const char *text, size_t size, size_t limit);
// Runs the plugin's `cancel`, if it has one and the call is open.
void call_cancel(uint32_t slot, uint32_t generation);
extern const nocturne_host_t host;

// files.c: takes the memory file of `role` (WIRE_FILE_…) for this slot and generation, waiting
// until `deadline`. The caller unmaps it. ETIMEDOUT.
typedef struct memory_file {
    uint32_t generation;
    void *bytes;
    size_t size;
} memory_file;
int file_take(
    uint32_t role, uint32_t slot, uint32_t generation, int64_t deadline, memory_file *file);
// The same, but leaves it for others, so it must not be unmapped.
int file_share(
    uint32_t role, uint32_t slot, uint32_t generation, int64_t deadline, memory_file *file);
void files_start(void); // once, before the first of these; cannot fail
// Handles one message of the control socket, waiting until `deadline` (INT64_MAX: for ever).
// ETIMEDOUT, EPROTO.
int control_step(int64_t deadline);

// tasks.c: takes the head of the payload of a task's or an agent's call, so that its input is left. False if it
// is malformed.
typedef struct task_call {
    uint64_t number;
    const char *info; // JSON, in the payload
    size_t info_size;
    bool is_agent;
} task_call;
bool task_unpack(const void **bytes, size_t *size, task_call *task);
extern const nocturne_host_tasks_t host_tasks;
extern const nocturne_host_agents_t host_agents;

// metrics.c: what the plugin measures.
extern const nocturne_host_metrics_t host_metrics;

// services.c: asks the host. An answer lies in shared memory until `answer_release`.
typedef struct service_answer {
    uint32_t slot, status;
    const uint8_t *bytes;
    size_t length;
    memory_file file;
} service_answer;
typedef struct service_part {
    const void *bytes;
    size_t size;
} service_part;
// EAGAIN: no free service slot until `deadline`. ETIMEDOUT, EMSGSIZE. `call` is NULL or on whose
// behalf.
int service_ask(uint32_t kind, nocturne_call_t *call, const service_part parts[2], int64_t deadline,
    service_answer *answer);
void answer_release(service_answer *answer);
// Appends a record to the ring. False: it does not fit, and is counted if that is the end of it.
bool put_record(uint32_t kind, const service_part parts[2]);
void count_dropped_record(void);
// Copies what fits; the size is the whole value's.
int64_t copy_value(const void *bytes, size_t size, void *buffer, uint64_t capacity);
// Rings the host's doorbell. A full pipe has wake-ups enough in it.
void ring_host(void);
// The tables of host services by id, NULL for an unknown one.
const void *host_extension(const char *id);
// Replaces the settings by a copy of `json`, until `settings_keep` decides between them and the old
// ones. ENOMEM.
int settings_replace(const void *json, size_t size, char **old, size_t *old_size);
void settings_keep(bool is_kept, char *old, size_t old_size);
// `deadline` (0: none), but not later than SERVICE_TIMEOUT from now.
int64_t service_deadline(int64_t deadline);
#define SERVICE_TIMEOUT (10 * NANOSECONDS) // for what has no deadline of its own

// settings.c: where the value of top-level member `key` lies in the JSON object `text`. False if it
// has none.
bool json_member(
    const char *text, size_t size, const char *key, const char **value, size_t *value_size);

#pragma GCC visibility pop
#endif
