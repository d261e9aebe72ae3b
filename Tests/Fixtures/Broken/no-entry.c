// Has a manifest and no entry.
#include "fixture.h"

FIXTURE("no-entry", "x-why": "no nocturne_plugin_entry")
