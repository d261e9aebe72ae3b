// Publishes {"n": 100000} events as fast as it can.
#include "fixture.h"

FIXTURE("event-flood", TOOL("event-flood"))

HANDLER(flood) {
    const nocturne_host_events_t *events =
        (const nocturne_host_events_t *)nocturne->get_extension(NOCTURNE_HOST_EVENTS);
    long long count = number(input, size, "n", 100000), taken = 0, dropped = 0, refused = 0;
    for (long long i = 0; i < count && events != NULL; i++) {
        int32_t error = events->emit("event-flood:drop", "{\"a\":1}", 7);
        if (error == 0) taken++;
        else if (error == -EAGAIN) dropped++;
        else refused++;
    }
    answer(call, "{\"taken\":%lld,\"dropped\":%lld,\"refused\":%lld}", taken, dropped, refused);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("event-flood", flood))
