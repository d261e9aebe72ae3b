// zygote.c — one single-threaded process that forks workers. It keeps one fork ahead, the spare,
// because forking costs more than binding. It holds no secrets and no plugin's data: all its memory
// is inherited by every worker. It exits when the host closes the socket, and takes the workers
// with it (PDEATHSIG). Next: lockdown.c.
#include "worker.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CONTROL 3
#define WORKERS_MAX 4096u   // live workers of one zygote; the host has far fewer
#define SPARE_DELAY_MS 5    // after a spawn: the new worker's loading goes first
#define SPARE_RETRY_MS 1000 // after a spare has died or could not be forked: no fork storm
#define SYS_PIDFD_OPEN 434L // the same on all architectures
#define NO_SLOT UINT32_MAX

// A living fork. The slot's number gives it its uid, so that no two live workers share one.
struct slot {
    pid_t pid; // 0: free
    uint64_t id;
};
static struct slot slots[WORKERS_MAX];
static uint32_t slot_count, next_slot;

static struct {
    uint32_t slot;
    int socket, pidfd;
    int64_t due_ns; // when to fork the next one, while there is none
} spare = {.slot = NO_SLOT, .socket = -1, .pidfd = -1};
static pid_t own_pid;

// Sends to the host. If it is gone, so is the reason to live.
static void tell(const void *message, size_t size, const int *files, size_t count) {
    if (send_message(CONTROL, message, size, files, count) != 0) {
        _exit(0);
    }
}

static uid_t uid_of(uint32_t slot) {
    return geteuid() == 0 ? profile.uid_base + slot : geteuid();
}

// The free slot that was used longest ago, or NO_SLOT.
static uint32_t take_slot(void) {
    for (uint32_t i = 0; i < slot_count; i++) {
        uint32_t slot = (next_slot + i) % slot_count;
        if (slots[slot].pid == 0) {
            next_slot = slot + 1;
            return slot;
        }
    }
    return NO_SLOT;
}

static void forget_spare(void) {
    close(spare.socket);
    close(spare.pidfd);
    spare.socket = spare.pidfd = -1;
    spare.slot = NO_SLOT;
}

// EAGAIN when all uids are taken.
static int fork_spare(void) {
    int ends[2];
    uint32_t slot = take_slot();
    if (slot == NO_SLOT) {
        return EAGAIN;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return errno;
    }
    pid_t child = fork();
    if (child == 0) {
        worker_run(ends[1], uid_of(slot), own_pid);
    }
    int error = child < 0 ? errno : 0;
    close(ends[1]);
    int pidfd = error == 0 ? (int)syscall(SYS_PIDFD_OPEN, child, 0) : -1;
    if (error == 0 && pidfd < 0) { // a worker that cannot be killed surely is no worker
        error = errno;
        kill(child, SIGKILL);
    }
    if (child > 0) {
        slots[slot] = (struct slot){child, 0};
    }
    if (error != 0) {
        close(ends[0]);
        return error;
    }
    spare.slot = slot;
    spare.socket = ends[0];
    spare.pidfd = pidfd;
    return 0;
}

// Binds the spare, or a fresh fork, to the plugin of `spawn`.
static void bind_worker(const wire_spawn *spawn, const int *files) {
    wire_forked forked = {.magic = WIRE_MAGIC, .message = WIRE_MESSAGE_FORKED, .id = spawn->id};
    int error = EPIPE;
    for (int attempt = 0; attempt < 2 && error != 0; attempt++) {
        error = spare.slot == NO_SLOT ? fork_spare() : 0;
        if (error == 0) {
            error = send_message(spare.socket, spawn, sizeof *spawn, files, WIRE_FILES);
            if (error != 0) { // it is dead, its slot is freed when it is reaped
                forget_spare();
            }
        }
    }
    forked.error = error;
    if (error != 0) {
        tell(&forked, sizeof forked, NULL, 0);
        return;
    }
    slots[spare.slot].id = spawn->id;
    forked.uid = uid_of(spare.slot);
    tell(&forked, sizeof forked, &spare.pidfd, 1);
    forget_spare();
    spare.due_ns = now_ns() + SPARE_DELAY_MS * (NANOSECONDS / 1000);
}

