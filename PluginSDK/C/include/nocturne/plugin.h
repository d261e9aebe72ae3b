// plugin.h — the contract between a Nocturne plugin and its host, ABI 1.0. C11, and valid C++17.
//
// A plugin is one shared object (`cc -shared -fPIC -I… plugin.c -o plugin.so`) that exports one function,
// `nocturne_plugin_entry`, and carries its manifest in the file (`NOCTURNE_MANIFEST`). The host reads the manifest
// without running the plugin, then loads the plugin into a sandboxed process of its own. All that a plugin may touch is
// behind the tables of this header.
//
// Order of life:   entry → (the host asks for extensions) → activate → calls … → deactivate → SIGKILL
// There is no exit path: after `deactivate` the process is killed. atexit handlers, static destructors and thread-local
// destructors do not run. What must outlive the process goes into storage or into the state of `nocturne.state/1`.
//
// Tags end each function's text. The thread: [loader thread] runs constructors and the entry; [call thread] is one of
// the manifest's `limits.concurrency` threads (with 1, the default, every hook and every call runs on the same one);
// [control thread] runs `cancel` only; [any thread] includes the plugin's own. After `&` the state: `active` is from
// the start of `activate` until `deactivate` returns. A function called on a wrong thread or in a wrong state returns
// -EPERM and is counted; it never crashes the plugin.
//
// Ownership: pointers that a function is given are borrowed until it returns, a call's input until the call is
// completed. Bytes given to the host are copied before the function returns. No memory is freed across the boundary.
// Text is UTF-8. Names and keys end in NUL; payloads have a size and need no NUL.
//
// Growth: within ABI 1 functions are only appended to the tables, under `struct_size`; a changed meaning is a new id
// ("nocturne.tools/2"). A reader touches only what `struct_size` covers.
#ifndef NOCTURNE_PLUGIN_H
#define NOCTURNE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#define NOCTURNE_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define NOCTURNE_EXPORT __attribute__((visibility("default")))
#endif

// The ABI of this header: the host serves a plugin whose major is its own and whose minor is not above its own.
#define NOCTURNE_ABI 0x00010000u // major << 16 | minor

// Limits. A payload is a call's input or result; longer ones are refused by name on either side.
#define NOCTURNE_PAYLOAD_MAX (16u << 20)     // bytes
#define NOCTURNE_MESSAGE_MAX 512u            // bytes of an error's text, NUL included
#define NOCTURNE_LOG_MAX 4096u               // bytes of one log record, text and fields; the rest is cut
#define NOCTURNE_STORAGE_KEY_MAX 256u        // bytes
#define NOCTURNE_STORAGE_VALUE_MAX (1u << 20) // bytes
#define NOCTURNE_ID_MAX 64u                  // bytes of a plugin's id, without the NUL
#define NOCTURNE_VERSION_MAX 256u            // bytes of a plugin's version, without the NUL
#define NOCTURNE_CHECKPOINT_MAX (1u << 20)   // bytes of a task's checkpoint; its input and result have the same limit
#define NOCTURNE_TASK_TEXT_MAX 1024u         // bytes of a line of a task's log, of a message of its progress
#define NOCTURNE_AGENT_LINE_MAX 4096u        // bytes of what an agent says while it does a work
#define NOCTURNE_METRICS_MAX 1024u           // series of metrics that a plugin may have
#define NOCTURNE_METRIC_NAME_MAX 200u        // bytes of the name of a metric, of a label
#define NOCTURNE_METRIC_TEXT_MAX 1024u       // bytes of the value of a label, of `help`
#define NOCTURNE_METRIC_LABELS_MAX 32u       // labels of one series

// How a call ended; the second argument of `complete`. With NOCTURNE_OK the bytes are the result (for tools, commands
// and listeners: JSON). With all others they are a message for the caller, UTF-8, of which 512 bytes are kept.
#define NOCTURNE_OK 0u
#define NOCTURNE_FAILED 1u        // it failed, and would fail again
#define NOCTURNE_RETRY 2u         // it failed, but the same call may succeed later
#define NOCTURNE_INVALID_INPUT 3u // the caller's mistake
#define NOCTURNE_CANCELLED 4u     // given up because `is_cancelled` said so

