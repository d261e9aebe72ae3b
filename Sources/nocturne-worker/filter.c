// filter.c — the system calls a worker may make: seccomp by libseccomp, compiled once in the
// zygote, installed raw.
//
// Stage 1 holds before the plugin's first instruction and still lets dlopen work. Stage 2 comes
// after it, on all threads: no file is opened and nothing becomes executable any more. A third,
// small program (the tail) says what libseccomp cannot: this process's id, a syscall number "above
// the newest known", two answers for one call.
//
// A call that is not listed gets EPERM: it is known, and refused. A number above the newest known
// gets ENOSYS, as do the listed calls that came late and whose arguments lie in memory: libraries
// then take the older way, while EPERM would be the end for them (glibc tries clone3 first). What
// only an attack would try kills the process.
#include "worker.h"
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define NEWEST_SYSCALL                                                                             \
    450u // set_mempolicy_home_node, Linux 5.17; one numbering on all architectures since 424
// What glibc's pthread_create passes (sysdeps/unix/sysv/linux/createthread.c), and nothing else.
#define PTHREAD_FLAGS 0x3d0f00ull
#define CLONE_NAMESPACES 0x7e020000u // all CLONE_NEW… that clone(2) takes
#define FLAG_TSYNC 1ul               // SECCOMP_FILTER_FLAG_TSYNC
#define OPERATION_SET_FILTER 1u      // SECCOMP_SET_MODE_FILTER
#define COMMAND_FIONREAD 0x541bu
#define COMMAND_FIOCLEX 0x5451u
#define CLOCK_LAST 11u // CLOCK_TAI; negative ids name other processes
// Opening for anything but reading: O_ACCMODE, O_CREAT, O_TRUNC, O_APPEND, and O_TMPFILE's own bit.
#define OPEN_WRITES (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY))
#define CALL(name) SCMP_SYS(name)

// The tail narrows ioctl, kill, tgkill and rt_sigaction.
static const int allowed[] = {CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64),
    CALL(pwrite64), CALL(preadv), CALL(close), CALL(fstat), CALL(newfstatat), CALL(lseek),
    CALL(munmap), CALL(brk), CALL(mremap), CALL(nanosleep), CALL(gettimeofday), CALL(time),
    CALL(getpid), CALL(getppid), CALL(gettid), CALL(getuid), CALL(geteuid), CALL(getgid),
    CALL(getegid), CALL(getresuid), CALL(getresgid), CALL(getgroups), CALL(capget), CALL(getrandom),
    CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(rt_sigsuspend), CALL(rt_sigtimedwait),
    CALL(rt_sigpending), CALL(sigaltstack), CALL(restart_syscall), CALL(sched_yield),
    CALL(sched_getaffinity), CALL(sched_get_priority_max), CALL(sched_get_priority_min),
    CALL(set_robust_list), CALL(rseq), CALL(set_tid_address), CALL(exit), CALL(exit_group),
    CALL(poll), CALL(ppoll), CALL(select), CALL(pselect6), CALL(recvmsg), CALL(sendmsg),
    CALL(membarrier), CALL(getcpu), CALL(uname), CALL(sysinfo), CALL(epoll_create1),
    CALL(epoll_ctl), CALL(epoll_wait), CALL(epoll_pwait), CALL(eventfd2), CALL(timerfd_create),
    CALL(timerfd_settime), CALL(timerfd_gettime), CALL(pipe2), CALL(dup), CALL(dup2), CALL(dup3),
    CALL(ioctl), CALL(kill), CALL(tgkill), CALL(rt_sigaction)};

// ENOSYS: take the older way.
static const int absent[] = {CALL(clone3), CALL(statx), CALL(openat2), CALL(faccessat2),
    CALL(close_range), CALL(epoll_pwait2), CALL(pidfd_open), CALL(pidfd_send_signal),
    CALL(futex_waitv), CALL(io_uring_setup), CALL(io_uring_enter), CALL(io_uring_register),
    CALL(preadv2), CALL(pwritev2)};

// ENOENT: there is no such file.
static const int hidden[] = {CALL(access), CALL(faccessat), CALL(readlink), CALL(readlinkat)};

