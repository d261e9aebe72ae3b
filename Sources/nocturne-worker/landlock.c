// landlock.c — the file system, TCP, signals and abstract sockets, as far as this kernel's Landlock
// goes. A worker may read its own object and the system's libraries, and nothing else. The numbers
// are the kernel's UAPI (include/uapi/linux/ landlock.h of Linux 6.12), written out because Debian
// 12's headers are of 6.1.
#include "worker.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#define SYS_CREATE_RULESET 444L // the same on all architectures
#define SYS_ADD_RULE 445L
#define SYS_RESTRICT_SELF 446L
#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1

#define FS_EXECUTE (1ull << 0)
#define FS_READ_FILE (1ull << 2)
#define FS_RIGHTS_1 ((1ull << 13) - 1)  // ABI 1: execute … make_sym
#define FS_REFER (1ull << 13)           // ABI 2
#define FS_TRUNCATE (1ull << 14)        // ABI 3
#define FS_IOCTL_DEV (1ull << 15)       // ABI 5
#define NET_BIND_CONNECT_TCP 3ull       // ABI 4
#define SCOPE_ABSTRACT_UNIX_SIGNAL 3ull // ABI 6

struct ruleset_attributes {
    uint64_t handled_fs, handled_net, scoped;
};
struct path_attributes {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

int landlock_probe(void) {
    long abi = syscall(SYS_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
    return abi < 0 ? 0 : (int)abi;
}

// Grants `rights` beneath `path`. ENOENT if there is no such path.
static int allow(int ruleset, const char *path, uint64_t rights) {
    int file = open(path, O_PATH | O_CLOEXEC);
    if (file < 0) {
        return errno;
    }
    struct path_attributes rule = {rights, file};
    int error = syscall(SYS_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0 ? 0 : errno;
    close(file);
    return error;
}

int landlock_prepare(void) {
    int abi = profile.landlock_abi;
    if (abi < 1) {
        return -ENOSYS;
    }
    struct ruleset_attributes attributes = {
        FS_RIGHTS_1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0)
            | (abi >= 5 ? FS_IOCTL_DEV : 0),
        abi >= 4 ? NET_BIND_CONNECT_TCP : 0,
        abi >= 6 ? SCOPE_ABSTRACT_UNIX_SIGNAL : 0,
    };
    size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
    int ruleset = (int)syscall(SYS_CREATE_RULESET, &attributes, size, 0);
    if (ruleset < 0) {
        return -errno;
    }
    static const char *const libraries[] = {
        "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"};
    int error = 0;
    for (size_t i = 0; error == 0 && i < sizeof libraries / sizeof *libraries; i++) {
        error = allow(ruleset, libraries[i], FS_READ_FILE | FS_EXECUTE);
        error = error == ENOENT ? 0 : error;
    }
    if (error == 0) {
        error = allow(ruleset, "/etc/ld.so.cache", FS_READ_FILE);
        error = error == ENOENT ? 0 : error;
    }
    if (error == 0 && profile.runtime_directory != NULL) {
        error = allow(ruleset, profile.runtime_directory, FS_READ_FILE | FS_EXECUTE);
    }
    if (error != 0) {
        close(ruleset);
        return -error;
    }
    return ruleset;
}

int landlock_enforce(int ruleset, const char *object) {
    int error = allow(ruleset, object, FS_READ_FILE | FS_EXECUTE);
    if (error == 0 && syscall(SYS_RESTRICT_SELF, ruleset, 0) != 0) {
        error = errno;
    }
    close(ruleset);
    return error;
}
