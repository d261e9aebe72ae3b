// Cannot save: once it serves, it cannot be replaced with its state.
#define BUILD "cannot-save"
#define SAVE snprintf(error->message, sizeof error->message, "not now"); return -1
#define RESTORE return restore_value(schema, bytes, size)
#include "stateful.h"
