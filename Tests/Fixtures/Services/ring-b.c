// One of a ring of three.
#define SELF "ring-b"
#define NEXT "ring-c"
#include "ring-of.h"
