// Tries its escapes inside dlopen, before anything of the plugin was asked for; the tool tells what it got.
#include "fixture.h"

#include <fcntl.h>
#include <sys/socket.h>

FIXTURE("constructor-escape", TOOL("constructor-escape"))

static int file_errno, socket_errno, fork_errno;

__attribute__((constructor)) static void escape(void) {
    file_errno = open("/etc/passwd", O_RDONLY) >= 0 ? 0 : errno;
    socket_errno = socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : errno;
    pid_t child = fork();
    if (child == 0) _exit(0);
    fork_errno = child > 0 ? 0 : errno;
}

HANDLER(tell) {
    answer(call, "{\"file\":%d,\"socket\":%d,\"fork\":%d}", file_errno, socket_errno, fork_errno);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("constructor-escape", tell))
