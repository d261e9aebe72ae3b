// bench.c — the plugin that nocturne-bench calls: answers with its input, or with its build's label. Built with
// -DID='"bench-1"' -DVERSION='"1.0.1"' -DCONCURRENCY='"1"' -DLABEL='"a"' and, for reloads that carry state,
// -DSTATE='"true"'.
#include <nocturne/plugin.h>

#ifndef STATE
#define STATE "false"
#endif

NOCTURNE_MANIFEST_TEXT(
    "{ \"id\": \"" ID "\", \"name\": \"Benchmark\", \"version\": \"" VERSION "\", \"abi\": \"1.0\","
    " \"limits\": { \"concurrency\": " CONCURRENCY ", \"queue\": 4096 },"
    " \"reload\": { \"state\": " STATE " }, \"contributes\": { \"tools\": ["
    " { \"name\": \"" ID "\" }, { \"name\": \"" ID "-label\" } ] } }")

static uint64_t calls;

static void echo(nocturne_call_t *call, const void *input, uint64_t size, void *context) {
    (void)context;
    calls++;
    nocturne->complete(call, NOCTURNE_OK, input, size);
}

static void label(nocturne_call_t *call, const void *input, uint64_t size, void *context) {
    (void)input, (void)size, (void)context;
    nocturne->complete(call, NOCTURNE_OK, "\"" LABEL "\"", sizeof LABEL + 1);
}

static int64_t save(uint32_t *schema, void *buffer, uint64_t capacity, nocturne_error_t *error) {
    (void)capacity, (void)error;
    *schema = 1;
    memcpy(buffer, &calls, sizeof calls);
    return sizeof calls;
}

static int32_t restore(uint32_t schema, const void *bytes, uint64_t size, nocturne_error_t *error) {
    (void)error;
    if (schema != 1 || size != sizeof calls) return -1;
    memcpy(&calls, bytes, sizeof calls);
    return 0;
}

static const void *extension(const char *id) {
    static const nocturne_contribution_t items[] = { { ID, echo, NULL }, { ID "-label", label, NULL } };
    static const nocturne_contributions_t tools = { sizeof tools, 2, items };
    static const nocturne_state_t state = { sizeof state, 0, save, restore };
    if (strcmp(id, NOCTURNE_TOOLS) == 0) return &tools;
    if (strcmp(id, NOCTURNE_STATE) == 0) return &state;
    return NULL;
}

NOCTURNE_EXPORT const nocturne_plugin_t *nocturne_plugin_entry(
    const nocturne_host_t *host, nocturne_error_t *error) {
    static const nocturne_plugin_t plugin = { NOCTURNE_ABI, sizeof plugin, extension, NULL, NULL };
    (void)error;
    nocturne = host;
    return &plugin;
}
