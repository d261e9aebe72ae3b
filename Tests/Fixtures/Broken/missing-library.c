// Needs a library that is nowhere: DT_NEEDED libnocturne-nowhere.so.1. build.sh makes one to link against and drops it.
// build: -Wl,--no-as-needed -L . -l:libnocturne-nowhere.so.1
#include "fixture.h"

FIXTURE("missing-library", "x-why": "the library does not exist")

ENTRY_WITH(NULL, NULL)
