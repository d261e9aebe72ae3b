// Claims more records than the ring of its wire memory (CWire.h) can hold, rings, and goes on: what it claims stays
// wrong after its process has been killed for it.
#include "fixture.h"

#include "CWire.h"

FIXTURE("forges-records", TOOL("forges-records"))

HANDLER(forge) {
    // More than fits inline, less than a block: so it is in the arena, behind the head of the file.
    uint8_t *block = (uint8_t *)nocturne->reserve(call, 1000);
    if (block == NULL) return fail(call, "no memory reserved");
    uint8_t *up = (uint8_t *)((uintptr_t)block & ~(uintptr_t)(WIRE_PAGE - 1));
    for (unsigned slot = 0; slot < WIRE_CALL_SLOTS; slot++) {
        wire_up_head *head = (wire_up_head *)(up - WIRE_CALL_BLOCKS_AT - (size_t)slot * WIRE_BLOCK);
        if (head->version != WIRE_VERSION) continue;
        wire_store(&head->record_tail, head->record_tail + 2 * WIRE_RING);
        ssize_t rung = write(WIRE_FD_HOST_DOORBELL, "!", 1);
        for (;;) sleep((unsigned)rung); // until it is killed
    }
    fail(call, "its wire memory is not where it was");
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("forges-records", forge))
