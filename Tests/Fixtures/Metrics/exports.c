// Exporters that do well, fail, are slow, hang and crash.
#include "fixture.h"

FIXTURE("exports", "limits": { "concurrency": 2 }, "contributes": {
    "tools": [ { "name": "exports" } ],
    "exporters": [ { "name": "good", "contentType": "text/x-test", "description": "Says what it got." },
        { "name": "fails" }, { "name": "later" }, { "name": "large" }, { "name": "polite", "push": true },
        { "name": "hangs" }, { "name": "crashes" } ] })

// Not JSON: what came in, in brackets.
HANDLER(good) {
    char *text = (char *)nocturne->reserve(call, size + 2);
    if (text == NULL) return fail(call, "no memory");
    text[0] = '<';
    memcpy(text + 1, input, size);
    text[size + 1] = '>';
    nocturne->complete(call, NOCTURNE_OK, text, size + 2);
}
HANDLER(fails) { fail(call, "no export today"); }
HANDLER(later) { nocturne->complete(call, NOCTURNE_RETRY, "not yet", 7); }
HANDLER(large) {
    static const uint64_t bytes = NOCTURNE_PAYLOAD_MAX;
    char *text = (char *)nocturne->reserve(call, bytes);
    if (text == NULL) return fail(call, "no memory");
    memset(text, 'x', bytes);
    nocturne->complete(call, NOCTURNE_OK, text, bytes);
}
// Until nobody waits any more.
HANDLER(polite) {
    for (int i = 0; i < 3000 && !nocturne->is_cancelled(call); i++) sleep_ms(5);
    nocturne->complete(call, NOCTURNE_CANCELLED, NULL, 0);
}
HANDLER(hangs) { hang(); }
HANDLER(crashes) { abort(); }
HANDLER(nothing) { answer(call, "{\"pid\":%d}", (int)getpid()); }

static const void *extension(const char *id) {
    static const nocturne_contribution_t
        tool = { "exports", nothing, NULL },
        items[] = { { "good", good, NULL }, { "fails", fails, NULL }, { "later", later, NULL },
            { "large", large, NULL }, { "polite", polite, NULL }, { "hangs", hangs, NULL },
            { "crashes", crashes, NULL } };
    static const nocturne_contributions_t tools = { sizeof tools, 1, &tool },
                                          exporters = { sizeof exporters, sizeof items / sizeof *items, items };
    if (strcmp(id, NOCTURNE_EXPORTERS) == 0) return &exporters;
    return strcmp(id, NOCTURNE_TOOLS) == 0 ? &tools : NULL;
}
ENTRY_WITH(extension, NULL)
