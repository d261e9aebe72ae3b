// loader.c — dlopen, entry, extensions. The plugin's first instructions run in here, and the
// sandbox is around them.
#include "worker.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>

plugin_tables tables;

_Static_assert(WIRE_ID == NOCTURNE_ID_MAX + 1 && WIRE_ID_VERSION == NOCTURNE_VERSION_MAX + 1,
    "the wire holds what the contract allows");

// What dlopen said, without our name for the file, and what to do about it.
static void refuse_object(const char *path, const char *reason) {
    const char *advice = "";
    size_t length = strlen(path);
    if (strncmp(reason, path, length) == 0 && strncmp(reason + length, ": ", 2) == 0) {
        reason += length + 2;
    }
    if (strstr(reason, "cannot open shared object file") != NULL) {
        advice = strncmp(reason, "libswift", 8) == 0
            ? "; rebuild it with the host's version of Swift, or link it with -static-stdlib"
            : "; link that library statically: what lies beside a plugin is not searched";
    } else if (strstr(reason, "undefined symbol") != NULL) {
        advice = "; link the library that defines it statically";
    } else if (strstr(reason, "executable stack") != NULL) {
        advice = "; link it with -z noexecstack";
    }
    fail(WIRE_STAGE_LOAD, ENOEXEC, "%s%s", reason, advice);
}

static const nocturne_plugin_t *run_entry(
    const nocturne_plugin_t *(*entry)(const nocturne_host_t *, nocturne_error_t *)) {
    nocturne_error_t error = {.struct_size = sizeof error};
    const nocturne_plugin_t *plugin = entry(&host, &error);
    error.message[sizeof error.message - 1] = 0;
    if (plugin == NULL) {
        fail(WIRE_STAGE_ENTRY, (int)error.code, "nocturne_plugin_entry returned NULL: %.400s",
            error.message[0] != 0 ? error.message : "it gave no reason");
    }
    uint32_t major = plugin->abi >> 16, minor = plugin->abi & 0xffff;
    if (major != NOCTURNE_ABI >> 16 || minor > (NOCTURNE_ABI & 0xffff)) {
        fail(WIRE_STAGE_ENTRY, EPROTO,
            "the plugin was built for ABI %u.%u and this host serves %u.%u: rebuild it with the "
            "host's "
            "header, or update the host",
            major, minor, NOCTURNE_ABI >> 16, NOCTURNE_ABI & 0xffff);
    }
    if (plugin->struct_size < sizeof *plugin) {
        fail(WIRE_STAGE_ENTRY, EPROTO,
            "the plugin's table has struct_size %u instead of %zu: set it to "
            "sizeof(nocturne_plugin_t)",
            plugin->struct_size, sizeof *plugin);
    }
    return plugin;
}

// The plugin's table `id`, checked for size; NULL if it has none.
static const void *extension(const char *id, size_t size) {
    const uint32_t *table =
        tables.plugin->get_extension == NULL ? NULL : tables.plugin->get_extension(id);
    if (table != NULL && *table < size) {
        fail(WIRE_STAGE_CONTRACT, EPROTO,
            "the table \"%s\" has struct_size %u, but %zu is the least: "
            "set it to the sizeof of its type",
            id, *table, size);
    }
    return table;
}

static void require(const char *id, const void *table, bool is_there, const char *function) {
    if (table != NULL && !is_there) {
        fail(WIRE_STAGE_CONTRACT, EPROTO, "the table \"%s\" lacks its mandatory function `%s`", id,
            function);
    }
}

static void bind_table(uint32_t kind, const char *id) {
    const nocturne_contributions_t *table = extension(id, sizeof *table);
    const char *fault = table == NULL ? NULL : contributions_bind(kind, id, table);
    if (fault != NULL) {
        fail(WIRE_STAGE_CONTRACT, EPROTO, "the table \"%s\" is broken: %s", id, fault);
    }
}

