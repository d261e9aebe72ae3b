// A plugin that measures from several threads, wrongly, too much, and until it crashes.
#include "measures.h"

MEASURES("1.0.0")
