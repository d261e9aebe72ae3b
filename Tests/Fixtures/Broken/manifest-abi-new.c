// Its manifest asks for an ABI of the future.
#include "fixture.h"

NOCTURNE_MANIFEST({ "id": "manifest-abi-new", "name": "From the future", "version": "1.0.0", "abi": "1.99" })

ENTRY_WITH(NULL, NULL)
