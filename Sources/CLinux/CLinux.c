// CLinux.c — see CLinux.h.

#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 // linux/fcntl.h, Linux 5.1
#endif
#ifndef P_PIDFD
#define P_PIDFD 3 // linux/wait.h, Linux 5.4
#endif

int clinux_memory_file(const char *name, uint64_t size) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -errno;
    if (ftruncate(fd, (off_t)size) != 0
        || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int clinux_seal_future_writes(int fd) {
    return fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == 0 ? 0 : -errno;
}

void *clinux_map(int fd, uint64_t size, int writable) {
    void *address =
        mmap(NULL, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
    return address == MAP_FAILED ? NULL : address;
}

int clinux_unmap(void *address, uint64_t size) {
    return munmap(address, size) == 0 ? 0 : -errno;
}

int clinux_discard(void *address, uint64_t size) {
    return madvise(address, size, MADV_REMOVE) == 0 ? 0 : -errno;
}

static int set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return -errno;
    return 0;
}

int clinux_socket_pair(int sockets[2]) {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) return -errno;
    int error = set_nonblocking(sockets[0]);
    if (error != 0) {
        close(sockets[0]);
        close(sockets[1]);
    }
    return error;
}

int clinux_pipe(int ends[2], int flags) {
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    int error = 0;
    if (flags & CLINUX_READ_NONBLOCKING) error = set_nonblocking(ends[0]);
    if (error == 0 && (flags & CLINUX_WRITE_NONBLOCKING)) error = set_nonblocking(ends[1]);
    if (error != 0) {
        close(ends[0]);
        close(ends[1]);
    }
    return error;
}

int clinux_send(int fd, const void *bytes, uint64_t size, const int *descriptors, int count) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * 16)];
    } control;
    struct iovec part = { (void *)(uintptr_t)bytes, size };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    if (count < 0 || count > 16) return -EINVAL;
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * (size_t)count);
    }
    ssize_t sent;
    do {
        sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) return -errno;
    return (uint64_t)sent == size ? 0 : -EMSGSIZE;
}

int64_t clinux_receive(int fd, void *bytes, uint64_t capacity, int *descriptor) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * 4)];
    } control;
    struct iovec part = { bytes, capacity };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes };
    *descriptor = -1;
    ssize_t got;
    do {
        got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return -errno;
    int count = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t bytes_in = header->cmsg_len - CMSG_LEN(0);
        for (size_t at = 0; at + sizeof(int) <= bytes_in; at += sizeof(int)) {
            int received;
            memcpy(&received, CMSG_DATA(header) + at, sizeof received);
            if (++count == 1) *descriptor = received;
            else close(received);
        }
    }
    if (count > 1 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        if (*descriptor >= 0) close(*descriptor);
        *descriptor = -1;
        return -EPROTO;
    }
    return got;
}

int clinux_spawn(
    const char *path, char *const arguments[], char *const environment[], const int *descriptors,
    int count, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return -error;
    error = posix_spawnattr_init(&attributes);
    if (error != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return -error;
    }
    // First above all sources and targets, then onto the targets: a source may be another one's target.
    int free = count;
    for (int i = 0; i < count; i++) free = descriptors[i] >= free ? descriptors[i] + 1 : free;
    for (int i = 0; i < count && error == 0; i++) {
        error = posix_spawn_file_actions_adddup2(&actions, descriptors[i], free + i);
    }
    for (int i = 0; i < count && error == 0; i++) {
        error = posix_spawn_file_actions_adddup2(&actions, free + i, i);
    }
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(&actions, count);
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    if (error == 0) error = posix_spawnattr_setsigdefault(&attributes, &all);
    if (error == 0) error = posix_spawnattr_setsigmask(&attributes, &none);
    if (error == 0) {
        error = posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    }
    if (error == 0) error = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -error;
}

int clinux_pidfd_open(pid_t pid) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : fd;
}

int clinux_pidfd_kill(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0 ? 0 : -errno;
}

int clinux_pidfd_wait(int pidfd, int *code, int *status) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) != 0) return -errno;
    if (info.si_pid == 0) return 0;
    *code = info.si_code;
    *status = info.si_status;
    return 1;
}

pid_t clinux_pidfd_pid(int pidfd) {
    char path[64], line[128];
    long pid = -1;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    FILE *file = fopen(path, "re");
    if (file == NULL) return -1;
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "Pid: %ld", &pid) == 1) break;
    }
    fclose(file);
    return (pid_t)pid;
}

int clinux_epoll_create(void) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int clinux_epoll_set(int epoll, int fd, uint32_t events, uint64_t token, int is_new) {
    struct epoll_event event = { .events = events, .data = { .u64 = token } };
    return epoll_ctl(epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) == 0 ? 0 : -errno;
}

int clinux_epoll_remove(int epoll, int fd) {
    return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL) == 0 ? 0 : -errno;
}

int clinux_epoll_wait(int epoll, clinux_ready *ready, int timeout_ms) {
    struct epoll_event events[CLINUX_READY_MAX];
    int count = epoll_wait(epoll, events, CLINUX_READY_MAX, timeout_ms);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        ready[i] = (clinux_ready){ .token = events[i].data.u64, .events = events[i].events };
    }
    return count;
}

int clinux_futex_wake(const uint32_t *word) {
    long woken = syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
    return woken < 0 ? -errno : (int)woken;
}

int64_t clinux_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -errno;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return -errno;
    return (int64_t)limit.rlim_cur;
}

int64_t clinux_peer_uid(int fd) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return -errno;
    return credentials.uid;
}

int64_t clinux_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t clinux_heap_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return (int64_t)(info.uordblks + info.hblkhd);
}

void clinux_name_thread(const char *name) {
    pthread_setname_np(pthread_self(), name);
}

int clinux_cpu_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return CPU_COUNT(&set);
}
