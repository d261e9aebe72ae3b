// fixture.h — what the test plugins share. Each is one file, named after its plugin's id; its tool, if it
// has one, has the same name, because names of tools are global. Numbers come in as {"n": 5}.
#ifndef FIXTURE_H
#define FIXTURE_H

#include <nocturne/plugin.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

// A manifest with what is given beyond the mandatory members.
#define FIXTURE(ID, ...) FIXTURE_OF(ID, "1.0.0", __VA_ARGS__)
#define FIXTURE_OF(ID, VERSION, ...) \
    NOCTURNE_MANIFEST({ "id": ID, "name": ID, "version": VERSION, "abi": "1.0", __VA_ARGS__ })
#define TOOL(ID) "contributes": { "tools": [ { "name": ID } ] }

// A handler's parameters: fixtures use few of them.
#define HANDLER(name)                     \
    static __attribute__((unused)) void name( \
        __attribute__((unused)) nocturne_call_t *call, __attribute__((unused)) const void *input, \
        __attribute__((unused)) uint64_t size, __attribute__((unused)) void *context)

// An entry with everything but the tools optional.
#define ENTRY_WITH(GET_EXTENSION, ACTIVATE)                                                    \
    NOCTURNE_EXPORT const nocturne_plugin_t *nocturne_plugin_entry(                            \
        const nocturne_host_t *host, nocturne_error_t *error) {                                \
        static const nocturne_plugin_t plugin = {                                              \
            NOCTURNE_ABI, sizeof plugin, GET_EXTENSION, ACTIVATE, NULL };                      \
        (void)error;                                                                           \
        nocturne = host;                                                                       \
        return &plugin;                                                                        \
    }

// Completes `call` with JSON made as by printf.
__attribute__((unused, format(printf, 2, 3))) static void answer(
    nocturne_call_t *call, const char *format, ...) {
    char text[8192];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size > (int)sizeof text - 1) size = (int)sizeof text - 1;
    nocturne->complete(call, NOCTURNE_OK, text, (uint64_t)size);
}

__attribute__((unused)) static void fail(nocturne_call_t *call, const char *message) {
    nocturne->complete(call, NOCTURNE_FAILED, message, strlen(message));
}

// The number of the member `key` of a flat object, or `otherwise`.
__attribute__((unused)) static long long number(
    const void *input, uint64_t size, const char *key, long long otherwise) {
    char text[512], quoted[64];
    size_t length = size < sizeof text - 1 ? (size_t)size : sizeof text - 1;
    memcpy(text, input, length);
    text[length] = 0;
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    const char *found = strstr(text, quoted);
    if (found == NULL) return otherwise;
    found += strlen(quoted);
    found += strspn(found, " \t\r\n:");
    char *end;
    long long value = strtoll(found, &end, 10);
    return end == found ? otherwise : value;
}

// The text of the member `key` of a flat object, without escapes, in a static buffer; "" if there is none.
__attribute__((unused)) static const char *string(const void *input, uint64_t size, const char *key) {
    static _Thread_local char text[512];
    char quoted[64];
    size_t length = size < sizeof text - 1 ? (size_t)size : sizeof text - 1;
    memcpy(text, input, length);
    text[length] = 0;
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    char *found = strstr(text, quoted);
    if (found == NULL) return "";
    found += strlen(quoted);
    found += strspn(found, " \t\r\n:");
    if (*found++ != '"') return "";
    found[strcspn(found, "\"")] = 0;
    return found;
}

__attribute__((unused)) static void sleep_ms(long long milliseconds) {
    struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
    while (nanosleep(&time, &time) != 0 && errno == EINTR) {}
}

// Spins for ever, in a way that the compiler may not take away.
__attribute__((unused)) static void hang(void) {
    for (;;) __asm__ volatile("" ::: "memory");
}

#endif
