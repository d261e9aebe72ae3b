// Its manifest has a field that does not exist.
#include "fixture.h"

FIXTURE("manifest-unknown-field", "colour": "blue")

ENTRY_WITH(NULL, NULL)
