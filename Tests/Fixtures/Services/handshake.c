// Tells what the host offers: its ABI and which services it has; asks for one that does not exist.
#include "fixture.h"

FIXTURE("handshake", TOOL("handshake"))

HANDLER(tell) {
    static const char *const ids[] = { NOCTURNE_HOST_LOG, NOCTURNE_HOST_CONFIGURATION, NOCTURNE_HOST_STORAGE,
        NOCTURNE_HOST_EVENTS, NOCTURNE_HOST_CALLS, NOCTURNE_HOST_CONTRIBUTIONS, "nocturne.host.nonsense/1" };
    char services[1024] = "";
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        size_t length = strlen(services);
        snprintf(services + length, sizeof services - length, "%s\"%s\":%s", i == 0 ? "" : ",", ids[i],
            nocturne->get_extension(ids[i]) == NULL ? "false" : "true");
    }
    answer(call, "{\"abi\":%u,\"size\":%u,\"services\":{%s}}", nocturne->abi, nocturne->struct_size, services);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("handshake", tell))
