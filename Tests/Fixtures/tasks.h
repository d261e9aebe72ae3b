// tasks.h — what the test plugins with tasks share: a table of them beside the tools, and the host's service.
#ifndef FIXTURE_TASKS_H
#define FIXTURE_TASKS_H

#include "fixture.h"

static __attribute__((unused)) const nocturne_host_tasks_t *tasks(void) {
    return nocturne->get_extension(NOCTURNE_HOST_TASKS);
}

// An entry of a plugin with one tool and tasks: TASKS_ENTRY(tool's name, handler, { name, handler, NULL }, …)
#define TASKS_ENTRY(TOOL_NAME, TOOL_HANDLER, ...)                                                           \
    static const void *extension(const char *id) {                                                          \
        static const nocturne_contribution_t tool = { TOOL_NAME, TOOL_HANDLER, NULL },                      \
                                             items[] = { __VA_ARGS__ };                                     \
        static const nocturne_contributions_t tools = { sizeof tools, 1, &tool },                           \
                                              table = { sizeof table, sizeof items / sizeof *items, items }; \
        if (strcmp(id, NOCTURNE_TASKS) == 0) return &table;                                                 \
        return strcmp(id, NOCTURNE_TOOLS) == 0 ? &tools : NULL;                                             \
    }                                                                                                       \
    ENTRY_WITH(extension, NULL)

#define TASK(NAME) { "name": NAME }

// The number of the member `key` of what the host says of the task.
__attribute__((unused)) static long long info(nocturne_call_t *call, const char *key, long long otherwise) {
    char text[512];
    int64_t size = tasks()->info(call, text, sizeof text);
    return size < 0 || size > (int64_t)sizeof text ? otherwise
                                                   : number(text, (uint64_t)size, key, otherwise);
}

#endif
