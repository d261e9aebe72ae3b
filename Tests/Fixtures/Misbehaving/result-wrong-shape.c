// Answers with JSON that its own output schema refuses.
#include "fixture.h"

FIXTURE("result-wrong-shape", "contributes": { "tools": [ {
    "name": "result-wrong-shape",
    "output": { "type": "object", "required": ["sum"], "properties": { "sum": { "type": "integer" } } }
} ] })

HANDLER(mislead) { answer(call, "{\"sum\":\"four\"}"); }
NOCTURNE_PLUGIN(NOCTURNE_TOOL("result-wrong-shape", mislead))
