// One of a ring of three.
#define SELF "ring-c"
#define NEXT "ring-a"
#include "ring-of.h"
