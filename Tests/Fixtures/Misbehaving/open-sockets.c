// Opens a socket of every family there is; answers which it got.
#include "fixture.h"

#include <sys/socket.h>

FIXTURE("open-sockets", TOOL("open-sockets"))

HANDLER(open_sockets) {
    static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW };
    char got[4096] = "";
    int opened = 0, last = 0, pair[2];
    for (int family = 0; family < 46; family++) {
        for (size_t type = 0; type < sizeof types / sizeof *types; type++) {
            if (socket(family, types[type], 0) < 0) {
                last = errno;
                continue;
            }
            size_t length = strlen(got);
            snprintf(got + length, sizeof got - length, "%s%d", opened++ == 0 ? "" : ",", family);
        }
    }
    int made_pair = socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0;
    answer(call, "{\"opened\":%d,\"families\":[%s],\"pair\":%s,\"errno\":%d}", opened, got,
        made_pair ? "true" : "false", last);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("open-sockets", open_sockets))