// Levels of a log record.
#define NOCTURNE_LOG_DEBUG 0u
#define NOCTURNE_LOG_INFO 1u
#define NOCTURNE_LOG_WARNING 2u
#define NOCTURNE_LOG_ERROR 3u

// One call in progress. Valid from the start of its handler until it is completed.
typedef struct nocturne_call nocturne_call_t;

// Why a hook failed. The caller of the hook owns it and has set `struct_size` and zeroed the rest.
typedef struct nocturne_error {
    uint32_t struct_size;
    uint32_t code;      // the plugin's own number; shown to the operator
    uint32_t retryable; // 1 if the same call may succeed later
    uint32_t reserved;
    char message[512];  // NOCTURNE_MESSAGE_MAX
} nocturne_error_t;

// ------------------------------------------------------------------------------------------- the host's side

// The host, valid from entry until the process ends.
typedef struct nocturne_host {
    uint32_t abi; // of the host: NOCTURNE_ABI of the header that it was built with
    uint32_t struct_size;

    // The table of a host service ("nocturne.host.log/1", …), or NULL: this host has no such service. Constant.
    // [any thread]
    const void *(*get_extension)(const char *id);

    // Completes `call`, once: from its handler or later, from any thread. `bytes` is copied before this returns and
    // stays the plugin's, unless it came from `reserve`. `call` must not be used afterwards. Returns 0, or -EALREADY if
    // the call was completed, -EMSGSIZE over NOCTURNE_PAYLOAD_MAX, -EINVAL for a status that is not listed above. A
    // completion after the deadline or after cancellation is legal and ignored.
    // [any thread & active] [since ABI 1.0]
    int32_t (*complete)(nocturne_call_t *call, uint32_t status, const void *bytes, uint64_t size);

    // Memory of at least `size` bytes for the result of `call`, to be filled and given to `complete`, which then copies
    // nothing. Owned by the host, valid until the call is completed; a second call returns new memory and voids the
    // first. NULL over NOCTURNE_PAYLOAD_MAX, or when the host cannot give it in time.
    // [any thread & active] [since ABI 1.0]
    void *(*reserve)(nocturne_call_t *call, uint64_t size);

    // 1 once nobody waits for `call` any more (its caller went away, or its deadline passed); else 0. Worth asking in
    // every long loop: a call that is still running at its deadline gets its whole process killed.
    // [any thread & active] [since ABI 1.0]
    uint32_t (*is_cancelled)(nocturne_call_t *call);

    // Nanoseconds until the deadline of `call`, never negative. INT64_MAX if it has none.
    // [any thread & active] [since ABI 1.0]
    int64_t (*remaining)(nocturne_call_t *call);
} nocturne_host_t;

// Handles one call of a tool, of a command, of an event that was listened for, one attempt at a task, one export of
// metrics, one step of a strategy, or what an agent is given. It completes `call` before it returns or later. `input`
// is JSON that matches the manifest's schema (for an event: {"name", "source", "payload"}; for an exporter, a strategy,
// an agent: see nocturne.exporter/1, nocturne.strategy/1, nocturne.agent/1).
// [call thread & active]
typedef void (*nocturne_handler_t)(
    nocturne_call_t *call, const void *input, uint64_t size, void *context);

// A key and a value of a structured log record.
typedef struct nocturne_field {
    const char *key;
    const char *value;
} nocturne_field_t;

#define NOCTURNE_HOST_LOG "nocturne.host.log/1"
typedef struct nocturne_host_log {
    uint32_t struct_size;
    uint32_t reserved;

    // Writes a record to the plugin's log. Never blocks: what the host cannot take in time is dropped and counted.
    // `fields` may be NULL when `count` is 0.
    // [any thread]
    void (*write)(
        uint32_t level, const char *message, const nocturne_field_t *fields, uint32_t count);
} nocturne_host_log_t;

#define NOCTURNE_HOST_CONFIGURATION "nocturne.host.configuration/1"
typedef struct nocturne_host_configuration {
    uint32_t struct_size;
    uint32_t reserved;

    // Copies the JSON value of setting `key`, or the whole object when `key` is NULL, into `buffer`: at most `capacity`
    // bytes, no NUL. Defaults of the manifest's schema are filled in. Returns the full size of the value, which may be
    // over `capacity`; -ENOENT if there is no such setting.
    // [any thread & active]
    int64_t (*get)(const char *key, void *buffer, uint64_t capacity);
} nocturne_host_configuration_t;

