// files.c — the control socket: cancellations, and memory files for payloads over WIRE_BLOCK, which
// wait here until the thread that needs them takes them. One place a slot and role; a newer file
// replaces one that nobody took.
#include "worker.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define ROLES 5u
static memory_file waiting[ROLES][WIRE_CALL_SLOTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived; // on CLOCK_MONOTONIC, made by `files_start`

void files_start(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&arrived, &attributes);
    pthread_condattr_destroy(&attributes);
}

static int deliver(const wire_slot_message *message, int descriptor) {
    bool is_for_call =
        message->is_reply == WIRE_FILE_REQUEST || message->is_reply == WIRE_FILE_REPLY;
    bool is_read = message->is_reply == WIRE_FILE_REQUEST || message->is_reply == WIRE_FILE_ANSWER;
    struct stat status;
    if (message->is_reply >= ROLES || message->size == 0 || message->size > WIRE_PAYLOAD_MAX
        || message->slot >= (is_for_call ? WIRE_CALL_SLOTS : WIRE_SERVICE_SLOTS)
        || fstat(descriptor, &status) != 0 || (uint64_t)status.st_size < message->size) {
        return EPROTO;
    }
    // Before Linux 6.7 a write-sealed file cannot be mapped shared, not even for reading.
    void *bytes = mmap(NULL, message->size, is_read ? PROT_READ : PROT_READ | PROT_WRITE,
        is_read ? MAP_PRIVATE : MAP_SHARED, descriptor, 0);
    if (bytes == MAP_FAILED) {
        return errno;
    }
    pthread_mutex_lock(&lock);
    memory_file *place = &waiting[message->is_reply][message->slot];
    memory_file old = *place;
    *place = (memory_file){message->generation, bytes, message->size};
    pthread_cond_broadcast(&arrived);
    pthread_mutex_unlock(&lock);
    if (old.bytes != NULL) {
        munmap(old.bytes, old.size);
    }
    return 0;
}

static int find(uint32_t role, uint32_t slot, uint32_t generation, int64_t deadline, bool is_taken,
    memory_file *file) {
    struct timespec until = {deadline / NANOSECONDS, deadline % NANOSECONDS};
    memory_file *place = &waiting[role][slot];
    int error = 0;
    pthread_mutex_lock(&lock);
    while (error == 0 && (place->bytes == NULL || place->generation != generation)) {
        if (is_control_thread()) { // nobody else would read the socket
            pthread_mutex_unlock(&lock);
            error = control_step(deadline);
            pthread_mutex_lock(&lock);
        } else {
            error = pthread_cond_timedwait(&arrived, &lock, &until);
        }
    }
    if (place->bytes != NULL && place->generation == generation) {
        *file = *place;
        if (is_taken) {
            *place = (memory_file){0, NULL, 0};
        }
        error = 0;
    }
    pthread_mutex_unlock(&lock);
    return error;
}

int file_take(
    uint32_t role, uint32_t slot, uint32_t generation, int64_t deadline, memory_file *file) {
    return find(role, slot, generation, deadline, true, file);
}

int file_share(
    uint32_t role, uint32_t slot, uint32_t generation, int64_t deadline, memory_file *file) {
    return find(role, slot, generation, deadline, false, file);
}

int control_step(int64_t deadline) {
    struct pollfd ready = {WIRE_FD_CONTROL, POLLIN, 0};
    wire_slot_message message;
    int file;
    size_t count = 1;
    if (deadline != INT64_MAX) {
        int64_t left = deadline - now_ns();
        int milliseconds = left <= 0 ? 0 : (int)(left / (NANOSECONDS / 1000)) + 1;
        int result = poll(&ready, 1, milliseconds);
        if (result <= 0) {
            return result == 0 ? ETIMEDOUT : errno == EINTR ? 0 : errno;
        }
    }
    ssize_t size = receive_message(WIRE_FD_CONTROL, &message, sizeof message, &file, &count);
    if (size == 0 || size == -ECONNRESET) {
        _exit(0); // the host has closed it
    }
    if (size != (ssize_t)sizeof message || message.magic != WIRE_MAGIC) {
        message.message = 0;
    }
    int error = EPROTO;
    if (message.message == WIRE_MESSAGE_CANCEL) {
        call_cancel(message.slot, message.generation);
        error = 0;
    } else if (message.message == WIRE_MESSAGE_FILE && count == 1) {
        error = deliver(&message, file);
    }
    if (count == 1) {
        close(file);
    }
    return error;
}
