// Never leaves restore.
#define BUILD "restore-hangs"
#define SAVE return save_value(schema, buffer, capacity)
#define RESTORE hang(); return 0
#include "stateful.h"
