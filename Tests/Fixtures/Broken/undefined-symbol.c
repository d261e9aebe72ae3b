// Needs a function that nobody has.
#include "fixture.h"

FIXTURE("undefined-symbol", TOOL("undefined-symbol"))

extern int a_function_that_nobody_has(void);

HANDLER(try) { answer(call, "{\"n\":%d}", a_function_that_nobody_has()); }
NOCTURNE_PLUGIN(NOCTURNE_TOOL("undefined-symbol", try))
