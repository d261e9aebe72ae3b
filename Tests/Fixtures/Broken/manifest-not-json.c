// Its manifest is not JSON.
#include "fixture.h"

NOCTURNE_MANIFEST_TEXT("{ \"id\": \"manifest-not-json\", ")

ENTRY_WITH(NULL, NULL)
