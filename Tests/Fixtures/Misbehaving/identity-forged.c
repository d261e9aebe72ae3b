// Tells the host itself what it is, before the worker does, in texts without an end: CWire.h has the message.
#include "fixture.h"

#include "CWire.h"

FIXTURE("identity-forged", "x-why": "the host gets an identity that the worker never checked")

__attribute__((constructor)) static void forge(void) {
    wire_loaded loaded = { WIRE_MAGIC, WIRE_MESSAGE_LOADED, NOCTURNE_ABI, WIRE_EXTENSION_IDENTITY, 0, "", "" };
    memset(loaded.id, 0xff, sizeof loaded.id);
    memset(loaded.version, '\033', sizeof loaded.version);
    (void)!write(WIRE_FD_CONTROL, &loaded, sizeof loaded);
}

ENTRY_WITH(NULL, NULL)
