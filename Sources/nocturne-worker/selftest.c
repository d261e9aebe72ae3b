// selftest.c — before it says hello, a worker tries what must be refused. Only things that answer with an errno: a filter that
// kills would take the proof with it. A call with an exact errno below was refused by seccomp, not by luck.
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

// Each returns whether the sandbox holds.
static bool refused(long result, int expected) {
    return result == -1 && (expected == 0 || errno == expected);
}
static bool secret_file(void) {
    return refused(openat(AT_FDCWD, "/etc/passwd", O_RDONLY), 0);
}
static bool own_memory(void) {
    return refused(openat(AT_FDCWD, "/proc/self/mem", O_RDWR), 0)
        && refused(openat(AT_FDCWD, "/proc/self/mem", O_RDONLY), 0);
}
static bool objects_listing(void) {
    return refused(openat(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY), EACCES); // Landlock's answer
}
static bool objects_writing(void) {
    return refused(openat(AT_FDCWD, "selftest", O_WRONLY | O_CREAT, 0600), EPERM)
        && refused(openat(AT_FDCWD, worker.spawn.object, O_RDWR), EPERM);
}
static bool internet_socket(void) {
    return refused(socket(AF_INET, SOCK_STREAM, 0), EPERM);
}
static bool local_socket(void) {
    return refused(socket(AF_UNIX, SOCK_STREAM, 0), EPERM);
}
static bool machine_socket(void) {
    return refused(socket(AF_VSOCK, SOCK_STREAM, 0), EPERM);
}
static bool foreign_signal(void) {
    return refused(kill(getppid(), 0), EPERM);
}
static bool new_process(void) {
    long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        _exit(EXIT_UNUSABLE);
    }
    return refused(child, EPERM);
}
static bool back_to_root(void) {
    return refused(syscall(SYS_setuid, 0), EPERM);
}
static bool other_program(void) {
    return refused(syscall(SYS_execve, "/bin/true", NULL, NULL), EPERM);
}
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
static bool writable_code(void) {
    void *page = mmap(
        NULL, WIRE_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return refused(page == MAP_FAILED ? -1 : 0, EPERM);
}
static bool memory_limit(void) {
    return refused(syscall(SYS_memfd_create, "selftest", 0), EPERM);
}

uint32_t selftest_run(const char **failed) {
    static const struct {
        const char *name;
        bool (*holds)(void);
    } tests[] = {
        {"/etc/passwd could be opened", secret_file},
        {"/proc/self/mem could be opened", own_memory},
        {"the objects directory could be listed", objects_listing},
        {"the objects directory could be written", objects_writing},
        {"an internet socket could be made", internet_socket},
        {"a local socket could be made", local_socket},
        {"a vsock socket could be made", machine_socket},
        {"the zygote could be signalled", foreign_signal},
        {"a process could be made", new_process},
        {"setuid(0) was not refused", back_to_root},
        {"execve was not refused", other_program},
        {"the worker is root", is_not_root},
        {"the worker has a capability", has_no_capability},
        {"no_new_privs is not set", gains_no_privileges},
        {"no seccomp filter is active", is_filtered},
        {"the worker holds other descriptors than 0 to 6", has_exact_descriptors},
        {"writable and executable memory could be mapped", writable_code},
        {"a memory file could be made", memory_limit},
    };
    uint32_t passed = 0;
    *failed = NULL;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (tests[i].holds()) {
            passed++;
        } else if (*failed == NULL) {
            *failed = tests[i].name;
        }
    }
    return passed;
}
