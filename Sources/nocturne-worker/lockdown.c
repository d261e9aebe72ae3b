// lockdown.c — from a fork of the zygote to a confined worker, one layer after the other. Up to
// `wait_for_spawn` a spare knows no plugin; what follows is on the path of a reload. A layer that
// fails ends in `fail`: nothing is loaded without it. Next: loader.c.
#include "worker.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define SPARE_SOCKET 10 // out of the way of WIRE_FD_…
#define PARKING 32      // received descriptors wait from here on for their places
#define MIB (1ull << 20)

// What a worker needs beside `limits.memory`, in bytes. C: the runtime's own and the buffer of
// `save` (16 MiB of it). Swift: the preloaded runtime's data and heaps, and the stacks of 64
// threads of Dispatch at SWIFT_STACK.
#define ALLOWANCE_C (32 * MIB)
#define ALLOWANCE_SWIFT (128 * MIB)
#define STACK_ALLOWANCE (2 * MIB) // a call thread: 1 MiB of stack, and its malloc arena
#define SWIFT_STACK                                                                                \
    (1 * MIB) // of threads that the plugin starts; glibc's default of 8 MiB would use up DATA
#define ADDRESS_ALLOWANCE                                                                          \
    (4096 * MIB) // RLIMIT_AS above DATA: mappings of payloads, malloc's reserved arenas
#define MEMORY_MAX (1ull << 40) // what a manifest may ask; more is cut, so that no sum overflows
#define THREADS_DEFAULT 64u
#define THREADS_SWIFT 16u // Dispatch hangs for ever when it cannot start a thread

static int preparing_error;
static const char *preparing_step;

// Records the first step of the preparation that failed; the spare still waits, to tell it to whom
// it is bound.
static bool step(const char *name, int error) {
    if (error != 0 && preparing_step == NULL) {
        preparing_step = name;
        preparing_error = error;
    }
    return error == 0;
}

static int keep_descriptors(int socket) {
    if (dup2(socket, SPARE_SOCKET) < 0) {
        return errno;
    }
    return syscall(SYS_close_range, 3, SPARE_SOCKET - 1, 0) != 0
            || syscall(SYS_close_range, SPARE_SOCKET + 1, ~0u, 0) != 0
        ? errno
        : 0;
}

// Root only, and only as far as CAP_SETPCAP lets it: no_new_privs makes both moot.
static void drop_bounding_set(void) {
    prctl(PR_SET_SECUREBITS,
        SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED
            | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE
            | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED);
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
            add_remark("the capability bounding set stays: no CAP_SETPCAP");
            return;
        }
    }
}

static int become(uid_t uid) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    if (geteuid() == 0) {
        drop_bounding_set();
        if (setgroups(0, NULL) != 0 || setresgid(uid, uid, uid) != 0
            || setresuid(uid, uid, uid) != 0) {
            return errno;
        }
        worker.has_own_uid = true;
        worker.layers |= WIRE_LAYER_UID;
    } else {
        add_remark("no uid of its own: the host is not root");
    }
    return syscall(SYS_capset, &header, none) == 0 ? 0 : errno;
}

// Layers that need no plugin. Returns the Landlock ruleset; a negative one if `preparing_step` says
// why.
static int prepare(int socket, uid_t uid) {
    sigset_t none;
    sigemptyset(&none);
    step("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno);
    worker.layers |= setsid() > 0 ? WIRE_LAYER_SESSION : 0;
    step("closing descriptors", keep_descriptors(socket));
    step("the unprivileged user", become(uid));
    step("the signal mask", sigprocmask(SIG_SETMASK, &none, NULL) == 0 ? 0 : errno);
    // A change of uid resets both of these, so they come after it.
    worker.layers |= prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? WIRE_LAYER_UNDUMPABLE : 0;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0) {
        worker.layers |= WIRE_LAYER_DEATH_SIGNAL;
        if (getppid() != worker.zygote) { // it died before the line above
            _exit(EXIT_UNUSABLE);
        }
    }
    prctl(PR_SET_NAME, "nocturne-worker", 0, 0, 0);
    int low = landlock_prepare();
    int ruleset = low < 0 ? low : fcntl(low, F_DUPFD_CLOEXEC, SPARE_SOCKET + 1);
    step("Landlock's rules", low < 0 ? -low : ruleset < 0 ? errno : 0);
    close(low);
    worker.layers |= WIRE_LAYER_NO_NEW_PRIVS | WIRE_LAYER_DESCRIPTORS | WIRE_LAYER_CAPABILITIES
        | (getuid() != 0 ? WIRE_LAYER_NON_ROOT : 0);
    return ruleset;
}

