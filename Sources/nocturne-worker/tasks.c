// tasks.c — the host's tables for handlers of tasks and agents: what they say goes into the ring, a
// checkpoint is asked for and waits. plugin.h has the contracts.
#include "worker.h"
#include <errno.h>
#include <time.h>

#define RING_TRIES 20        // for a record of a task, while the host is behind
#define RING_WAIT_NS 1000000 // between them
#define CHECKPOINT_TIMEOUT (30 * NANOSECONDS) // the host makes a flood of them wait

bool task_unpack(const void **bytes, size_t *size, task_call *task) {
    wire_task head;
    if (*size < sizeof head) {
        return false;
    }
    memcpy(&head, *bytes, sizeof head);
    if (head.number == 0 || head.info_length > *size - sizeof head) {
        return false;
    }
    *task = (task_call){
        head.number, (const char *)*bytes + sizeof head, head.info_length, false};
    *bytes = task->info + task->info_size;
    *size -= sizeof head + task->info_size;
    return true;
}

// The task of `call`, or the agent's work, or NULL: then the misuse is counted.
static const task_call *part_of(nocturne_call_t *call, bool is_agent) {
    const task_call *task = plugin_is_active() ? call_task(call) : NULL;
    if (task == NULL || task->is_agent != is_agent) {
        misuse();
        return NULL;
    }
    return task;
}

static const task_call *task_of(nocturne_call_t *call) {
    return part_of(call, false);
}

// Waits a little for room in the ring: the last thing that is said of a task should come through.
static int32_t tell(uint32_t kind, const service_part parts[2]) {
    for (int i = 0; i < RING_TRIES; i++) {
        if (put_record(kind, parts)) {
            return 0;
        }
        nanosleep(&(struct timespec){0, RING_WAIT_NS}, NULL);
    }
    count_dropped_record();
    return -EAGAIN;
}

static service_part text_part(const char *text) {
    text = text != NULL ? text : "";
    size_t size = strnlen(text, NOCTURNE_TASK_TEXT_MAX + 1);
    return (service_part){text, text_length(text, size, NOCTURNE_TASK_TEXT_MAX)};
}

static int64_t info(nocturne_call_t *call, void *buffer, uint64_t capacity) {
    const task_call *task = task_of(call);
    return task == NULL ? -EPERM : copy_value(task->info, task->info_size, buffer, capacity);
}

static int32_t progress(nocturne_call_t *call, double percent, const char *message) {
    const task_call *task = task_of(call);
    if (task == NULL) {
        return -EPERM;
    }
    wire_progress head = {task->number, percent};
    return tell(WIRE_RECORD_PROGRESS, (service_part[2]){{&head, sizeof head}, text_part(message)});
}

static int32_t write_line(nocturne_call_t *call, const char *line) {
    const task_call *task = task_of(call);
    if (task == NULL) {
        return -EPERM;
    }
    uint64_t number = task->number;
    return tell(WIRE_RECORD_TASK_LOG, (service_part[2]){{&number, sizeof number}, text_part(line)});
}

static int32_t checkpoint(nocturne_call_t *call, const void *json, uint64_t size) {
    service_answer answer;
    const task_call *task = task_of(call);
    if (task == NULL) {
        return -EPERM;
    }
    if (json == NULL || size == 0) {
        return -EINVAL;
    }
    if (size > NOCTURNE_CHECKPOINT_MAX) {
        return -EMSGSIZE;
    }
    uint64_t number = task->number;
    const service_part parts[2] = {{&number, sizeof number}, {json, size}};
    int error =
        service_ask(WIRE_ASK_CHECKPOINT, NULL, parts, now_ns() + CHECKPOINT_TIMEOUT, &answer);
    if (error != 0) {
        return error == EAGAIN ? -ETIMEDOUT : -error;
    }
    error = (int)answer.status;
    answer_release(&answer);
    return -error;
}

static uint32_t is_pause_requested(nocturne_call_t *call) {
    uint32_t slot, generation;
    if (task_of(call) == NULL) {
        return 0;
    }
    call_parts(call, &slot, &generation);
    return wire_bit(&worker.down->pausing, slot);
}

// Completes an attempt in a way that only tasks have. The wait, if there is one, comes before the
// text.
static int32_t end(
    nocturne_call_t *call, uint32_t status, const uint64_t *milliseconds, const char *text) {
    uint8_t bytes[sizeof *milliseconds + NOCTURNE_MESSAGE_MAX];
    size_t size = 0, length = text == NULL ? 0 : strnlen(text, NOCTURNE_MESSAGE_MAX + 1);
    int64_t deadline;
    const task_call *task = call_task(call);
    if (!plugin_is_active()
        || (call_is_open(call, &deadline) && (task == NULL || task->is_agent))) {
        return misuse();
    }
    if (milliseconds != NULL) {
        memcpy(bytes, milliseconds, sizeof *milliseconds);
        size = sizeof *milliseconds;
    }
    length = text_length(text, length, NOCTURNE_MESSAGE_MAX);
    if (length > 0) {
        memcpy(bytes + size, text, length);
    }
    return call_complete(call, status, bytes, size + length);
}

static int32_t pause_task(nocturne_call_t *call) {
    return end(call, WIRE_STATUS_PAUSED, NULL, NULL);
}
static int32_t retry_after(nocturne_call_t *call, uint64_t milliseconds, const char *message) {
    return end(call, WIRE_STATUS_RETRY_AFTER, &milliseconds, message);
}
static int32_t snooze(nocturne_call_t *call, uint64_t milliseconds) {
    return end(call, WIRE_STATUS_SNOOZED, &milliseconds, NULL);
}

static int32_t say(nocturne_call_t *call, const void *json, uint64_t size) {
    const task_call *work = part_of(call, true);
    if (work == NULL) {
        return -EPERM;
    }
    if (json == NULL || size == 0) {
        return -EINVAL;
    }
    if (size > NOCTURNE_AGENT_LINE_MAX) {
        return -EMSGSIZE;
    }
    uint64_t number = work->number;
    return tell(
        WIRE_RECORD_AGENT_LINE, (service_part[2]){{&number, sizeof number}, {json, size}});
}

const nocturne_host_agents_t host_agents = {sizeof host_agents, 0, say};
const nocturne_host_tasks_t host_tasks = {sizeof host_tasks, 0, info, progress, write_line,
    checkpoint, is_pause_requested, pause_task, retry_after, snooze};
