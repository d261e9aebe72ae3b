// Gives its handlers at run time: in activate, and later by its tool: {"do": "on"} and "off" switch the tool
// "registers-other", "foreign" tries a name that is not declared, "null" no handler.
#include "fixture.h"

FIXTURE("registers", "contributes": {
    "tools": [ { "name": "registers" }, { "name": "registers-other" } ],
    "commands": [ { "name": "registers:hello" } ] })

static const nocturne_host_contributions_t *contributions;

HANDLER(other) { answer(call, "{\"context\":\"%s\"}", (const char *)context); }
HANDLER(hello) { answer(call, "\"hello\""); }

HANDLER(control) {
    const char *what = string(input, size, "do");
    int32_t error = 0;
    if (strcmp(what, "on") == 0) {
        error = contributions->register_tool("registers-other", other, (void *)"second");
    } else if (strcmp(what, "off") == 0) {
        error = contributions->unregister_tool("registers-other");
    } else if (strcmp(what, "foreign") == 0) {
        error = contributions->register_tool("registers-foreign", other, NULL);
    } else if (strcmp(what, "null") == 0) {
        error = contributions->register_tool("registers-other", NULL, NULL);
    }
    answer(call, "{\"error\":%d}", (int)error);
}

static int32_t activate(nocturne_error_t *error) {
    contributions = (const nocturne_host_contributions_t *)nocturne->get_extension(NOCTURNE_HOST_CONTRIBUTIONS);
    if (contributions == NULL || contributions->register_tool("registers", control, NULL) != 0
        || contributions->register_tool("registers-other", other, (void *)"first") != 0
        || contributions->register_command("registers:hello", hello, NULL) != 0) {
        snprintf(error->message, sizeof error->message, "registration was refused");
        return -1;
    }
    return 0;
}

ENTRY_WITH(NULL, activate)
