// Another next build of counter, which starts again at 0.
#define BUILD "c"
#define VERSION "1.2.0"
#define STATE false
#include "counter.c"