#define NOCTURNE_JSON 0u  // the kinds of a stored value
#define NOCTURNE_BYTES 1u

#define NOCTURNE_HOST_STORAGE "nocturne.host.storage/1"
// Private to the plugin's id; survives reload, crash and restart of the host. A `set` or `delete` that returned 0 is on
// disk. All functions block. -EMSGSIZE: key or value over its limit; -EDQUOT: over the plugin's 16 MiB or 10,000 keys;
// -EINVAL: malformed key, or kind NOCTURNE_JSON and no JSON; -EIO: the host could not store it; -ETIMEDOUT: no answer.
typedef struct nocturne_host_storage {
    uint32_t struct_size;
    uint32_t reserved;

    // Copies the value of `key` as `configuration.get` does. Returns its full size, or -ENOENT. [any thread & active]
    int64_t (*get)(const char *key, void *buffer, uint64_t capacity);
    // Stores `size` bytes under `key`. Returns 0 or an error. [any thread & active]
    int32_t (*set)(const char *key, uint32_t kind, const void *bytes, uint64_t size);
    // Returns 0, or -ENOENT if there was nothing. (`remove`, because `delete` is a word of C++.) [any thread & active]
    int32_t (*remove)(const char *key);
    // Copies a JSON array of the keys that begin with `prefix`, in byte order. Returns its full size.
    // [any thread & active]
    int64_t (*keys)(const char *prefix, void *buffer, uint64_t capacity);
} nocturne_host_storage_t;

#define NOCTURNE_HOST_EVENTS "nocturne.host.events/1"
typedef struct nocturne_host_events {
    uint32_t struct_size;
    uint32_t reserved;

    // Publishes an event. `name` begins with the plugin's id and a colon ("word-count:milestone"), `payload` is JSON,
    // at most 4,096 bytes. Returns 0; -EAGAIN if it was dropped because the host is behind; -EMSGSIZE; -EINVAL for a
    // name without a colon. The host drops events under another plugin's id, and says so in the plugin's log.
    // [any thread & active]
    int32_t (*emit)(const char *name, const void *payload, uint64_t size);
} nocturne_host_events_t;

// Receives the answer of `call_tool`, on the thread that called it, before it returns. `bytes` is borrowed.
typedef void (*nocturne_answer_t)(void *context, uint32_t status, const void *bytes, uint64_t size);

#define NOCTURNE_HOST_CALLS "nocturne.host.calls/1"
typedef struct nocturne_host_calls {
    uint32_t struct_size;
    uint32_t reserved;

    // Calls a tool of another plugin and blocks until it answers. `parent` is the call on whose behalf: its deadline
    // and cancellation go along. `answer` is called exactly once with NOCTURNE_OK and the result, or another status and
    // a message. Returns 0 when `answer` had NOCTURNE_OK, else -EIO; -ETIMEDOUT, -EMSGSIZE, -EAGAIN (too many at once)
    // without an `answer`. A ring of plugins that wait for each other is refused with a message that names it.
    // [any thread & active, while `parent` is not completed]
    int32_t (*call_tool)(
        nocturne_call_t *parent, const char *tool, const void *input, uint64_t size,
        nocturne_answer_t answer, void *context);
} nocturne_host_calls_t;

