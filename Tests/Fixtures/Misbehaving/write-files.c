// Tries to leave something in the file system: creates, renames, deletes, changes modes, makes links.
#include "fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

FIXTURE("write-files", TOOL("write-files"))

HANDLER(write_files) {
    int done = 0;
    int file = open("/tmp/nocturne-fixture-escaped", O_WRONLY | O_CREAT, 0600);
    if (file >= 0) done++;
    int reason = errno;
    if (open("escaped", O_WRONLY | O_CREAT, 0600) >= 0) done++;
    if (mkdir("/tmp/nocturne-fixture-folder", 0700) == 0) done++;
    if (symlink("/etc/passwd", "/tmp/nocturne-fixture-link") == 0) done++;
    if (rename("/tmp/nocturne-fixture-escaped", "/tmp/nocturne-fixture-renamed") == 0) done++;
    if (unlink("/tmp/nocturne-fixture-renamed") == 0) done++;
    if (chmod(".", 0777) == 0) done++;
    answer(call, "{\"done\":%d,\"errno\":%d}", done, reason);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("write-files", write_files))
