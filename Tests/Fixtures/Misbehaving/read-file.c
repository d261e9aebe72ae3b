// Reads a file, /etc/passwd if none is named, and tells what it got: {"path": "/etc/shadow"}.
#include "fixture.h"

#include <fcntl.h>

FIXTURE("read-file", TOOL("read-file"))

HANDLER(read_file) {
    const char *path = string(input, size, "path");
    if (*path == 0) path = "/etc/passwd";
    int file = open(path, O_RDONLY);
    if (file < 0) {
        answer(call, "{\"opened\":false,\"errno\":%d}", errno);
        return;
    }
    char bytes[64];
    ssize_t count = read(file, bytes, sizeof bytes);
    answer(call, "{\"opened\":true,\"bytes\":%zd,\"errno\":%d}", count, count < 0 ? errno : 0);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("read-file", read_file))
