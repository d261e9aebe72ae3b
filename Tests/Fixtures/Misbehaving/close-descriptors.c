// Closes every descriptor it can reach, then answers.
#include "fixture.h"

FIXTURE("close-descriptors", "limits": { "deadline": "1s" }, TOOL("close-descriptors"))

HANDLER(close_all) {
    int closed = 0;
    for (int file = 0; file < 1024; file++) closed += close(file) == 0;
    answer(call, "{\"closed\":%d}", closed);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("close-descriptors", close_all))
