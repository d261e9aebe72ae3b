// Publishes an event: {"name": "ping"} as "emitter:ping" with {"n": 1}; {"foreign": 1} tries a name that is
// not its own, {"n": -1} a payload that is no JSON, {"n": -2} one that is too long.
#include "fixture.h"

FIXTURE("emitter", TOOL("emitter"))

HANDLER(publish) {
    const nocturne_host_events_t *events =
        (const nocturne_host_events_t *)nocturne->get_extension(NOCTURNE_HOST_EVENTS);
    if (events == NULL) return fail(call, "no events");
    static char long_payload[5000];
    char name[128], payload[64];
    const char *suffix = string(input, size, "name");
    long long n = number(input, size, "n", 1);
    snprintf(name, sizeof name, "%s:%.64s",
        number(input, size, "foreign", 0) != 0 ? "somebody-else" : "emitter", *suffix == 0 ? "ping" : suffix);
    int length = snprintf(payload, sizeof payload, n == -1 ? "{\"n\":" : "{\"n\":%lld}", n);
    memset(long_payload, ' ', sizeof long_payload);
    memcpy(long_payload, "{}", 2);
    int32_t error = n == -2 ? events->emit(name, long_payload, sizeof long_payload)
                            : events->emit(name, payload, (uint64_t)length);
    answer(call, "{\"error\":%d}", (int)error);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("emitter", publish))