#define NOCTURNE_HOST_CONTRIBUTIONS "nocturne.host.contributions/1"
// Gives handlers to what the manifest declares; what it does not declare is refused with -ENOENT. Everything declared
// must have its handler when `activate` returns. Later calls only switch: while a name has no handler, its callers get
// an error that says so. `context` is passed to the handler. -EINVAL: no handler.
typedef struct nocturne_host_contributions {
    uint32_t struct_size;
    uint32_t reserved;

    int32_t (*register_tool)(const char *name, nocturne_handler_t handler, void *context);    // [any thread & active]
    int32_t (*unregister_tool)(const char *name);                                              // [any thread & active]
    int32_t (*register_command)(const char *name, nocturne_handler_t handler, void *context); // [any thread & active]
    int32_t (*unregister_command)(const char *name);                                           // [any thread & active]
    // `event` as it stands in the manifest's `listens`. [any thread & active]
    int32_t (*subscribe)(const char *event, nocturne_handler_t handler, void *context);
    int32_t (*unsubscribe)(const char *event); // [any thread & active]
    int32_t (*register_task)(const char *name, nocturne_handler_t handler, void *context);    // [any thread & active]
    int32_t (*unregister_task)(const char *name);                                              // [any thread & active]
    // [any thread & active]
    int32_t (*register_exporter)(const char *name, nocturne_handler_t handler, void *context);
    int32_t (*unregister_exporter)(const char *name); // [any thread & active]
    // [any thread & active]
    int32_t (*register_strategy)(const char *name, nocturne_handler_t handler, void *context);
    int32_t (*unregister_strategy)(const char *name);                                          // [any thread & active]
    int32_t (*register_agent)(const char *name, nocturne_handler_t handler, void *context);   // [any thread & active]
    int32_t (*unregister_agent)(const char *name);                                             // [any thread & active]
} nocturne_host_contributions_t;

#define NOCTURNE_HOST_TASKS "nocturne.host.tasks/1"
// For the handler of a task: what the task is, how far it is, where it goes on. `call` is an attempt at a task that is
// not completed; any other one is refused with -EPERM. An attempt may have no deadline: then `remaining` is INT64_MAX.
//
// An attempt that is cancelled has a few seconds to end, one that passes its deadline none: then its process is killed.
// An attempt that is lost because the plugin is replaced, stopped or killed for another call's sake does not count: the
// task starts anew with its last checkpoint, in the new build if there is one. So a long task saves checkpoints, and
// `pause`s when it is asked to.
typedef struct nocturne_host_tasks {
    uint32_t struct_size;
    uint32_t reserved;

    // Copies a JSON object into `buffer` as `configuration.get` does, and returns its full size: {"id": "12",
    // "name": "index", "queue": "default", "attempt": 1, "crashes": 0, "checkpoint": …}. Attempts count from 1;
    // `checkpoint` is what the attempt before saved, null if there is none. [any thread & active]
    int64_t (*info)(nocturne_call_t *call, void *buffer, uint64_t capacity);
    // Says how far the task is: 0 … 100 percent, less than before counts as no change; `message` may be NULL. Worth
    // calling as often as there is something to say. Returns 0, or -EAGAIN if it was dropped because the host is
    // behind, after up to 20 ms. [any thread & active]
    int32_t (*progress)(nocturne_call_t *call, double percent, const char *message);
    // Writes a line into the attempt's log, of which the last 100 are kept. Returns as `progress` does.
    // [any thread & active]
    int32_t (*log)(nocturne_call_t *call, const char *line);
    // Stores JSON that a later attempt finds in `info`, in place of what was stored before. When it returns 0, the host
    // has it, whatever becomes of this process. Blocks; the host takes some twenty a second of one plugin. -EMSGSIZE
    // over NOCTURNE_CHECKPOINT_MAX; -EINVAL: no JSON; -ECANCELED: the task is not this attempt's any more, end; -EIO:
    // the host could not store it; -ETIMEDOUT: no answer. [any thread & active]
    int32_t (*checkpoint)(nocturne_call_t *call, const void *json, uint64_t size);
    // 1 while somebody wants the task to be held, or the plugin to be replaced: save a checkpoint and `pause`. Else 0.
    // [any thread & active]
    uint32_t (*is_pause_requested)(nocturne_call_t *call);

    // Three ways to complete `call` otherwise than by `complete`; 0 or -EALREADY, as that.
    // Holds the task until somebody resumes it, or starts it anew at once if that is why it was to pause.
    // [any thread & active]
    int32_t (*pause)(nocturne_call_t *call);
    // It failed, and is to be tried again, but not before so many milliseconds. [any thread & active]
    int32_t (*retry_after)(nocturne_call_t *call, uint64_t milliseconds, const char *message);
    // There is nothing to do yet: start it anew after so many milliseconds, at least 1,000. This attempt does not
    // count. [any thread & active]
    int32_t (*snooze)(nocturne_call_t *call, uint64_t milliseconds);
} nocturne_host_tasks_t;

