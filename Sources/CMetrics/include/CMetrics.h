// CMetrics.h — where values are recorded: a slab per thread, found by thread-local storage that Swift has not.
#ifndef CMETRICS_H
#define CMETRICS_H
#include <stdint.h>
#endif