static void take_message(void) {
    int files[WIRE_FILES];
    size_t count = WIRE_FILES;
    wire_spawn spawn;
    ssize_t size = receive_message(CONTROL, &spawn, sizeof spawn, files, &count);
    if (size == 0 || size == -ECONNRESET) {
        _exit(0);
    }
    if (size == (ssize_t)sizeof spawn && count == WIRE_FILES && spawn.magic == WIRE_MAGIC
        && spawn.message == WIRE_MESSAGE_SPAWN && spawn.id != 0) {
        bind_worker(&spawn, files);
    } else {
        dprintf(STDERR_FILENO,
            "nocturne-worker: ignored a malformed message of %zd bytes with %zu files\n", size,
            count);
    }
    for (size_t i = 0; i < count; i++) {
        close(files[i]);
    }
}

static void reap(void) {
    siginfo_t info;
    for (;;) {
        memset(&info, 0, sizeof info);
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) {
            return;
        }
        for (uint32_t slot = 0; slot < slot_count; slot++) {
            if (slots[slot].pid != info.si_pid) {
                continue;
            }
            if (slot == spare.slot) {
                forget_spare();
                spare.due_ns = now_ns() + SPARE_RETRY_MS * (NANOSECONDS / 1000);
            }
            if (slots[slot].id != 0) {
                wire_exited exited = {
                    WIRE_MAGIC, WIRE_MESSAGE_EXITED, slots[slot].id, info.si_code, info.si_status};
                tell(&exited, sizeof exited, NULL, 0);
            }
            slots[slot] = (struct slot){0, 0};
        }
    }
}

// Loads what every plugin of this runtime needs, so that its pages and relocations are shared by
// all workers. Libraries that this version of Swift does not have are left out. Writes what is
// missing into `text`.
static void preload(char *text) {
    static const char *const swift[] = {"libswiftCore.so", "libswift_Concurrency.so",
        "libswift_StringProcessing.so", "libswift_RegexParser.so", "libswiftSynchronization.so",
        "libBlocksRuntime.so", "libdispatch.so", "libswiftDispatch.so", "libswiftGlibc.so"};
    if (dlopen("libgcc_s.so.1", RTLD_NOW) == NULL) { // libc opens it when a thread first unwinds
        format_text(text, "%s: install libgcc", dlerror());
        return;
    }
    for (size_t i = 0; profile.is_swift && i < sizeof swift / sizeof *swift; i++) {
        if (dlopen(swift[i], RTLD_NOW) == NULL && i == 0) {
            format_text(text, "%s: is %s the runtime of this version of Swift?", dlerror(),
                profile.runtime_directory);
            return;
        }
    }
}

static uint32_t count_threads(void) {
    uint32_t count = 0;
    DIR *directory = opendir("/proc/self/task");
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return count;
}

static void clean_signals_and_input(void) {
    struct stat status;
    for (int number = 1; number <= SIGRTMAX; number++) {
        signal(number, SIG_DFL);
    }
    signal(SIGPIPE, SIG_IGN);
    if (fstat(0, &status) != 0 || !S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3)) {
        int null = open("/dev/null", O_RDWR);
        if (null > 0) {
            dup2(null, 0);
            close(null);
        }
    }
    syscall(SYS_close_range, CONTROL + 1, ~0u, 0); // what the host let through by mistake
    setsid(); // a terminal's interrupt is the host's business; fails if it leads a group already
}

