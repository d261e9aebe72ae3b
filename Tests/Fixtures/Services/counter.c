// Counts its calls. BUILD tells builds apart and STATE says whether the count survives a reload.
#include "fixture.h"

#ifndef BUILD
#define BUILD "a"
#endif
#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef STATE
#define STATE true
#endif
#define EXPANDED(...) NOCTURNE_MANIFEST(__VA_ARGS__)
EXPANDED({ "id": "counter", "name": "Counter", "version": VERSION, "abi": "1.0",
    "contributes": { "tools": [ { "name": "counter" } ] }, "reload": { "state": STATE } })

static long long value;

HANDLER(count) { answer(call, "{\"value\":%lld,\"build\":\"%s\"}", ++value, BUILD); }

static int64_t save(uint32_t *schema, void *buffer, uint64_t capacity, nocturne_error_t *error) {
    (void)error;
    *schema = 1;
    return snprintf((char *)buffer, capacity, "%lld", value);
}

static int32_t restore(uint32_t schema, const void *bytes, uint64_t size, nocturne_error_t *error) {
    char text[32] = "";
    (void)error;
    if (schema != 1 || size >= sizeof text) return -1;
    memcpy(text, bytes, (size_t)size);
    value = atoll(text);
    return 0;
}

static const void *get_extension(const char *id) {
    static const nocturne_contribution_t items[] = { { "counter", count, NULL } };
    static const nocturne_contributions_t tools = { sizeof tools, 1, items };
    static const nocturne_state_t state = { sizeof state, 0, save, restore };
    if (strcmp(id, NOCTURNE_TOOLS) == 0) return &tools;
    return strcmp(id, NOCTURNE_STATE) == 0 ? &state : NULL;
}

ENTRY_WITH(get_extension, NULL)
