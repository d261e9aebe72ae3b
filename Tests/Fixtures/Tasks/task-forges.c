// A tool that speaks of other tasks than its own, straight through the wire memory (CWire.h).
#include "tasks.h"

#include "CWire.h"

FIXTURE("task-forges", "limits": { "concurrency": 2 }, "contributes": { "tools": [ { "name": "task-forges" } ],
    "tasks": [ TASK("wait") ] })

HANDLER(wait_long) {
    for (int i = 0; i < 3000 && !nocturne->is_cancelled(call); i++) sleep_ms(10);
    answer(call, "{}");
}

// A checkpoint, progress and a line for each task number from 0 to {"n": 1000}.
HANDLER(forge) {
    uint8_t *block = (uint8_t *)nocturne->reserve(call, 1000);
    if (block == NULL) return fail(call, "no memory reserved");
    uint8_t *up = (uint8_t *)((uintptr_t)block & ~(uintptr_t)(WIRE_PAGE - 1));
    wire_up_head *head = NULL;
    for (unsigned slot = 0; slot < WIRE_CALL_SLOTS && head == NULL; slot++) {
        wire_up_head *at = (wire_up_head *)(up - WIRE_CALL_BLOCKS_AT - (size_t)slot * WIRE_BLOCK);
        if (at->version == WIRE_VERSION) head = at;
    }
    if (head == NULL) return fail(call, "its wire memory is not where it was");
    for (uint64_t task = 0; task < (uint64_t)number(input, size, "n", 100); task++) {
        struct { wire_record head; wire_progress progress; char text[8]; } said = {
            { sizeof(wire_progress) + 8, WIRE_RECORD_PROGRESS }, { task, 99 }, "forged!" };
        uint32_t start = head->record_tail;
        for (size_t i = 0; i < sizeof said; i++)
            wire_ring(head)[(start + i) % WIRE_RING] = ((uint8_t *)&said)[i];
        wire_store(&head->record_tail, start + sizeof said);
        // The last service slot, which nobody uses as long as the others do.
        wire_ask *ask = wire_ask_at(head, WIRE_SERVICE_SLOTS - 1);
        ask->kind = WIRE_ASK_CHECKPOINT;
        ask->flags = WIRE_INLINED;
        ask->length = sizeof task + 1;
        ask->call_slot = WIRE_NO_CALL;
        memcpy(ask->bytes, &task, sizeof task);
        ask->bytes[sizeof task] = '7';
        wire_store(&ask->state, ask->state + 1);
        wire_add(&head->asked, 1);
        if (write(WIRE_FD_HOST_DOORBELL, "!", 1) != 1) break;
        sleep_ms(1);
    }
    answer(call, "{}");
}
TASKS_ENTRY("task-forges", forge, { "wait", wait_long, NULL })
