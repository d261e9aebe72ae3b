// contributions.c — the names the manifest declares, and who handles them at the moment. The host
// refers to them by index.
#include "worker.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

// A declaration. Handler and context change together: readers try again while `version` is odd or
// has moved.
struct declaration {
    uint32_t kind;
    const char *name;
    uint32_t version;
    nocturne_handler_t handler;
    void *context;
};
static struct declaration *declared;
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
// The first item of a constant table that the manifest does not declare, for
// `contributions_complete`.
static const char *stray_table, *stray_name;

static const char *word(uint32_t kind) {
    static const char *const words[] = {"tool", "command", "listener", "task", "exporter",
        "strategy", "agent"};
    return words[kind - WIRE_CALL_TOOL];
}

int contributions_read(void) {
    uint32_t count = worker.spawn.names_count, length = worker.spawn.names_length;
    const uint8_t *source = (const uint8_t *)worker.down + WIRE_NAMES_AT;
    if (length > WIRE_CALL_SLOTS * WIRE_BLOCK || count > length / 2) {
        return EPROTO;
    }
    char *names = malloc(length + 1); // both live as long as the process
    declared = calloc(count + 1, sizeof *declared);
    if (names == NULL || declared == NULL) {
        return ENOMEM;
    }
    memcpy(names, source, length);
    names[length] = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (at + 1 >= length || (uint8_t)names[at] < WIRE_CALL_TOOL
            || (uint8_t)names[at] > WIRE_CALL_AGENT) {
            return EPROTO;
        }
        declared[i].kind = (uint8_t)names[at];
        declared[i].name = names + at + 1;
        at += strlen(declared[i].name) + 2;
    }
    return at == length ? 0 : EPROTO;
}

static struct declaration *find(uint32_t kind, const char *name) {
    for (uint32_t i = 0; name != NULL && i < worker.spawn.names_count; i++) {
        if (declared[i].kind == kind && strcmp(declared[i].name, name) == 0) {
            return &declared[i];
        }
    }
    return NULL;
}

static void set(struct declaration *entry, nocturne_handler_t handler, void *context) {
    pthread_mutex_lock(&writing);
    wire_store_fence(&entry->version, entry->version + 1);
    __atomic_store_n(&entry->handler, handler, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->context, context, __ATOMIC_RELAXED);
    wire_store(&entry->version, entry->version + 1);
    pthread_mutex_unlock(&writing);
}