static void start(const char *objects, wire_ready *ready) {
    cpu_set_t cpus;
    bool is_root = geteuid() == 0;
    profile.landlock_abi = landlock_probe();
    profile.has_many_cpus = sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) > 1;
    slot_count = is_root && profile.uid_count < WORKERS_MAX ? profile.uid_count : WORKERS_MAX;
    preload(ready->text);
    // The loader has its LD_LIBRARY_PATH since the start. A Swift runtime inside a plugin reads
    // these, and no NULL.
    static char *environment[] = {"LC_ALL=C", "SWIFT_BACKTRACE=enable=no", NULL};
    environ = environment;
    int error = filter_compile();
    ready->threads = count_threads();
    ready->landlock_abi = (uint32_t)profile.landlock_abi;
    ready->layers = (WIRE_LAYERS_MANDATORY | WIRE_LAYER_SESSION | WIRE_LAYER_DEATH_SIGNAL
                        | WIRE_LAYER_UNDUMPABLE)
        & ~(WIRE_LAYER_SELFTEST | WIRE_LAYER_NON_ROOT | WIRE_LAYER_LANDLOCK | WIRE_LAYER_SECCOMP);
    bool can_drop = is_root && slot_count > 0 && profile.uid_base > 0
        && profile.uid_base <= UINT32_MAX - WORKERS_MAX;
    ready->layers |= (can_drop ? WIRE_LAYER_UID | WIRE_LAYER_PROCESS_LIMIT : 0)
        | (can_drop || !is_root ? WIRE_LAYER_NON_ROOT : 0)
        | (profile.landlock_abi > 0 ? WIRE_LAYER_LANDLOCK : 0)
        | (error == 0 ? WIRE_LAYER_SECCOMP : 0);
    if (ready->text[0] != 0) {
        return;
    }
    if (chdir(objects) != 0) {
        format_text(
            ready->text, "%s: %s: the object store cannot be entered", objects, strerror(errno));
    } else if (error != 0) {
        format_text(ready->text, "seccomp: %s: the filters cannot be compiled", strerror(error));
    } else if (profile.landlock_abi < 1) {
        format_text(ready->text,
            "this kernel has no Landlock: boot one of 5.13 or later with lsm=landlock");
    } else if (is_root && !can_drop) {
        format_text(
            ready->text, "the host is root and has no unprivileged uids for workers: give it some");
    } else if (ready->threads != 1) {
        format_text(ready->text, "the zygote has %u threads instead of one", ready->threads);
    }
}

// How long to sleep until the next spare is due, in ms; -1 when there is one.
static int pause_ms(void) {
    if (spare.slot != NO_SLOT) {
        return -1;
    }
    int64_t left = (spare.due_ns - now_ns() + NANOSECONDS / 1000 - 1) / (NANOSECONDS / 1000);
    return left < 0 ? 0 : (int)left;
}

void zygote_run(const char *objects) {
    wire_ready ready = {.magic = WIRE_MAGIC, .message = WIRE_MESSAGE_READY};
    sigset_t children;
    struct signalfd_siginfo ignored;
    prctl(PR_SET_NAME, "nocturne-zygote", 0, 0, 0);
    clean_signals_and_input();
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_SETMASK, &children, NULL);
    int signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    own_pid = getpid();
    start(objects, &ready);
    tell(&ready, sizeof ready, NULL, 0);
    if (signals < 0 || ready.text[0] != 0) {
        _exit(EXIT_UNUSABLE);
    }
    for (;;) {
        struct pollfd ready_files[] = {{CONTROL, POLLIN, 0}, {signals, POLLIN, 0}};
        int count = poll(ready_files, 2, pause_ms());
        if (count == 0 && fork_spare() != 0) {
            spare.due_ns = now_ns() + SPARE_RETRY_MS * (NANOSECONDS / 1000);
        }
        if (count > 0 && ready_files[0].revents != 0) {
            take_message();
        }
        if (count > 0 && ready_files[1].revents != 0) {
            while (read(signals, &ignored, sizeof ignored) > 0) {
            }
            reap();
        }
    }
}
