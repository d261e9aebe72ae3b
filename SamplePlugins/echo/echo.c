#include <nocturne/plugin.h>

NOCTURNE_MANIFEST({ "id": "echo", "name": "Echo", "version": "1.0.0", "abi": "1.0",
    "contributes": { "tools": [ { "name": "echo", "description": "Says what you said." } ] } })

static void echo(nocturne_call_t *call, const void *input, uint64_t size, void *context) {
    (void)context;
    nocturne->complete(call, NOCTURNE_OK, input, size);
}

NOCTURNE_PLUGIN(NOCTURNE_TOOL("echo", echo))
