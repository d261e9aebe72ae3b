// Logs {"n": 100000} records as fast as it can, some of them far too long.
#include "fixture.h"

FIXTURE("log-flood", TOOL("log-flood"))

HANDLER(flood) {
    static char message[100000];
    const nocturne_host_log_t *log = (const nocturne_host_log_t *)nocturne->get_extension(NOCTURNE_HOST_LOG);
    long long count = number(input, size, "n", 100000);
    memset(message, 'x', sizeof message - 1);
    const nocturne_field_t fields[] = { { "key", message } };
    for (long long i = 0; i < count && log != NULL; i++) {
        if (i % 1000 == 0) log->write(NOCTURNE_LOG_INFO, message, fields, 1);
        else log->write((uint32_t)i, "flood", NULL, 0);
    }
    answer(call, "{\"written\":%lld}", count);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("log-flood", flood))