#define NOCTURNE_HOST_AGENTS "nocturne.host.agents/1"
// For the handler of an agent, while it does a work or hears a message. `call` is such a call that is not completed;
// any other one is refused with -EPERM.
typedef struct nocturne_host_agents {
    uint32_t struct_size;
    uint32_t reserved;

    // Says something to the session, one JSON object of at most NOCTURNE_AGENT_LINE_MAX bytes:
    //   {"type": "heartbeat"}                 it is still at it: a long work is given to somebody else without one
    //   {"type": "send", "payload", "to"}     to one agent; "topic" in place of "to": to a topic; neither: to everyone
    //   {"type": "tell", "payload"}           to the session's strategy
    // Never blocks long. Returns 0; -EAGAIN if it was dropped because the host is behind; -EMSGSIZE; -EINVAL for no
    // bytes. What the session does not understand is ignored. [any thread & active]
    int32_t (*say)(nocturne_call_t *call, const void *json, uint64_t size);
} nocturne_host_agents_t;

// What a metric measures (nocturne_metric_t.kind).
#define NOCTURNE_COUNTER 0u         // a total that only rises: pages read, bytes sent
#define NOCTURNE_UP_DOWN_COUNTER 1u // a total that rises and falls by amounts: things that are open
#define NOCTURNE_GAUGE 2u           // a value that is set: a temperature
#define NOCTURNE_HISTOGRAM 3u       // how values are distributed: durations in seconds, sizes in bytes

// A series of a metric, as a plugin declares it. Borrowed until `create` returns.
typedef struct nocturne_metric {
    uint32_t struct_size;
    uint32_t kind;
    const char *name;               // `[A-Za-z_][A-Za-z0-9_.:/-]*`, such as "pages.read"
    const char *help;               // what it measures, in a sentence; may be NULL
    const char *unit;               // of its values, such as "seconds"; may be NULL
    const nocturne_field_t *labels; // names with values; may be NULL when `label_count` is 0
    uint32_t label_count;
    uint32_t reserved;
} nocturne_metric_t;

#define NOCTURNE_HOST_METRICS "nocturne.host.metrics/1"
// What the plugin measures, beside what the host measures of every plugin. A series is declared once, best in
// `activate`, and recorded into by its number as often as there is something to record: that takes some nanoseconds,
// no message and no lock. The host reads the totals when it needs them, also after a crash, and adds the label
// `plugin` with the plugin's id. What a counter or a histogram has counted goes on after a reload or a crash; an
// up-down counter loses what a process has added to it when that process ends; a gauge keeps its value.
typedef struct nocturne_host_metrics {
    uint32_t struct_size;
    uint32_t reserved;

    // Declares a series; one that exists already is found. Blocks. Returns its number, from 1, or: -EINVAL, a name or a
    // label that is not allowed, or text that is not UTF-8; -EEXIST, the name belongs to a metric of another kind;
    // -ENOSPC, the plugin has NOCTURNE_METRICS_MAX series, or the host will take no more; -EMSGSIZE, a text over its
    // limit; -ENOSYS, the host measures nothing; -ETIMEDOUT, no answer. The plugin's log says why.
    // [any thread & active]
    int32_t (*create)(const nocturne_metric_t *metric);

    // Three ways to record. Each returns 0, or -EINVAL and records nothing: `metric` is no series of a kind for which
    // this is meant, the number is infinite or NaN, or a counter would fall. A negative `metric`, as `create` returns,
    // is given back and counts as nothing: who can do without the measurement need not ask. Whole amounts up to 2^53
    // are summed exactly, others as doubles.
    // Adds to a counter, an up-down counter or a gauge. [any thread & active]
    int32_t (*add)(int32_t metric, double amount);
    // Sets a gauge. [any thread & active]
    int32_t (*set)(int32_t metric, double value);
    // Counts a value in a histogram, in buckets that are 1.1 % wide. [any thread & active]
    int32_t (*observe)(int32_t metric, double value);

    // Copies what the host has of this plugin's metric `name`, or of all when it is NULL, as JSON into `buffer`, as
    // `configuration.get` does, and returns its full size. -ENOENT: there is no such metric; -ENOSYS, -ETIMEDOUT as
    // above. [any thread & active]
    int64_t (*read)(const char *name, void *buffer, uint64_t capacity);
} nocturne_host_metrics_t;

// ----------------------------------------------------------------------------------------- the plugin's side

