// CLinux.h — what Swift cannot say of Linux: variadic calls, macros, control messages, and the code between fork and
// exec. Every function returns 0 or a value on success and a negative errno on failure, unchanged from the kernel.
#ifndef NOCTURNE_CLINUX_H
#define NOCTURNE_CLINUX_H

#include <stdint.h>
#include <sys/types.h>

// A memory file of `size` bytes, close-on-exec, that can neither shrink nor grow: a peer that truncated it would turn
// our next access into SIGBUS (memfd_create(2), F_SEAL_SHRINK).
int clinux_memory_file(const char *name, uint64_t size);
// Forbids all new writable mappings of the file; those that exist stay (F_SEAL_FUTURE_WRITE, Linux 5.1), and further
// seals with it.
int clinux_seal_future_writes(int fd);
// Maps the whole memory file; NULL and errno on failure.
void *clinux_map(int fd, uint64_t size, int writable);
int clinux_unmap(void *address, uint64_t size);
// Gives the pages of a mapped memory file back to the kernel; they read as zeros afterwards (MADV_REMOVE).
int clinux_discard(void *address, uint64_t size);

// A pair of connected SOCK_SEQPACKET sockets, close-on-exec; the first is non-blocking.
int clinux_socket_pair(int sockets[2]);
// A pipe, close-on-exec; `flags` are bits below.
int clinux_pipe(int ends[2], int flags);
#define CLINUX_READ_NONBLOCKING 1
#define CLINUX_WRITE_NONBLOCKING 2
// Sends one message with up to 16 descriptors, without blocking and without SIGPIPE.
int clinux_send(int fd, const void *bytes, uint64_t size, const int *descriptors, int count);
// Receives one message. Returns its size, 0 at the end, -EAGAIN, -EPROTO if it was cut or carried more than one
// descriptor (all are closed then). `*descriptor` is -1 or the one that came, close-on-exec.
int64_t clinux_receive(int fd, void *bytes, uint64_t capacity, int *descriptor);

// Starts a program with exactly `count` descriptors, `descriptors[i]` as number i, default signals and an empty mask,
// in a session of its own. posix_spawn(3), so safe in a program with threads.
int clinux_spawn(
    const char *path, char *const arguments[], char *const environment[], const int *descriptors,
    int count, pid_t *pid);
int clinux_pidfd_open(pid_t pid);
int clinux_pidfd_kill(int pidfd, int signal);
// Waits for the process behind the pidfd if it is our child. Returns 1 and fills in code and status (siginfo_t's), 0 if
// it still runs.
int clinux_pidfd_wait(int pidfd, int *code, int *status);
// The process's id as this process sees it, from /proc/self/fdinfo; -1 if it has gone.
pid_t clinux_pidfd_pid(int pidfd);

#define CLINUX_READABLE 0x001u // EPOLLIN
#define CLINUX_HUNG_UP 0x010u  // EPOLLHUP
int clinux_epoll_create(void);
int clinux_epoll_set(int epoll, int fd, uint32_t events, uint64_t token, int is_new);
int clinux_epoll_remove(int epoll, int fd);
typedef struct clinux_ready { uint64_t token; uint32_t events, reserved; } clinux_ready;
#define CLINUX_READY_MAX 64
// Fills `ready`; waits at most `timeout_ms`, -1: for ever. Returns the number, 0 on EINTR too.
int clinux_epoll_wait(int epoll, clinux_ready *ready, int timeout_ms);

// Wakes the threads of all processes that wait for this word of shared memory (futex(2), not private).
int clinux_futex_wake(const uint32_t *word);
// Raises the soft limit of descriptors to the hard one; returns it.
int64_t clinux_raise_descriptor_limit(void);
// Makes a connected peer's credentials known; uid or a negative errno.
int64_t clinux_peer_uid(int fd);
// CLOCK_MONOTONIC in nanoseconds: stops while the machine is suspended.
int64_t clinux_now(void);
// Bytes that this process has from malloc and has not given back.
int64_t clinux_heap_bytes(void);
// Names the calling thread, at most 15 bytes, for those who look at /proc.
void clinux_name_thread(const char *name);
// CPUs that this process may run on.
int clinux_cpu_count(void);

#endif