// Waits for the zygote's word, then puts the descriptors where they belong. The zygote has checked
// the message.
static void wait_for_spawn(void) {
    int files[WIRE_FILES];
    size_t count = WIRE_FILES;
    ssize_t size = receive_message(SPARE_SOCKET, &worker.spawn, sizeof worker.spawn, files, &count);
    if (size != (ssize_t)sizeof worker.spawn || count != WIRE_FILES) {
        _exit(size == 0 ? 0 : EXIT_UNUSABLE);
    }
    for (size_t i = 0; i < WIRE_FILES; i++) {
        files[i] = fcntl(files[i], F_DUPFD_CLOEXEC, PARKING);
    }
    for (size_t i = 0; i < WIRE_FILES; i++) {
        if (files[i] < 0 || dup2(files[i], (int)i + 1) < 0) {
            _exit(EXIT_UNUSABLE);
        }
    }
    // Call threads sleep in read(); the read end is this worker's alone.
    int flags = fcntl(WIRE_FD_DOORBELL, F_GETFL);
    fcntl(WIRE_FD_DOORBELL, F_SETFL, flags & ~O_NONBLOCK);
}

// Maps one of the two memory files, or fails. `seals`: all of these, and one of `write_seals` if
// that is not 0.
static void *map_file(int file, const char *name, off_t size, int write_seals, int protection) {
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW;
    struct stat status;
    int found = fcntl(file, F_GET_SEALS);
    if (found < 0 || (found & seals) != seals || (write_seals != 0 && (found & write_seals) == 0)) {
        fail(WIRE_STAGE_SANDBOX, EINVAL, "the memory file `%s` is not sealed (seals %d)", name,
            found);
    }
    if (fstat(file, &status) != 0 || status.st_size != size) {
        fail(WIRE_STAGE_SANDBOX, EINVAL,
            "the memory file `%s` has another size than wire version %u says", name, WIRE_VERSION);
    }
    void *bytes = mmap(NULL, (size_t)size, protection, MAP_SHARED, file, 0);
    if (bytes == MAP_FAILED) {
        fail(WIRE_STAGE_SANDBOX, errno, "the memory file `%s` cannot be mapped", name);
    }
    return bytes;
}

static void map_files(void) {
    worker.down = map_file(
        WIRE_FD_DOWN, "down", WIRE_DOWN_SIZE, F_SEAL_FUTURE_WRITE | F_SEAL_WRITE, PROT_READ);
    worker.up = map_file(WIRE_FD_UP, "up", WIRE_UP_SIZE, 0, PROT_READ | PROT_WRITE);
    if (worker.down->version != WIRE_VERSION) {
        fail(WIRE_STAGE_SANDBOX, EPROTO, "the host speaks wire version %u, this worker %u",
            worker.down->version, WIRE_VERSION);
    }
    worker.up->version = WIRE_VERSION;
    worker.layers |= WIRE_LAYER_SEALED_MEMORY;
}

static void set_limit(int resource, const char *name, uint64_t value) {
    struct rlimit limit = {value, value};
    int result = setrlimit((__rlimit_resource_t)resource, &limit);
    // An ordinary user's hard limit may be lower already; then it stays.
    if (result != 0 && getrlimit((__rlimit_resource_t)resource, &limit) == 0
        && limit.rlim_max < value) {
        limit.rlim_cur = limit.rlim_max;
        result = setrlimit((__rlimit_resource_t)resource, &limit);
    }
    if (result != 0) {
        fail(WIRE_STAGE_SANDBOX, errno, "the limit %s cannot be set to %llu", name,
            (unsigned long long)value);
    }
}

static void set_limits(void) {
    const wire_spawn *spawn = &worker.spawn;
    uint64_t memory = spawn->memory_bytes < MEMORY_MAX ? spawn->memory_bytes : MEMORY_MAX;
    uint64_t data = memory + spawn->concurrency * STACK_ALLOWANCE
        + (profile.is_swift ? ALLOWANCE_SWIFT : ALLOWANCE_C);
    set_limit(RLIMIT_CORE, "core", 0);
    set_limit(RLIMIT_FSIZE, "fsize", 0);
    set_limit(RLIMIT_NOFILE, "nofile", 64);
    set_limit(RLIMIT_MEMLOCK, "memlock", 0);
    set_limit(RLIMIT_MSGQUEUE, "msgqueue", 0);
    set_limit(RLIMIT_RTPRIO, "rtprio", 0);
    set_limit(RLIMIT_NICE, "nice", 0);
    set_limit(RLIMIT_SIGPENDING, "sigpending", 64);
    set_limit(RLIMIT_STACK, "stack", 8 * MIB);
    set_limit(RLIMIT_DATA, "data", data);
    if (!profile.is_swift) {
        set_limit(RLIMIT_AS, "as", data + ADDRESS_ALLOWANCE);
    }
    worker.layers |= WIRE_LAYER_LIMITS;
    if (!worker.has_own_uid) {
        add_remark("limits.threads is not enforced: it would count all of the user's processes");
        return;
    }
    // The call threads and the control thread are ours, not the plugin's.
    uint64_t threads = spawn->threads != 0 ? spawn->threads : THREADS_DEFAULT;
    set_limit(RLIMIT_NPROC, "nproc", threads + spawn->concurrency + 1);
    worker.layers |= WIRE_LAYER_PROCESS_LIMIT;
}

