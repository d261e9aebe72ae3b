// Tells its settings; refuses a level of 13.
#include "fixture.h"

FIXTURE("settings", TOOL("settings"), "configuration": {
    "type": "object",
    "properties": {
        "level": { "type": "integer", "minimum": 0, "maximum": 100, "default": 5 },
        "label": { "type": "string", "default": "none" }
    },
    "additionalProperties": false
})

static int changes;

HANDLER(tell) {
    const nocturne_host_configuration_t *configuration =
        (const nocturne_host_configuration_t *)nocturne->get_extension(NOCTURNE_HOST_CONFIGURATION);
    if (configuration == NULL) return fail(call, "no configuration");
    char all[4096], level[32];
    int64_t length = configuration->get(NULL, all, sizeof all - 1);
    int64_t level_length = configuration->get("level", level, sizeof level - 1);
    if (length < 0 || length > (int64_t)sizeof all - 1) return fail(call, "no settings");
    if (level_length < 0 || level_length > (int64_t)sizeof level - 1) return fail(call, "no level");
    all[length] = level[level_length] = 0;
    answer(call, "{\"all\":%s,\"level\":%s,\"missing\":%lld,\"changes\":%d}", all, level,
        (long long)configuration->get("nothing", NULL, 0), changes);
}

static int32_t changed(const void *json, uint64_t size, nocturne_error_t *error) {
    if (number(json, size, "level", 0) == 13) {
        snprintf(error->message, sizeof error->message, "13 brings bad luck");
        return -1;
    }
    changes++;
    return 0;
}

static const void *get_extension(const char *id) {
    static const nocturne_contribution_t items[] = { { "settings", tell, NULL } };
    static const nocturne_contributions_t tools = { sizeof tools, 1, items };
    static const nocturne_settings_t settings = { sizeof settings, 0, changed };
    if (strcmp(id, NOCTURNE_TOOLS) == 0) return &tools;
    return strcmp(id, NOCTURNE_SETTINGS) == 0 ? &settings : NULL;
}

ENTRY_WITH(get_extension, NULL)
