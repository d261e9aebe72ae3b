// main.c — the zygote and, by fork, every worker: the only process that ever runs a plugin's code.
//
// The host starts one zygote per runtime (posix_spawn). It stays single-threaded for ever, loads
// the runtime's libraries once, and forks: a spare that waits, locked down as far as possible, and
// becomes the worker of one plugin when the host sends a wire_spawn. No plugin is ever loaded here.
// Without the host's socket the program says so and ends.
//
// Reading order: zygote.c (the forks), lockdown.c (the layers) with landlock.c, filter.c and
// selftest.c, loader.c and contributions.c (the plugin's tables), calls.c (its calls), services.c,
// tasks.c, metrics.c, files.c and settings.c (the host's tables), opens.c and link.c (two peculiarities of Swift). The
// wire is CWire.h, the contract with plugins nocturne/plugin.h.
//
// What lies in the shared memory is believed here, as the plugin in this process could write
// anything anyhow: the host is the one that checks.
#include "worker.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define ZYGOTE_CONTROL 3
#define FILES_MAX 16 // descriptors of one message: WIRE_FILES, and room to notice too many

worker_profile profile;
worker_state worker;

int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * NANOSECONDS + time.tv_nsec;
}

void format_text(char *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, WIRE_TEXT, format, arguments);
    va_end(arguments);
}

void add_remark(const char *format, ...) {
    size_t used = strlen(worker.remarks);
    va_list arguments;
    if (used != 0 && used + 1 < WIRE_TEXT) {
        worker.remarks[used++] = '\n';
    }
    va_start(arguments, format);
    vsnprintf(worker.remarks + used, WIRE_TEXT - used, format, arguments);
    va_end(arguments);
}

void fail(uint32_t stage, int code, const char *format, ...) {
    wire_failed failed = {
        .magic = WIRE_MAGIC, .message = WIRE_MESSAGE_FAILED, .stage = stage, .code = code};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failed.text, sizeof failed.text, format, arguments);
    va_end(arguments);
    // If it cannot be sent, the host sees the end of the process and of the socket.
    send_message(WIRE_FD_CONTROL, &failed, sizeof failed, NULL, 0);
    _exit(EXIT_UNUSABLE);
}

int send_message(int socket, const void *message, size_t size, const int *files, size_t count) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * FILES_MAX)];
    } control;
    struct iovec part = {(void *)(uintptr_t)message, size};
    struct msghdr envelope = {.msg_iov = &part, .msg_iovlen = 1};
    memset(&control, 0, sizeof control);
    if (count > 0) {
        envelope.msg_control = &control;
        envelope.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int) * count),
            .cmsg_level = SOL_SOCKET,
            .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), files, sizeof(int) * count);
    }
    while (sendmsg(socket, &envelope, MSG_NOSIGNAL) < 0) {
        struct pollfd ready = {socket, POLLOUT, 0};
        if (errno == EAGAIN) {
            poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

ssize_t receive_message(int socket, void *message, size_t size, int *files, size_t *count) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * FILES_MAX)];
    } control;
    struct iovec part = {message, size};
    struct msghdr envelope = {.msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control};
    ssize_t received;
    size_t room = *count;
    *count = 0;
    while ((received = recvmsg(socket, &envelope, MSG_CMSG_CLOEXEC)) < 0) {
        struct pollfd ready = {socket, POLLIN, 0};
        if (errno == EAGAIN) {
            poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    bool is_bad = (envelope.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0;
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&envelope); at != NULL;
        at = CMSG_NXTHDR(&envelope, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        for (size_t i = 0; i < (at->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int file;
            memcpy(&file, CMSG_DATA(at) + i * sizeof file, sizeof file);
            if (*count < room) {
                files[(*count)++] = file;
            } else {
                close(file);
                is_bad = true;
            }
        }
    }
    while (is_bad && *count > 0) {
        close(files[--*count]);
    }
    return is_bad ? -EBADMSG : received;
}

static bool read_count(const char *text, uint32_t *value) {
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    *value = (uint32_t)number;
    return errno == 0 && end != text && *end == 0 && number <= UINT32_MAX;
}

// ROLE OBJECTS_DIR RUNTIME_DIR UID_BASE UID_COUNT, and the host's socket as descriptor 3.
int main(int count, char **arguments) {
    int type = 0;
    socklen_t size = sizeof type;
    bool is_called_right = count == 6
        && getsockopt(ZYGOTE_CONTROL, SOL_SOCKET, SO_TYPE, &type, &size) == 0
        && type == SOCK_SEQPACKET && read_count(arguments[4], &profile.uid_base)
        && read_count(arguments[5], &profile.uid_count);
    if (is_called_right) {
        profile.is_swift = strcmp(arguments[1], "swift") == 0;
        is_called_right = profile.is_swift || strcmp(arguments[1], "c") == 0;
    }
    if (!is_called_right) {
        dprintf(STDERR_FILENO,
            "nocturne-worker runs plugins for Nocturne's host, which starts it; "
            "to run plugins, start the host: nocturne-plugins run\n");
        return EXIT_USAGE;
    }
    profile.runtime_directory = strcmp(arguments[3], "-") == 0 ? NULL : arguments[3];
    zygote_run(arguments[2]);
}
