// stateful.h — the stateful fixtures are one plugin, "stateful", in builds whose hooks fail in different
// ways: put one build where another serves to see a reload that must be given up. SAVE and RESTORE are what
// the hooks do.
#include "fixture.h"

FIXTURE("stateful", "reload": { "state": true }, TOOL("stateful"))

static long long value;

// Adds {"n": 1} and tells the sum.
HANDLER(add) {
    value += number(input, size, "n", 1);
    answer(call, "{\"value\":%lld,\"build\":\"%s\"}", value, BUILD);
}

static __attribute__((unused)) int64_t save_value(uint32_t *schema, void *buffer, uint64_t capacity) {
    *schema = 1;
    return snprintf((char *)buffer, capacity, "%lld", value);
}

static __attribute__((unused)) int32_t restore_value(uint32_t schema, const void *bytes, uint64_t size) {
    char text[32] = "";
    if (schema != 1 || size >= sizeof text) return -1;
    memcpy(text, bytes, (size_t)size);
    value = atoll(text);
    return 0;
}

static int64_t save(uint32_t *schema, void *buffer, uint64_t capacity, nocturne_error_t *error) {
    (void)schema, (void)buffer, (void)capacity, (void)error;
    SAVE;
}

static int32_t restore(uint32_t schema, const void *bytes, uint64_t size, nocturne_error_t *error) {
    (void)schema, (void)bytes, (void)size, (void)error;
    RESTORE;
}

static const void *get_extension(const char *id) {
    static const nocturne_contribution_t items[] = { { "stateful", add, NULL } };
    static const nocturne_contributions_t tools = { sizeof tools, 1, items };
    static const nocturne_state_t state = { sizeof state, 0, save, restore };
    if (strcmp(id, NOCTURNE_TOOLS) == 0) return &tools;
    return strcmp(id, NOCTURNE_STATE) == 0 ? &state : NULL;
}

ENTRY_WITH(get_extension, NULL)