nocturne_handler_t contributions_find(uint32_t kind, uint32_t target, void **context) {
    if (target >= worker.spawn.names_count || declared[target].kind != kind) {
        return NULL;
    }
    struct declaration *entry = &declared[target];
    for (;;) {
        uint32_t version = wire_load(&entry->version);
        nocturne_handler_t handler = __atomic_load_n(&entry->handler, __ATOMIC_RELAXED);
        *context = __atomic_load_n(&entry->context, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if ((version & 1) == 0 && __atomic_load_n(&entry->version, __ATOMIC_RELAXED) == version) {
            return handler;
        }
        wire_pause();
    }
}

const char *contributions_bind(
    uint32_t kind, const char *id, const nocturne_contributions_t *table) {
    if (table->count != 0 && table->items == NULL) {
        return "`items` is NULL";
    }
    for (uint32_t i = 0; i < table->count; i++) {
        const nocturne_contribution_t *item = &table->items[i];
        struct declaration *entry = find(kind, item->name);
        if (item->name == NULL || item->handler == NULL) {
            return item->name == NULL ? "an item has no name" : "an item has no handler";
        }
        if (entry != NULL && entry->handler != NULL) {
            return "a name stands in it twice";
        }
        if (entry != NULL) {
            set(entry, item->handler, item->context);
        } else if (stray_name == NULL) {
            stray_table = id;
            stray_name = item->name;
        }
    }
    return NULL;
}

bool contributions_complete(char *text) {
    const struct declaration *missing = NULL;
    for (uint32_t i = 0; missing == NULL && i < worker.spawn.names_count; i++) {
        missing = declared[i].handler == NULL ? &declared[i] : NULL;
    }
    if (missing != NULL && stray_name != NULL) {
        format_text(text,
            "the manifest declares the %s \"%s\", which has no handler, and \"%s\" has a "
            "handler for \"%s\", which the manifest does not declare: give both the same name",
            word(missing->kind), missing->name, stray_table, stray_name);
    } else if (missing != NULL) {
        format_text(text,
            "the manifest declares the %s \"%s\", but no table and no call of "
            "register or subscribe gave it a handler before activate returned",
            word(missing->kind), missing->name);
    } else if (stray_name != NULL) {
        format_text(text, "\"%s\" has a handler for \"%s\", which the manifest does not declare",
            stray_table, stray_name);
    }
    return missing == NULL && stray_name == NULL;
}

// The functions of nocturne.host.contributions/1; plugin.h has their contracts.
static int32_t switch_handler(
    uint32_t kind, const char *name, bool is_given, nocturne_handler_t handler, void *context) {
    if (!plugin_is_active()) {
        return misuse();
    }
    struct declaration *entry = find(kind, name);
    if (entry == NULL || (is_given && handler == NULL)) {
        return name == NULL || entry != NULL ? -EINVAL : -ENOENT;
    }
    set(entry, handler, context);
    return 0;
}
static int32_t register_tool(const char *name, nocturne_handler_t handler, void *context) {
    return switch_handler(WIRE_CALL_TOOL, name, true, handler, context);
}
static int32_t unregister_tool(const char *name) {
    return switch_handler(WIRE_CALL_TOOL, name, false, NULL, NULL);
}
static int32_t register_command(const char *name, nocturne_handler_t handler, void *context) {
    return switch_handler(WIRE_CALL_COMMAND, name, true, handler, context);
}
static int32_t unregister_command(const char *name) {
    return switch_handler(WIRE_CALL_COMMAND, name, false, NULL, NULL);
}
static int32_t subscribe(const char *event, nocturne_handler_t handler, void *context) {
    return switch_handler(WIRE_CALL_LISTENER, event, true, handler, context);
}
static int32_t unsubscribe(const char *event) {
    return switch_handler(WIRE_CALL_LISTENER, event, false, NULL, NULL);
}
static int32_t register_task(const char *name, nocturne_handler_t handler, void *context) {
    return switch_handler(WIRE_CALL_TASK, name, true, handler, context);
}
static int32_t unregister_task(const char *name) {
    return switch_handler(WIRE_CALL_TASK, name, false, NULL, NULL);
}
static int32_t register_exporter(const char *name, nocturne_handler_t handler, void *context) {
    return switch_handler(WIRE_CALL_EXPORTER, name, true, handler, context);
}
static int32_t unregister_exporter(const char *name) {
    return switch_handler(WIRE_CALL_EXPORTER, name, false, NULL, NULL);
}
static int32_t register_strategy(const char *name, nocturne_handler_t handler, void *context) {
    return switch_handler(WIRE_CALL_STRATEGY, name, true, handler, context);
}
static int32_t unregister_strategy(const char *name) {
    return switch_handler(WIRE_CALL_STRATEGY, name, false, NULL, NULL);
}
static int32_t register_agent(const char *name, nocturne_handler_t handler, void *context) {
    return switch_handler(WIRE_CALL_AGENT, name, true, handler, context);
}
static int32_t unregister_agent(const char *name) {
    return switch_handler(WIRE_CALL_AGENT, name, false, NULL, NULL);
}
const nocturne_host_contributions_t host_contributions = {sizeof host_contributions, 0,
    register_tool, unregister_tool, register_command, unregister_command, subscribe, unsubscribe,
    register_task, unregister_task, register_exporter, unregister_exporter, register_strategy,
    unregister_strategy, register_agent, unregister_agent};
