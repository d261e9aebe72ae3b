// slabs.h — the slabs of all threads: what slabs.c does for reading.c.
#ifndef CMETRICS_SLABS_H
#define CMETRICS_SLABS_H

#include "cells.h"

#include <pthread.h>

// What all threads share of a distribution: a cell for those that have none of their own or found it frozen.
typedef struct cmetrics_shared {
    pthread_mutex_t lock;
    cmetrics_shape_t shape;
    cmetrics_cell_t cell;
} cmetrics_shared_t;

// The slab by its number, below `cmetrics_slab_count`.
cmetrics_slab_t *cmetrics_slab_at(uint32_t number);
// A slot of a slab; NULL if nothing was recorded near it.
cmetrics_slot_t *cmetrics_slot_in(cmetrics_slab_t *slab, uint32_t slot);
// A slot of the slab that threads share, made if need be: written to only by atomic instructions.
cmetrics_slot_t *cmetrics_shared_slot(uint32_t slot);
// What all threads share of a distribution.
cmetrics_shared_t *cmetrics_shared_of(uint32_t slot);
// The slab that threads share.
cmetrics_slab_t *cmetrics_shared_slab(void);
// Adds to a total, from any thread.
void cmetrics_add_shared(uint32_t slot, int64_t whole, double fraction);
// Makes all processors see what the caller wrote before, between two instructions of each thread of the process.
void cmetrics_make_all_see(void);

#endif
