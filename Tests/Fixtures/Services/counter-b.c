// The next build of counter.
#define BUILD "b"
#define VERSION "1.1.0"
#include "counter.c"
