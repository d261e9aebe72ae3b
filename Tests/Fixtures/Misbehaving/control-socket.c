// Takes the worker's control socket: sends garbage and plausible lies on it ({"how": "lies"}, the default), floods it
// ("flood"), reads what the host sends ("steal"), or shuts it down ("shutdown").
#include "fixture.h"

#include "CWire.h"

#include <sys/socket.h>

FIXTURE("control-socket", "limits": { "deadline": "1s" }, TOOL("control-socket"))

static int say(const void *bytes, size_t size) {
    return send(WIRE_FD_CONTROL, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0
        || write(WIRE_FD_CONTROL, bytes, size) >= 0;
}

static int lie(void) {
    char garbage[WIRE_MESSAGE_MAX * 2];
    wire_loaded loaded = { WIRE_MAGIC, WIRE_MESSAGE_LOADED, 0xffffffffu, 0xffffffffu, -1, "", "" };
    wire_hello hello = { WIRE_MAGIC, WIRE_MESSAGE_HELLO, 0xffffffffu, 99, 0, 1, "" };
    wire_failed failed = { WIRE_MAGIC, WIRE_MESSAGE_FAILED, 77, -5, "" };
    wire_exited exited = { WIRE_MAGIC, WIRE_MESSAGE_EXITED, 1, 1, 0 };
    memset(garbage, 0xa5, sizeof garbage);
    memset(failed.text, 'x', sizeof failed.text); // no NUL
    memset(loaded.id, 'x', sizeof loaded.id); // neither here
    memset(loaded.version, 'x', sizeof loaded.version); // nor here
    return say(garbage, 1) + say(garbage, 8) + say(garbage, WIRE_MESSAGE_MAX) + say(garbage, sizeof garbage)
        + say(&loaded, sizeof loaded) + say(&hello, sizeof hello) + say(&hello, 12)
        + say(&exited, sizeof exited) + say(&failed, sizeof failed);
}

HANDLER(take) {
    const char *how = string(input, size, "how");
    int done = 0;
    char bytes[WIRE_MESSAGE_MAX];
    if (strcmp(how, "shutdown") == 0) done = shutdown(WIRE_FD_CONTROL, SHUT_RDWR) == 0;
    else if (strcmp(how, "steal") == 0) done = read(WIRE_FD_CONTROL, bytes, sizeof bytes) > 0;
    else if (strcmp(how, "flood") == 0) for (int i = 0; i < 1000; i++) done += lie();
    else done = lie();
    answer(call, "{\"done\":%d,\"errno\":%d}", done, errno);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("control-socket", take))
