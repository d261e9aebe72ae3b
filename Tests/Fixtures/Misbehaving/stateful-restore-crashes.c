// Dies in restore.
#define BUILD "restore-crashes"
#define SAVE return save_value(schema, buffer, capacity)
#define RESTORE *(volatile int *)8 = 1; return 0
#include "stateful.h"
