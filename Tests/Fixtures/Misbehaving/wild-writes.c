// Writes garbage over the memory it shares with the host. It finds it through the result of `reserve`, which lies in a
// call's block of the up file (CWire.h), and goes over replies, asks, record ring and head: {"n": seed}.
// The last thing that it writes is its own answer, unless that is gone too.
#include "fixture.h"

#include "CWire.h"

FIXTURE("wild-writes", "limits": { "deadline": "1s" }, TOOL("wild-writes"))

static uint64_t state;

static uint64_t next_random(void) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state;
}

HANDLER(scribble) {
    // More than fits inline, less than a block: so it must be in the arena.
    volatile uint8_t *block = (volatile uint8_t *)nocturne->reserve(call, 1000);
    if (block == NULL) return fail(call, "no memory reserved");
    state = 0x9e3779b97f4a7c15u + (uint64_t)number(input, size, "n", 1);
    // Blocks are whole, so pages before this one are the earlier blocks, the slots and the head of the file. How
    // many there are, only the host knows: take the slot that a block is of from the reply slots, which hold nothing
    // yet, by going down to the head's version word.
    uint8_t *up = (uint8_t *)((uintptr_t)block & ~(uintptr_t)(WIRE_PAGE - 1));
    for (unsigned slot = 0; slot < WIRE_CALL_SLOTS; slot++) {
        wire_up_head *head = (wire_up_head *)(up - WIRE_CALL_BLOCKS_AT - (size_t)slot * WIRE_BLOCK);
        if (head->version != WIRE_VERSION) continue; // dies here when it leaves the mapping: that counts too
        head->sleepers = (uint32_t)next_random();
        head->wakes = (uint32_t)next_random();
        head->pollers = (uint32_t)next_random();
        head->record_tail = (uint32_t)next_random();
        head->record_dropped = (uint32_t)next_random();
        head->misuses = (uint32_t)next_random();
        uint64_t *asks = (uint64_t *)head->asks;
        for (size_t i = 0; i < sizeof head->asks / 8; i++) asks[i] = next_random();
        uint64_t *replies = (uint64_t *)wire_reply_at(head, 0);
        for (size_t i = 0; i < WIRE_CALL_SLOTS * sizeof(wire_reply) / 8; i++) replies[i] = next_random();
        uint64_t *ring = (uint64_t *)wire_ring(head);
        for (size_t i = 0; i < WIRE_RING / 8; i++) ring[i] = next_random();
        // Plausible lies: every reply slot claims a generation, a status and a length of its own.
        for (unsigned other = 0; other < WIRE_CALL_SLOTS; other++) {
            wire_reply *reply = wire_reply_at(head, other);
            reply->status = (uint32_t)next_random() % 24;
            reply->length = (uint32_t)next_random();
            reply->flags = (uint16_t)(next_random() % 5);
            wire_store(&reply->state, (uint32_t)next_random() % 64);
        }
        head->version = (uint32_t)next_random();
        break;
    }
    ssize_t rung = write(WIRE_FD_HOST_DOORBELL, "!", 1);
    answer(call, "{\"scribbled\":true,\"rung\":%zd}", rung);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL("wild-writes", scribble))
