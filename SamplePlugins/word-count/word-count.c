// word-count.c — a whole plugin in C: a tool, a command, settings, an event, a log, metrics, and a running total that
// survives a reload. Next: text.h, the JSON that it reads.
//
//   cc -O2 -shared -fPIC -I ../../PluginSDK/C/include word-count.c -o word-count.so
//
// `-DVERSION='"1.1.0"' -DBUILD_LABEL='"b"'` makes a second build that answers differently.
#include <nocturne/plugin.h>

#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef BUILD_LABEL
#define BUILD_LABEL "a"
#endif

#define MANIFEST(...) NOCTURNE_MANIFEST(__VA_ARGS__) // one step more, so that VERSION is replaced
MANIFEST({
    "id": "word-count",
    "name": "Word count",
    "version": VERSION,
    "description": "Counts lines, words and bytes as wc does, and keeps a running total of words.",
    "abi": "1.0",
    "contributes": {
        "tools": [
            {
                "name": "count",
                "description": "Counts the lines, words and bytes of a text.",
                "input": {
                    "type": "object",
                    "required": ["text"],
                    "properties": { "text": { "type": "string" } },
                    "additionalProperties": false
                },
                "output": {
                    "type": "object",
                    "required": ["lines", "words", "bytes", "total", "build"],
                    "properties": {
                        "lines": { "type": "integer", "minimum": 0 },
                        "words": { "type": "integer", "minimum": 0 },
                        "bytes": { "type": "integer", "minimum": 0 },
                        "total": { "type": "integer", "minimum": 0 },
                        "build": { "type": "string" }
                    },
                    "additionalProperties": false
                }
            }
        ],
        "commands": [
            { "name": "word-count:reset", "description": "Sets the running total to 0." }
        ]
    },
    "configuration": {
        "type": "object",
        "properties": {
            "minimumLength": {
                "description": "Words of fewer characters are not counted.",
                "type": "integer",
                "minimum": 1,
                "maximum": 1000,
                "default": 1
            }
        },
        "additionalProperties": false
    },
    "reload": { "state": true }
})

#include "text.h"

#include <errno.h>
#include <stdio.h>

#define MILESTONE 10000u        // words between two events
#define STATE_SCHEMA 1u         // the total in decimal digits
#define MINIMUM_LENGTH_MAX 1000 // characters, as in the manifest

// With one call thread, the default, everything below runs on that thread.
static const nocturne_host_log_t *host_log;
static const nocturne_host_events_t *host_events;
static const nocturne_host_configuration_t *host_configuration;
static const nocturne_host_metrics_t *host_metrics;
static int32_t words_counted, text_sizes; // series, or errors: then nothing is recorded
static uint64_t minimum_length = 1; // characters
static uint64_t total;              // words

static void log_number(uint32_t level, const char *message, const char *key, uint64_t number) {
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    const nocturne_field_t fields[] = { { "build", BUILD_LABEL }, { key, digits } };
    if (host_log != NULL) host_log->write(level, message, fields, 2);
}

// ------------------------------------------------------------------------------------------------ counting

typedef struct counts {
    uint64_t lines, words, bytes;
    uint64_t length; // characters of the word that is being read
} counts;

static void end_word(counts *c) {
    if (c->length >= minimum_length) c->words++;
    c->length = 0;
}

// Takes the next byte of the text. Words are runs between ASCII white space, as in `LC_ALL=C wc -w`.
static void count_byte(void *context, unsigned char byte) {
    counts *c = (counts *)context;
    c->bytes++;
    if (byte == '\n') c->lines++;
    if (byte == ' ' || (byte >= '\t' && byte <= '\r')) {
        end_word(c);
    } else if ((byte & 0xc0) != 0x80) { // not the second or a later byte of a character
        c->length++;
    }
}

// Publishes each multiple of MILESTONE that the total has passed.
static void publish_milestones(uint64_t before) {
    if (host_events == NULL) return;
    for (uint64_t at = before / MILESTONE + 1; at <= total / MILESTONE; at++) {
        char payload[64];
        int size = snprintf(payload, sizeof payload, "{\"words\":%llu}", (unsigned long long)(at * MILESTONE));
        if (host_events->emit("word-count:milestone", payload, (uint64_t)size) != 0) {
            log_number(NOCTURNE_LOG_WARNING, "a milestone was dropped", "words", at * MILESTONE);
        }
    }
}

static void count(nocturne_call_t *call, const void *input, uint64_t size, void *context) {
    counts c = { 0, 0, 0, 0 };
    text json = text_of(input, size);
    (void)context;
    if (!text_find(&json, "text") || !text_read_string(&json, count_byte, &c)) {
        static const char message[] = "the input must be {\"text\": \"...\"}";
        nocturne->complete(call, NOCTURNE_INVALID_INPUT, message, sizeof message - 1);
        return;
    }
    end_word(&c);

    uint64_t before = total;
    total += c.words;
    publish_milestones(before);
    if (host_metrics != NULL) {
        host_metrics->add(words_counted, (double)c.words);
        host_metrics->observe(text_sizes, (double)c.bytes);
    }

    char result[192];
    int length = snprintf(
        result, sizeof result, "{\"lines\":%llu,\"words\":%llu,\"bytes\":%llu,\"total\":%llu,\"build\":\"%s\"}",
        (unsigned long long)c.lines, (unsigned long long)c.words, (unsigned long long)c.bytes,
        (unsigned long long)total, BUILD_LABEL);
    nocturne->complete(call, NOCTURNE_OK, result, (uint64_t)length);
}