static void check_spawn(void) {
    wire_spawn *spawn = &worker.spawn;
    if (preparing_step != NULL) {
        fail(WIRE_STAGE_SANDBOX, preparing_error, "%s: not possible here", preparing_step);
    }
    if (memchr(spawn->object, 0, sizeof spawn->object) == NULL || spawn->object[0] == 0
        || strchr(spawn->object, '/') != NULL || spawn->concurrency == 0
        || spawn->concurrency > WIRE_CALL_SLOTS) {
        fail(WIRE_STAGE_SANDBOX, EPROTO, "the host's spawn message is malformed");
    }
    if (profile.is_swift && spawn->threads != 0 && spawn->threads < THREADS_SWIFT) {
        fail(WIRE_STAGE_LOAD, EINVAL,
            "limits.threads is %u, but Swift's runtime may need %u: raise it, or leave it out",
            spawn->threads, THREADS_SWIFT);
    }
}

static void confine(int ruleset) {
    int error = landlock_enforce(ruleset, worker.spawn.object);
    if (error == ENOENT) {
        fail(WIRE_STAGE_LOAD, error, "%s is not in the object store", worker.spawn.object);
    }
    if (error != 0) {
        fail(WIRE_STAGE_SANDBOX, error, "Landlock cannot be applied");
    }
    worker.layers |= WIRE_LAYER_LANDLOCK;
    if (profile.landlock_abi < 6) {
        add_remark("Landlock ABI %d has no signal and socket scopes: seccomp alone refuses these",
            profile.landlock_abi);
    }
    if (syscall(SYS_close_range, WIRE_FD_DOWN, ~0u, 0) != 0) {
        fail(WIRE_STAGE_SANDBOX, errno, "descriptors cannot be closed");
    }
    error = filter_install_stage1();
    if (error != 0) {
        fail(WIRE_STAGE_SANDBOX, error, "the seccomp filter cannot be installed");
    }
    worker.layers |= WIRE_LAYER_SECCOMP;
}

static void say_hello(void) {
    const char *failed = NULL;
    wire_hello hello = {.magic = WIRE_MAGIC, .message = WIRE_MESSAGE_HELLO};
    hello.tests_passed = selftest_run(&failed);
    if (failed != NULL) {
        fail(WIRE_STAGE_SELFTEST, EPERM, "the sandbox does not hold: %s", failed);
    }
    worker.layers |= WIRE_LAYER_SELFTEST;
    if ((worker.layers & WIRE_LAYERS_MANDATORY) != WIRE_LAYERS_MANDATORY) {
        fail(WIRE_STAGE_SANDBOX, EPERM, "mandatory layers are missing: 0x%x",
            WIRE_LAYERS_MANDATORY & ~worker.layers);
    }
    hello.layers = worker.layers;
    hello.landlock_abi = (uint32_t)profile.landlock_abi;
    hello.uid = getuid();
    memcpy(hello.text, worker.remarks, sizeof hello.text);
    if (send_message(WIRE_FD_CONTROL, &hello, sizeof hello, NULL, 0) != 0) {
        _exit(EXIT_UNUSABLE); // nobody is there to be told
    }
}

void worker_run(int socket, uid_t uid, pid_t zygote) {
    pthread_attr_t attributes;
    wire_loaded loaded = {.magic = WIRE_MAGIC, .message = WIRE_MESSAGE_LOADED};
    worker.zygote = zygote;
    int ruleset = prepare(socket, uid);
    wait_for_spawn();
    check_spawn();
    map_files();
    set_limits();
    int error = contributions_read();
    if (error != 0) {
        fail(WIRE_STAGE_SANDBOX, error, "the host's list of declared names is malformed");
    }
    if (profile.is_swift && pthread_attr_init(&attributes) == 0) {
        pthread_attr_setstacksize(&attributes, SWIFT_STACK);
        pthread_setattr_default_np(&attributes);
        pthread_attr_destroy(&attributes);
    }
    confine(ruleset);
    worker.is_confined = true;
    say_hello();
    loader_run(&loaded);
    error = calls_start();
    if (error != 0) {
        fail(WIRE_STAGE_LOAD, error,
            "%u call threads cannot be started: raise limits.threads or lower limits.concurrency",
            worker.spawn.concurrency);
    }
    error = filter_install_stage2();
    if (error != 0) {
        fail(WIRE_STAGE_SEAL, error, "the second seccomp filter cannot be put on all threads");
    }
    if (send_message(WIRE_FD_CONTROL, &loaded, sizeof loaded, NULL, 0) != 0) {
        _exit(EXIT_UNUSABLE);
    }
    control_run();
}
