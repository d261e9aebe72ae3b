// selftest.c — before it says hello, a worker tries what must be refused. Only things that answer
// with an errno: a filter that kills would take the proof with it. A call with an exact errno below
// was refused by seccomp, not by luck.
#include "worker.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define FILE_LIMIT 64 // RLIMIT_NOFILE of lockdown.c

// A call that must fail: with exactly `expected`, or with any errno if that is 0.
struct attempt {
    const char *name; // what it means if it does not fail
    int expected;
    long number, arguments[6];
};
#define TEXT(text) ((long)(intptr_t)(text))

static bool is_refused(const struct attempt *attempt) {
    const long *with = attempt->arguments;
    long result = syscall(attempt->number, with[0], with[1], with[2], with[3], with[4], with[5]);
    if (attempt->number == SYS_clone && result == 0) {
        _exit(EXIT_UNUSABLE); // this is the child
    }
    return result == -1 && (attempt->expected == 0 || errno == attempt->expected);
}

// Each returns whether the sandbox holds.
static bool is_not_root(void) {
    uid_t real, effective, saved;
    return getresuid(&real, &effective, &saved) == 0 && real != 0 && effective != 0 && saved != 0;
}
static bool has_no_capability(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2];
    return syscall(SYS_capget, &header, sets) == 0
        && (sets[0].effective | sets[0].permitted | sets[0].inheritable) == 0
        && (sets[1].effective | sets[1].permitted | sets[1].inheritable) == 0;
}
static bool gains_no_privileges(void) {
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}
static bool is_filtered(void) {
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2;
}
static bool has_exact_descriptors(void) {
    for (int file = 0; file < FILE_LIMIT; file++) {
        bool is_open = fcntl(file, F_GETFD) >= 0;
        if (is_open != (file <= WIRE_FD_HOST_DOORBELL)) {
            return false;
        }
    }
    return true;
}
uint32_t selftest_run(const char **failed) {
    const struct attempt attempts[] = {
        {"/etc/passwd could be opened", 0, SYS_openat, {AT_FDCWD, TEXT("/etc/passwd"), O_RDONLY}},
        {"/proc/self/mem could be read", 0, SYS_openat,
            {AT_FDCWD, TEXT("/proc/self/mem"), O_RDONLY}},
        {"/proc/self/mem could be opened", 0, SYS_openat,
            {AT_FDCWD, TEXT("/proc/self/mem"), O_RDWR}},
        {"the objects could be listed", EACCES, SYS_openat, {AT_FDCWD, TEXT("."), O_DIRECTORY}},
        {"a file could be made", EPERM, SYS_openat,
            {AT_FDCWD, TEXT("selftest"), O_WRONLY | O_CREAT, 0600}},
        {"the plugin's object could be written", EPERM, SYS_openat,
            {AT_FDCWD, TEXT(worker.spawn.object), O_RDWR}},
        {"an internet socket could be made", EPERM, SYS_socket, {AF_INET, SOCK_STREAM, 0}},
        {"a local socket could be made", EPERM, SYS_socket, {AF_UNIX, SOCK_STREAM, 0}},
        {"a vsock socket could be made", EPERM, SYS_socket, {AF_VSOCK, SOCK_STREAM, 0}},
        {"the zygote could be signalled", EPERM, SYS_kill, {getppid(), 0}},
        {"a process could be made", EPERM, SYS_clone, {SIGCHLD}},
        {"setuid(0) was not refused", EPERM, SYS_setuid, {0}},
        {"execve was not refused", EPERM, SYS_execve, {TEXT("/bin/true"), 0, 0}},
        {"writable code could be mapped", EPERM, SYS_mmap,
            {0, WIRE_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
        {"a memory file could be made", EPERM, SYS_memfd_create, {TEXT("selftest"), 0}},
    };
    static const struct {
        const char *name;
        bool (*holds)(void);
    } states[] = {
        {"the worker is root", is_not_root},
        {"the worker has a capability", has_no_capability},
        {"no_new_privs is not set", gains_no_privileges},
        {"no seccomp filter is active", is_filtered},
        {"the worker holds other descriptors than 0 to 6", has_exact_descriptors},
    };
    uint32_t passed = 0;
    *failed = NULL;
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        bool holds = is_refused(&attempts[i]);
        passed += holds;
        *failed = holds || *failed != NULL ? *failed : attempts[i].name;
    }
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        bool holds = states[i].holds();
        passed += holds;
        *failed = holds || *failed != NULL ? *failed : states[i].name;
    }
    return passed;
}