static void reset(nocturne_call_t *call, const void *input, uint64_t size, void *context) {
    static const char result[] = "{\"total\":0}";
    (void)input, (void)size, (void)context;
    log_number(NOCTURNE_LOG_INFO, "reset", "total", total);
    total = 0;
    nocturne->complete(call, NOCTURNE_OK, result, sizeof result - 1);
}

// ----------------------------------------------------------------------------------------------- the hooks

static int32_t refuse(nocturne_error_t *error, const char *message) {
    snprintf(error->message, sizeof error->message, "%s", message);
    return -1;
}

static int32_t take_minimum_length(text *json, nocturne_error_t *error) {
    uint64_t value = 0;
    if (!text_read_number(json, &value) || value < 1 || value > MINIMUM_LENGTH_MAX) {
        return refuse(error, "minimumLength must be a whole number of 1 ... 1000");
    }
    minimum_length = value;
    log_number(NOCTURNE_LOG_INFO, "settings", "minimumLength", value);
    return 0;
}

static int32_t settings_changed(const void *json, uint64_t size, nocturne_error_t *error) {
    text settings = text_of(json, size);
    if (!text_find(&settings, "minimumLength")) return 0;
    return take_minimum_length(&settings, error);
}

static int32_t create_metric(uint32_t kind, const char *name, const char *help, const char *unit) {
    const nocturne_metric_t metric = { sizeof metric, kind, name, help, unit, NULL, 0, 0 };
    return host_metrics == NULL ? -ENOSYS : host_metrics->create(&metric);
}

static int32_t activate(nocturne_error_t *error) {
    words_counted = create_metric(NOCTURNE_COUNTER, "words.counted", "Words in all texts.", NULL);
    text_sizes = create_metric(NOCTURNE_HISTOGRAM, "words.text_size", "Sizes of the texts.", "bytes");
    char value[32];
    int64_t size = -ENOENT;
    if (host_configuration != NULL) {
        size = host_configuration->get("minimumLength", value, sizeof value);
    }
    if (size >= 0) {
        text setting = text_of(value, (uint64_t)size < sizeof value ? (uint64_t)size : sizeof value);
        if (take_minimum_length(&setting, error) != 0) return -1;
    }
    log_number(NOCTURNE_LOG_INFO, "active", "total", total);
    return 0;
}

static int64_t save(uint32_t *schema, void *buffer, uint64_t capacity, nocturne_error_t *error) {
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)total);
    if ((uint64_t)size > capacity) return refuse(error, "the buffer is too small for a number");
    memcpy(buffer, digits, (size_t)size);
    *schema = STATE_SCHEMA;
    return size;
}

static int32_t restore(uint32_t schema, const void *bytes, uint64_t size, nocturne_error_t *error) {
    text state = text_of(bytes, size);
    uint64_t value = 0;
    if (schema != STATE_SCHEMA) return refuse(error, "only state of layout 1 is understood");
    if (!text_read_number(&state, &value) || text_peek(&state) >= 0) {
        return refuse(error, "the state is no number");
    }
    total = value;
    log_number(NOCTURNE_LOG_INFO, "restored", "total", total);
    return 0;
}

static int32_t check_health(nocturne_error_t *error) {
    (void)error;
    return 0;
}

// ---------------------------------------------------------------------------------------------- the tables

NOCTURNE_IDENTIFY("word-count", VERSION)

static const void *get_extension(const char *id) {
    static const nocturne_contribution_t tool_items[] = { { "count", count, NULL } };
    static const nocturne_contribution_t command_items[] = { { "word-count:reset", reset, NULL } };
    static const nocturne_contributions_t tools = { sizeof tools, 1, tool_items };
    static const nocturne_contributions_t commands = { sizeof commands, 1, command_items };
    static const nocturne_settings_t settings = { sizeof settings, 0, settings_changed };
    static const nocturne_state_t state = { sizeof state, 0, save, restore };
    static const nocturne_health_t health = { sizeof health, 0, check_health };
    if (strcmp(id, NOCTURNE_IDENTITY) == 0) return nocturne_identity;
    if (strcmp(id, NOCTURNE_TOOLS) == 0) return &tools;
    if (strcmp(id, NOCTURNE_COMMANDS) == 0) return &commands;
    if (strcmp(id, NOCTURNE_SETTINGS) == 0) return &settings;
    if (strcmp(id, NOCTURNE_STATE) == 0) return &state;
    if (strcmp(id, NOCTURNE_HEALTH) == 0) return &health;
    return NULL;
}

NOCTURNE_EXPORT const nocturne_plugin_t *nocturne_plugin_entry(
    const nocturne_host_t *host, nocturne_error_t *error) {
    static const nocturne_plugin_t plugin = { NOCTURNE_ABI, sizeof plugin, get_extension, activate, NULL };
    (void)error;
    nocturne = host;
    host_log = (const nocturne_host_log_t *)host->get_extension(NOCTURNE_HOST_LOG);
    host_events = (const nocturne_host_events_t *)host->get_extension(NOCTURNE_HOST_EVENTS);
    host_configuration =
        (const nocturne_host_configuration_t *)host->get_extension(NOCTURNE_HOST_CONFIGURATION);
    host_metrics = (const nocturne_host_metrics_t *)host->get_extension(NOCTURNE_HOST_METRICS);
    return &plugin;
}