// Copies `field` of the identity into `copy`, which is zeroed and has room for `limit` bytes and a
// NUL.
static void copy_identity(char *copy, size_t limit, const char *field, const char *text) {
    size_t length = text == NULL ? 0 : strnlen(text, limit + 1);
    if (text == NULL) {
        fail(WIRE_STAGE_CONTRACT, EPROTO, "the table \"%s\" is broken: `%s` is NULL",
            NOCTURNE_IDENTITY, field);
    }
    if (length > limit) {
        fail(WIRE_STAGE_CONTRACT, EPROTO,
            "the table \"%s\" is broken: `%s` has no end within the %zu bytes that it may have",
            NOCTURNE_IDENTITY, field, limit);
    }
    memcpy(copy, text, length);
}

// Who the code says it is. Only told here: the host has the manifest, and compares.
static uint32_t find_identity(wire_loaded *loaded) {
    const nocturne_identity_t *identity = extension(NOCTURNE_IDENTITY, sizeof *identity);
    if (identity == NULL) {
        return 0;
    }
    copy_identity(loaded->id, NOCTURNE_ID_MAX, "id", identity->id);
    copy_identity(loaded->version, NOCTURNE_VERSION_MAX, "version", identity->version);
    return WIRE_EXTENSION_IDENTITY;
}

static uint32_t find_extensions(void) {
    bind_table(WIRE_CALL_TOOL, NOCTURNE_TOOLS);
    bind_table(WIRE_CALL_COMMAND, NOCTURNE_COMMANDS);
    bind_table(WIRE_CALL_LISTENER, NOCTURNE_LISTENERS);
    bind_table(WIRE_CALL_TASK, NOCTURNE_TASKS);
    bind_table(WIRE_CALL_EXPORTER, NOCTURNE_EXPORTERS);
    bind_table(WIRE_CALL_STRATEGY, NOCTURNE_STRATEGIES);
    bind_table(WIRE_CALL_AGENT, NOCTURNE_AGENTS);
    tables.health = extension(NOCTURNE_HEALTH, sizeof *tables.health);
    tables.state = extension(NOCTURNE_STATE, sizeof *tables.state);
    tables.settings = extension(NOCTURNE_SETTINGS, sizeof *tables.settings);
    tables.cancel = extension(NOCTURNE_CANCEL, sizeof *tables.cancel);
    require(NOCTURNE_HEALTH, tables.health, tables.health && tables.health->check, "check");
    require(NOCTURNE_STATE, tables.state, tables.state && tables.state->save, "save");
    require(NOCTURNE_STATE, tables.state, tables.state && tables.state->restore, "restore");
    require(
        NOCTURNE_SETTINGS, tables.settings, tables.settings && tables.settings->changed, "changed");
    require(NOCTURNE_CANCEL, tables.cancel, tables.cancel && tables.cancel->cancel, "cancel");
    return (tables.health != NULL ? WIRE_EXTENSION_HEALTH : 0)
        | (tables.state != NULL ? WIRE_EXTENSION_STATE : 0)
        | (tables.settings != NULL ? WIRE_EXTENSION_SETTINGS : 0)
        | (tables.cancel != NULL ? WIRE_EXTENSION_CANCEL : 0);
}

void loader_run(wire_loaded *loaded) {
    char path[WIRE_OBJECT_NAME + 2];
    const nocturne_plugin_t *(*entry)(const nocturne_host_t *, nocturne_error_t *);
    int64_t start = now_ns();
    snprintf(path, sizeof path, "./%s", worker.spawn.object);
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL) {
        refuse_object(path, dlerror());
    }
    *(void **)&entry = dlsym(object, "nocturne_plugin_entry");
    if (entry == NULL) {
        fail(WIRE_STAGE_ENTRY, ENOEXEC,
            "the plugin does not export `nocturne_plugin_entry`: "
            "define it with NOCTURNE_EXPORT, or use NOCTURNE_PLUGIN");
    }
    tables.plugin = run_entry(entry);
    loaded->load_ns = now_ns() - start;
    loaded->abi = tables.plugin->abi;
    loaded->extensions = find_identity(loaded) | find_extensions();
}
