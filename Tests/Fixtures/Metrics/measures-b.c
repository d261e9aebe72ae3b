// A newer build of measures.
#include "measures.h"

MEASURES("1.1.0")
