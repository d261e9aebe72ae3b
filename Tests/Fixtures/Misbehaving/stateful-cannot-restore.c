// Cannot take over what another build saved.
#define BUILD "cannot-restore"
#define SAVE return save_value(schema, buffer, capacity)
#define RESTORE snprintf(error->message, sizeof error->message, "unknown layout"); return -1
#include "stateful.h"
