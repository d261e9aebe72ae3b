// Claims to have saved more than there is room for.
#define BUILD "save-lies"
#define SAVE *schema = 1; return (int64_t)capacity + 1
#define RESTORE return restore_value(schema, bytes, size)
#include "stateful.h"
