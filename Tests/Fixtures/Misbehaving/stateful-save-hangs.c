// Never leaves save.
#define BUILD "save-hangs"
#define SAVE hang(); return 0
#define RESTORE return restore_value(schema, bytes, size)
#include "stateful.h"
