// Its manifest has no version.
#include "fixture.h"

NOCTURNE_MANIFEST({ "id": "manifest-missing-field", "name": "No version", "abi": "1.0" })

ENTRY_WITH(NULL, NULL)