// A name of the manifest and who handles it.
typedef struct nocturne_contribution {
    const char *name;
    nocturne_handler_t handler;
    void *context; // passed to the handler
} nocturne_contribution_t;

// The tables "nocturne.tools/1", "nocturne.commands/1", "nocturne.listeners/1", "nocturne.tasks/1",
// "nocturne.exporter/1", "nocturne.strategy/1" and "nocturne.agent/1".
typedef struct nocturne_contributions {
    uint32_t struct_size;
    uint32_t count;
    const nocturne_contribution_t *items;
} nocturne_contributions_t;

#define NOCTURNE_TOOLS "nocturne.tools/1"
#define NOCTURNE_COMMANDS "nocturne.commands/1"
#define NOCTURNE_LISTENERS "nocturne.listeners/1"
#define NOCTURNE_TASKS "nocturne.tasks/1"
// Puts metrics into a form of the plugin's own. A handler's input is a JSON snapshot of all metrics, as the host
// exports them; its result, which need not be JSON, is what an export by the exporter's name returns, with the
// `contentType` of the manifest. With `"push": true` there the host also calls it whenever it has taken a sample, and
// ignores the result. The deadline is the host's.
#define NOCTURNE_EXPORTERS "nocturne.exporter/1"
// Decides how a session of agents goes about a goal. A handler makes one step: it is told what happened and says what
// shall be done. Its input is {"parameters", "state", "inputs": […]}, its result {"state", "commands": […]}; `state` is
// any JSON, null at first, and what one step leaves the next one gets. A step is pure: it uses nothing but its input,
// so that a session can be resumed and replayed. It has some seconds. A step that fails, is too slow, crashes or says
// what makes no sense ends the execution, or has the session's fallback take over. PluginSDK/README.md has the inputs
// and the commands.
#define NOCTURNE_STRATEGIES "nocturne.strategy/1"
// Does works of a session. A handler's input is {"type": "work", "session", "attempt", "key", "timeout", "work": {…}},
// its result {"value", "usage": {"tokens", "cost"}}, or {"type": "failed", "message", "usage"}; a failed work is tried
// again, by whom it suits. NOCTURNE_INVALID_INPUT means that nobody can do it, any other status is a failure too. A
// call that is cancelled was taken back. A message for the agent is a call as well: {"type": "message", "from",
// "wantsReply", "payload"}; the result's `value` is the reply if one is wanted.
#define NOCTURNE_AGENTS "nocturne.agent/1"

#define NOCTURNE_IDENTITY "nocturne.identity/1"
// Who the code says it is. Worth having when code and manifest come from different places: a plugin whose code and
// manifest disagree is not started, and the host's error names the file, the field and both values. Without this table
// nothing is compared; hosts that do not know it do not ask. Constant, as are its texts, which stay the plugin's.
// Read once, between entry and activate. [loader thread] [since ABI 1.0]
typedef struct nocturne_identity {
    uint32_t struct_size;
    uint32_t reserved;
    const char *id;      // the manifest's `id`: at most NOCTURNE_ID_MAX bytes and a NUL. Mandatory.
    const char *version; // the manifest's `version`, build metadata and all: at most NOCTURNE_VERSION_MAX. Mandatory.
} nocturne_identity_t;

#define NOCTURNE_HEALTH "nocturne.health/1"
typedef struct nocturne_health {
    uint32_t struct_size;
    uint32_t reserved;
    // Returns 0 if the plugin can serve. Otherwise a reload goes back to the old generation. Mandatory.
    // [call thread & active]
    int32_t (*check)(nocturne_error_t *error);
} nocturne_health_t;

#define NOCTURNE_STATE "nocturne.state/1"
// Carries state from one generation to the next during a reload, when the manifest says `"reload": {"state": true}`.
// No call runs meanwhile. Both functions are mandatory.
typedef struct nocturne_state {
    uint32_t struct_size;
    uint32_t reserved;
    // Writes the state, at most `capacity` bytes (16 MiB), and the number of its layout into `schema`. Returns its
    // size, or a negative number: the reload is given up and this generation goes on. [call thread & active]
    int64_t (*save)(uint32_t *schema, void *buffer, uint64_t capacity, nocturne_error_t *error);
    // Takes over what another build of the plugin saved. Returns 0, or a negative number for "cannot": the reload is
    // given up and the old generation goes on. [call thread & active]
    int32_t (*restore)(uint32_t schema, const void *bytes, uint64_t size, nocturne_error_t *error);
} nocturne_state_t;

