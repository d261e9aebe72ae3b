// The same code as storage under another id, to see that neither finds what the other keeps.
#define SELF "other-storage"
#include "storage.c"
