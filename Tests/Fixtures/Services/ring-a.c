// One of a ring of three.
#define SELF "ring-a"
#define NEXT "ring-b"
#include "ring-of.h"