#define NOCTURNE_SETTINGS "nocturne.settings/1"
typedef struct nocturne_settings {
    uint32_t struct_size;
    uint32_t reserved;
    // The settings changed; `json` is the new object. A negative return refuses them: the old ones stay. A plugin
    // without this table is restarted with the new settings, as in a reload. Mandatory. [call thread & active]
    int32_t (*changed)(const void *json, uint64_t size, nocturne_error_t *error);
} nocturne_settings_t;

#define NOCTURNE_CANCEL "nocturne.cancel/1"
typedef struct nocturne_cancel {
    uint32_t struct_size;
    uint32_t reserved;
    // Nobody waits for `call` any more. Runs beside the call's handler. Mandatory. [control thread & active]
    void (*cancel)(nocturne_call_t *call);
} nocturne_cancel_t;

// What `nocturne_plugin_entry` returns: constant, valid for ever.
typedef struct nocturne_plugin {
    uint32_t abi; // NOCTURNE_ABI
    uint32_t struct_size;
    // The table of an extension of the plugin's, or NULL. Asked once for each id the host knows, between entry and
    // activate. May be NULL: no extensions. [loader thread]
    const void *(*get_extension)(const char *id);
    // Starts the plugin; everything of the host may be used. 0, or a negative number and `error`. May be NULL.
    // [call thread]
    int32_t (*activate)(nocturne_error_t *error);
    // No call runs and none will come. Its result is logged; the process is killed afterwards. May be NULL.
    // [call thread]
    int32_t (*deactivate)(nocturne_error_t *error);
} nocturne_plugin_t;

// The one exported function. Returns the plugin's table, or NULL and `error`. [loader thread]
NOCTURNE_EXPORT const nocturne_plugin_t *nocturne_plugin_entry(
    const nocturne_host_t *host, nocturne_error_t *error);

// The layout is the promise (System V ABI, LP64).
#ifdef __cplusplus
#define NOCTURNE_ASSERT static_assert
#else
#define NOCTURNE_ASSERT _Static_assert
#endif
NOCTURNE_ASSERT(sizeof(void *) == 8, "Nocturne plugins are 64-bit");
NOCTURNE_ASSERT(sizeof(nocturne_error_t) == 528 && offsetof(nocturne_error_t, message) == 16, "nocturne_error");
NOCTURNE_ASSERT(offsetof(nocturne_host_t, get_extension) == 8 && offsetof(nocturne_host_t, remaining) == 40,
    "nocturne_host");
NOCTURNE_ASSERT(sizeof(nocturne_contribution_t) == 24 && sizeof(nocturne_contributions_t) == 16,
    "nocturne_contributions");
NOCTURNE_ASSERT(offsetof(nocturne_plugin_t, activate) == 16 && sizeof(nocturne_plugin_t) == 32, "nocturne_plugin");
NOCTURNE_ASSERT(offsetof(nocturne_identity_t, id) == 8 && offsetof(nocturne_identity_t, version) == 16
    && sizeof(nocturne_identity_t) == 24, "nocturne_identity");
NOCTURNE_ASSERT(offsetof(nocturne_state_t, restore) == 16 && offsetof(nocturne_host_storage_t, keys) == 32, "tables");
NOCTURNE_ASSERT(offsetof(nocturne_host_contributions_t, register_task) == 56
    && offsetof(nocturne_host_contributions_t, register_exporter) == 72
    && offsetof(nocturne_host_contributions_t, register_strategy) == 88
    && offsetof(nocturne_host_contributions_t, register_agent) == 104
    && sizeof(nocturne_host_contributions_t) == 120, "nocturne_host_contributions");
NOCTURNE_ASSERT(offsetof(nocturne_host_agents_t, say) == 8 && sizeof(nocturne_host_agents_t) == 16,
    "nocturne_host_agents");
NOCTURNE_ASSERT(offsetof(nocturne_host_tasks_t, info) == 8 && offsetof(nocturne_host_tasks_t, is_pause_requested) == 40
    && sizeof(nocturne_host_tasks_t) == 72, "nocturne_host_tasks");