// What only an attack would try.
static const int hostile[] = {CALL(ptrace), CALL(process_vm_readv), CALL(process_vm_writev),
    CALL(process_madvise), CALL(process_mrelease), CALL(pidfd_getfd), CALL(kcmp), CALL(bpf),
    CALL(perf_event_open), CALL(userfaultfd), CALL(add_key), CALL(request_key), CALL(keyctl),
    CALL(mount), CALL(umount2), CALL(pivot_root), CALL(chroot), CALL(move_mount), CALL(open_tree),
    CALL(fsopen), CALL(fsconfig), CALL(fsmount), CALL(fspick), CALL(mount_setattr), CALL(setns),
    CALL(unshare), CALL(init_module), CALL(finit_module), CALL(delete_module), CALL(kexec_load),
    CALL(kexec_file_load), CALL(reboot), CALL(swapon), CALL(swapoff), CALL(open_by_handle_at),
    CALL(name_to_handle_at), CALL(personality), CALL(modify_ldt), CALL(iopl), CALL(ioperm),
    CALL(io_setup), CALL(io_submit), CALL(quotactl), CALL(acct), CALL(syslog), CALL(sethostname),
    CALL(setdomainname), CALL(settimeofday), CALL(clock_settime), CALL(adjtimex),
    CALL(clock_adjtime), CALL(vmsplice), CALL(remap_file_pages), CALL(lookup_dcookie), CALL(mbind),
    CALL(migrate_pages), CALL(move_pages), CALL(mq_open), CALL(shmget), CALL(shmat), CALL(semget),
    CALL(msgget), CALL(fanotify_init), CALL(vhangup), CALL(uselib)};

// One call allowed for one value of one argument (after a mask), by several such lines for several
// values.
struct narrow {
    int call;
    unsigned argument;
    uint64_t mask, value;
};
#define WHOLE UINT64_MAX
#define LOW_WORD 0xffffffffull // the kernel takes an int here

static const struct narrow narrowed[] = {{CALL(openat), 2, OPEN_WRITES, 0},
    {CALL(clone), 0, WHOLE, PTHREAD_FLAGS},
    {CALL(mmap), 2, PROT_WRITE | PROT_EXEC, 0}, // never both
    {CALL(mmap), 2, PROT_WRITE | PROT_EXEC, PROT_WRITE},
    {CALL(mmap), 2, PROT_WRITE | PROT_EXEC, PROT_EXEC},
    {CALL(mprotect), 2, PROT_EXEC, 0}, // what may run was mapped so from a file
    {CALL(prlimit64), 2, WHOLE, 0},    // reading
    {CALL(getrusage), 0, LOW_WORD, 0}, // of this process
    {CALL(getrusage), 0, LOW_WORD, 1}, // of this thread
    {CALL(prctl), 0, LOW_WORD, PR_SET_NAME}, {CALL(prctl), 0, LOW_WORD, PR_GET_NAME},
    {CALL(prctl), 0, LOW_WORD, 0x53564d41 /* PR_SET_VMA */},
    {CALL(prctl), 0, LOW_WORD, PR_GET_NO_NEW_PRIVS}, {CALL(prctl), 0, LOW_WORD, PR_GET_SECCOMP},
    {CALL(fcntl), 1, LOW_WORD, F_DUPFD}, {CALL(fcntl), 1, LOW_WORD, F_DUPFD_CLOEXEC},
    {CALL(fcntl), 1, LOW_WORD, F_GETFD}, {CALL(fcntl), 1, LOW_WORD, F_SETFD},
    {CALL(fcntl), 1, LOW_WORD, F_GETFL}, {CALL(fcntl), 1, LOW_WORD, F_GETPIPE_SZ},
    {CALL(futex), 1, 0x7f, 0 /* WAIT */}, {CALL(futex), 1, 0x7f, 1 /* WAKE */},
    {CALL(futex), 1, 0x7f, 3 /* REQUEUE */}, {CALL(futex), 1, 0x7f, 4 /* CMP_REQUEUE */},
    {CALL(futex), 1, 0x7f, 5 /* WAKE_OP */}, {CALL(futex), 1, 0x7f, 9 /* WAIT_BITSET */},
    {CALL(futex), 1, 0x7f, 10 /* WAKE_BITSET */},
    // Swift's Mutex is a PI futex on Linux and traps when it is refused under contention; these are
    // its exact operations.
    {CALL(futex), 1, LOW_WORD, 0x86 /* LOCK_PI | PRIVATE */},
    {CALL(futex), 1, LOW_WORD, 0x87 /* UNLOCK_PI | PRIVATE */},
    {CALL(futex), 1, LOW_WORD, 0x88 /* TRYLOCK_PI | PRIVATE */},
    {CALL(futex), 1, LOW_WORD, 0x08 /* TRYLOCK_PI */}, {CALL(madvise), 2, LOW_WORD, MADV_NORMAL},
    {CALL(madvise), 2, LOW_WORD, MADV_RANDOM}, {CALL(madvise), 2, LOW_WORD, MADV_SEQUENTIAL},
    {CALL(madvise), 2, LOW_WORD, MADV_WILLNEED}, {CALL(madvise), 2, LOW_WORD, MADV_DONTNEED},
    {CALL(madvise), 2, LOW_WORD, MADV_FREE}, {CALL(madvise), 2, LOW_WORD, MADV_HUGEPAGE},
    {CALL(madvise), 2, LOW_WORD, MADV_NOHUGEPAGE}, {CALL(madvise), 2, LOW_WORD, MADV_DONTDUMP}};

