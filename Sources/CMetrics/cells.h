// cells.h — the cells of distributions: what cells.c does for slabs.c and reading.c.
#ifndef CMETRICS_CELLS_H
#define CMETRICS_CELLS_H

#include "CMetrics.h"

// `calloc` that ends the process when there is no memory, as Swift's own allocations do.
void *cmetrics_allocate(size_t count, size_t size);
// The same in cache lines of its own: what one thread writes often is not beside what another does.
void *cmetrics_allocate_lines(size_t count, size_t size);

// An empty cell.
void cmetrics_cell_init(cmetrics_cell_t *cell, const cmetrics_shape_t *shape);
// Frees what a cell points to.
void cmetrics_cell_clear(cmetrics_cell_t *cell);
// Records a finite value into a cell that is the caller's alone for now.
void cmetrics_cell_record(cmetrics_cell_t *cell, double value);
// Adds all that one cell has to another of the same shape.
void cmetrics_cell_add(cmetrics_cell_t *into, const cmetrics_cell_t *cell);
// Adds values to a bucket of `scale - shift`.
void cmetrics_cell_count(cmetrics_cell_t *cell, bool is_negative, int32_t index, int32_t shift, uint64_t count);

#endif