NOCTURNE_ASSERT(offsetof(nocturne_metric_t, name) == 8 && offsetof(nocturne_metric_t, labels) == 32
    && sizeof(nocturne_metric_t) == 48, "nocturne_metric");
NOCTURNE_ASSERT(offsetof(nocturne_host_metrics_t, create) == 8 && offsetof(nocturne_host_metrics_t, read) == 40
    && sizeof(nocturne_host_metrics_t) == 48, "nocturne_host_metrics");

#ifdef __cplusplus
}
#endif

// ------------------------------------------------------------------------------ the manifest inside the file

// Puts the manifest into the file as an ELF note (name "Nocturne", type 1, section .note.nocturne), where `strip`
// leaves it and the host finds it without running anything. The argument is the JSON object itself, not a string:
//   NOCTURNE_MANIFEST({ "id": "hello", "name": "Hello", "version": "1.0.0", "abi": "1.0" })
#define NOCTURNE_MANIFEST(...) NOCTURNE_MANIFEST_TEXT(#__VA_ARGS__)

// The same from a string literal.
#define NOCTURNE_MANIFEST_TEXT(text)                                                                  \
    __attribute__((section(".note.nocturne"), used, aligned(4))) static const struct {                \
        uint32_t name_size, text_size, type;                                                          \
        char name[12], json[sizeof(text)];                                                            \
    } nocturne_manifest_note = { 9, sizeof(text) - 1, 1, "Nocturne", text };

// The same from a file, by the assembler's `.incbin`: the path is looked up in the `-I` folders and in the folder the
// compiler runs in. The compiler does not see the file, so rebuild when it changes.
#define NOCTURNE_MANIFEST_FILE(path)                                                                  \
    __asm__(".pushsection .note.nocturne,\"a\",@note\n .balign 4\n .long 9, 2f - 1f, 1\n"             \
            " .asciz \"Nocturne\"\n .balign 4\n1: .incbin \"" path "\"\n2: .balign 4\n .popsection\n");

// -------------------------------------------------------------------------------------- the shortest plugin

// The host, for all files of a plugin: NOCTURNE_PLUGIN sets it in the entry; an entry of your own sets it likewise.
#ifndef __swift__
__attribute__((weak, visibility("hidden"))) const nocturne_host_t *nocturne;
// What NOCTURNE_IDENTIFY states, or NULL.
__attribute__((weak, visibility("hidden"))) const nocturne_identity_t *nocturne_identity;
#endif

// States, in any one file of a plugin, who its code is. NOCTURNE_PLUGIN then offers it to the host; a `get_extension`
// of your own returns `nocturne_identity` for NOCTURNE_IDENTITY. Take the version from where the manifest has it:
//   NOCTURNE_IDENTIFY("hello", HELLO_VERSION)
#define NOCTURNE_IDENTIFY(id, version)                                                                \
    __attribute__((constructor)) static void nocturne_identify(void) {                                \
        static const nocturne_identity_t identity = { sizeof identity, 0, id, version };              \
        nocturne_identity = &identity;                                                                \
    }

// Defines the entry of a plugin that has tools and nothing else. Arguments: NOCTURNE_TOOL(name, handler), …
#define NOCTURNE_TOOL(name, handler) { name, handler, NULL }
#define NOCTURNE_PLUGIN(...)                                                                          \
    static const void *nocturne_plugin_extension(const char *id) {                                    \
        static const nocturne_contribution_t items[] = { __VA_ARGS__ };                               \
        static const nocturne_contributions_t tools = { sizeof tools, sizeof items / sizeof *items, items }; \
        if (strcmp(id, NOCTURNE_IDENTITY) == 0) return nocturne_identity;                             \
        return strcmp(id, NOCTURNE_TOOLS) == 0 ? &tools : NULL;                                       \
    }                                                                                                 \
    NOCTURNE_EXPORT const nocturne_plugin_t *nocturne_plugin_entry(                                   \
        const nocturne_host_t *host, nocturne_error_t *error) {                                       \
        static const nocturne_plugin_t plugin = {                                                     \
            NOCTURNE_ABI, sizeof plugin, nocturne_plugin_extension, NULL, NULL };                     \
        (void)error;                                                                                  \
        nocturne = host;                                                                              \
        return &plugin;                                                                               \
    }

#endif