#define COUNT(list) (sizeof list / sizeof *list)

// Adds one rule a call. `error` is what earlier rules gave.
static int add_all(
    scmp_filter_ctx context, int error, uint32_t action, const int *calls, size_t count) {
    for (size_t i = 0; error == 0 && i < count; i++) {
        error = -seccomp_rule_add(context, action, calls[i], 0);
    }
    return error;
}

// Rules that look at arguments in other ways than `narrow` says.
static int add_particular(scmp_filter_ctx context) {
    static const int clocks[] = {CALL(clock_gettime), CALL(clock_getres), CALL(clock_nanosleep)};
    // A pipe's flags are shared with whoever else holds that end: a worker may set non-blocking,
    // and never clear it.
    const uint64_t status_flags = ~(uint64_t)(O_ACCMODE | O_LARGEFILE);
    int error = -seccomp_rule_add(context, SCMP_ACT_ALLOW, CALL(fcntl), 2,
        SCMP_A1_64(SCMP_CMP_EQ, F_SETFL, 0),
        SCMP_A2_64(SCMP_CMP_MASKED_EQ, status_flags, O_NONBLOCK));
    // For the tail and stage 2. It can only tighten, and cannot make a listener.
    error = error != 0 ? error
                       : -seccomp_rule_add(context, SCMP_ACT_ALLOW, CALL(seccomp), 2,
                             SCMP_A0_64(SCMP_CMP_EQ, OPERATION_SET_FILTER, 0),
                             SCMP_A1_64(SCMP_CMP_EQ, FLAG_TSYNC, 0));
    for (size_t i = 0; error == 0 && i < COUNT(clocks); i++) {
        error = -seccomp_rule_add(
            context, SCMP_ACT_ALLOW, clocks[i], 1, SCMP_A0_64(SCMP_CMP_LE, CLOCK_LAST, 0));
    }
    return error;
}

static int add_stage1(scmp_filter_ctx context) {
    int error = add_all(context, 0, SCMP_ACT_ALLOW, allowed, COUNT(allowed));
    error = add_all(context, error, SCMP_ACT_ERRNO(ENOSYS), absent, COUNT(absent));
    error = add_all(context, error, SCMP_ACT_ERRNO(ENOENT), hidden, COUNT(hidden));
    error = add_all(context, error, SCMP_ACT_KILL_PROCESS, hostile, COUNT(hostile));
    for (size_t i = 0; error == 0 && i < COUNT(narrowed); i++) {
        const struct narrow *rule = &narrowed[i];
        struct scmp_arg_cmp test = {rule->argument, SCMP_CMP_MASKED_EQ, rule->mask, rule->value};
        error = -seccomp_rule_add_array(context, SCMP_ACT_ALLOW, rule->call, 1, &test);
    }
    return error != 0 ? error : add_particular(context);
}

static int add_stage2(scmp_filter_ctx context) {
    static const int closed[] = {CALL(openat), CALL(seccomp)};
    static const int mapping[] = {CALL(mmap), CALL(mprotect)};
    int error = add_all(context, 0, SCMP_ACT_ERRNO(EPERM), closed, COUNT(closed));
    for (size_t i = 0; error == 0 && i < COUNT(mapping); i++) {
        error = -seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), mapping[i], 1,
            SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
    }
    return error;
}

