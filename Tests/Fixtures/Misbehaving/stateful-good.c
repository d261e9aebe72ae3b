// Saves and restores as it should; the build that the others replace.
#define BUILD "good"
#define SAVE return save_value(schema, buffer, capacity)
#define RESTORE return restore_value(schema, bytes, size)
#include "stateful.h"