// Compiles the rules of `add` into memory that lives as long as the process.
static int compile(uint32_t other, int (*add)(scmp_filter_ctx), struct sock_fprog *program) {
    scmp_filter_ctx context = seccomp_init(other);
    if (context == NULL) {
        return ENOMEM;
    }
    // 2: a binary tree of the numbers instead of a list.
    int error = -seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    error = error != 0 ? error
                       : -seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    error = error != 0 ? error : add(context);
    int file = error == 0 ? memfd_create("filter", MFD_CLOEXEC) : -1;
    error = error == 0 && file < 0 ? errno : error;
    error = error != 0 ? error : -seccomp_export_bpf(context, file);
    seccomp_release(context);
    off_t size = error == 0 ? lseek(file, 0, SEEK_END) : 0;
    if (size > 0) {
        program->len = (unsigned short)((size_t)size / sizeof(struct sock_filter));
        program->filter = malloc((size_t)size);
        error = program->filter == NULL                             ? ENOMEM
            : pread(file, program->filter, (size_t)size, 0) != size ? EIO
                                                                    : 0;
    }
    if (file >= 0) {
        close(file);
    }
    return error;
}

int filter_compile(void) {
    int error = compile(SCMP_ACT_ERRNO(EPERM), add_stage1, &profile.stage1);
    return error != 0 ? error : compile(SCMP_ACT_ALLOW, add_stage2, &profile.stage2);
}

// A thread that cannot follow gives ESRCH: the kernel then returns its id, and no errno.
static int install(const struct sock_fprog *program) {
    long result = syscall(SYS_seccomp, OPERATION_SET_FILTER, FLAG_TSYNC, program);
    return result == 0 ? 0 : result > 0 ? ESRCH : errno;
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, field)
#define ARGUMENT(index) (16u + 8u * (index)) // low word in struct seccomp_data, little-endian
// To the lines `then` and `otherwise` of the program below, seen from line `at`.
#define TEST(at, kind, value, then, otherwise)                                                     \
    BPF_JUMP(BPF_JMP | (kind) | BPF_K, (value), (then) - (at) - 1, (otherwise) - (at) - 1)
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define MAP_SHARED_ANONYMOUS                                                                       \
    0x21u // MAP_SHARED | MAP_ANONYMOUS: memory that RLIMIT_DATA does not count

int filter_install_stage1(void) {
    uint32_t pid = (uint32_t)getpid();
    struct sock_filter lines[] = {
        /* 0 */ LOAD(0), // the number
        /* 1 */ TEST(1, BPF_JEQ, SYS_kill, 8, 2),
        /* 2 */ TEST(2, BPF_JEQ, SYS_tgkill, 8, 3),
        /* 3 */ TEST(3, BPF_JEQ, SYS_ioctl, 10, 4),
        /* 4 */ TEST(4, BPF_JEQ, SYS_clone, 13, 5),
        /* 5 */ TEST(5, BPF_JEQ, SYS_mmap, 15, 6),
        /* 6 */ TEST(6, BPF_JEQ, SYS_rt_sigaction, 18, 7),
        /* 7 */ TEST(7, BPF_JGT, NEWEST_SYSCALL, 23, 20),
        /* 8 */ LOAD(ARGUMENT(0)),
        /* 9 */ TEST(9, BPF_JEQ, pid, 20, 21), // of another process, or of a group
        /* 10 */ LOAD(ARGUMENT(1)),
        /* 11 */ TEST(11, BPF_JEQ, COMMAND_FIONREAD, 20, 12),
        /* 12 */ TEST(12, BPF_JEQ, COMMAND_FIOCLEX, 20, 22),
        /* 13 */ LOAD(ARGUMENT(0)),
        /* 14 */ TEST(14, BPF_JSET, CLONE_NAMESPACES, 24, 20),
        /* 15 */ LOAD(ARGUMENT(3)),
        /* 16 */ BPF_STMT(BPF_ALU | BPF_AND | BPF_K, MAP_SHARED_ANONYMOUS),
        /* 17 */ TEST(17, BPF_JEQ, MAP_SHARED_ANONYMOUS, 21, 20),
        /* 18 */ LOAD(ARGUMENT(0)),
        /* 19 */ TEST(19, BPF_JEQ, SIGSYS, 21, 20), // a handler could hide what was refused
        /* 20 */ ANSWER(SCMP_ACT_ALLOW),
        /* 21 */ ANSWER(SCMP_ACT_ERRNO(EPERM)),
        /* 22 */ ANSWER(SCMP_ACT_ERRNO(ENOTTY)),
        /* 23 */ ANSWER(SCMP_ACT_ERRNO(ENOSYS)),
        /* 24 */ ANSWER(SCMP_ACT_KILL_PROCESS),
    };
    struct sock_fprog tail = {COUNT(lines), lines};
    int error = install(&profile.stage1);
    return error != 0 ? error : install(&tail); // the newest program's errno counts when two refuse
}

int filter_install_stage2(void) {
    return install(&profile.stage2);
}
