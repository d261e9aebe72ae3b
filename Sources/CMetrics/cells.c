// cells.c — how a distribution is counted in one cell. Whoever calls this has the cell for itself. Next: slabs.c.
#include "cells.h"

#include <math.h>
#include <stdlib.h>

void *cmetrics_allocate(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

void *cmetrics_allocate_lines(size_t count, size_t size) {
    enum { line = 64 };
    size_t bytes = (count * size + line - 1) / line * line;
    void *memory = aligned_alloc(line, bytes);
    if (memory == NULL) {
        abort();
    }
    return memset(memory, 0, bytes);
}

void cmetrics_cell_init(cmetrics_cell_t *cell, const cmetrics_shape_t *shape) {
    *cell = (cmetrics_cell_t){.shape = shape, .least = INFINITY, .greatest = -INFINITY};
    if (shape->bound_count > 0) {
        cell->bound_counts = cmetrics_allocate_lines(shape->bound_count + 1, sizeof *cell->bound_counts);
    }
}

static void clear_table(cmetrics_table_t *table) {
    for (uint32_t place = 0; place < table->count; place++) {
        free(table->pages[place]);
    }
    free(table->pages);
    *table = (cmetrics_table_t){0};
}

void cmetrics_cell_clear(cmetrics_cell_t *cell) {
    clear_table(&cell->positive);
    clear_table(&cell->negative);
    free(cell->bound_counts);
    cell->bound_counts = NULL;
}

// Makes room for a page's number, with the pages that there are.
static void widen(cmetrics_table_t *table, int32_t page) {
    int32_t first = table->count == 0 || page < table->first ? page : table->first;
    int32_t last = table->first + (int32_t)table->count - 1;
    if (table->count == 0 || page > last) {
        last = page;
    }
    uint32_t count = (uint32_t)(last - first + 1);
    uint64_t **pages = cmetrics_allocate(count, sizeof *pages);
    if (table->count > 0) {
        memcpy(pages + (table->first - first), table->pages, table->count * sizeof *pages);
    }
    free(table->pages);
    *table = (cmetrics_table_t){.pages = pages, .first = first, .count = count};
}

// Moves all counters of a table to where they are when two neighbors are one; returns how many pages that takes.
static uint32_t join(cmetrics_table_t *table) {
    cmetrics_table_t old = *table;
    *table = (cmetrics_table_t){0};
    uint32_t page_count = 0;
    for (uint32_t place = 0; place < old.count; place++) {
        if (old.pages[place] == NULL) {
            continue;
        }
        int32_t number = old.first + (int32_t)place, page = number >> 1;
        if (table->count == 0 || page >= table->first + (int32_t)table->count) {
            widen(table, page);
        }
        uint64_t **joined = &table->pages[page - table->first];
        if (*joined == NULL) {
            *joined = cmetrics_allocate_lines(cmetrics_page_buckets, sizeof **joined);
            page_count += 1;
        }
        for (int bucket = 0; bucket < cmetrics_page_buckets; bucket++) {
            (*joined)[(number & 1) * 32 + (bucket >> 1)] += old.pages[place][bucket];
        }
    }
    clear_table(&old);
    return page_count;
}

static void coarsen(cmetrics_cell_t *cell) {
    cell->page_count = join(&cell->positive);
    cell->page_count += join(&cell->negative);
    cell->shift += 1;
}

void cmetrics_cell_count(
    cmetrics_cell_t *cell, bool is_negative, int32_t index, int32_t shift, uint64_t count
) {
    cmetrics_table_t *table = is_negative ? &cell->negative : &cell->positive;
    while (cell->shift < shift) {
        coarsen(cell);
    }
    for (;;) {
        int32_t bucket = index >> (cell->shift - shift), page = bucket >> 6;
        uint32_t place = (uint32_t)page - (uint32_t)table->first;
        uint64_t *counts = place < table->count ? table->pages[place] : NULL;
        if (counts == NULL) {
            if (cell->page_count == cmetrics_page_limit) {
                coarsen(cell);
                continue;
            }
            if (place >= table->count) {
                widen(table, page);
            }
            counts = cmetrics_allocate_lines(cmetrics_page_buckets, sizeof *counts);
            table->pages[page - table->first] = counts;
            cell->page_count += 1;
        }
        counts[bucket & 63] += count;
        return;
    }
}

void cmetrics_cell_record(cmetrics_cell_t *cell, double value) {
    uint64_t bits = cmetrics_bits(value), magnitude = bits & ~(1ULL << 63);
    if (!cell->shape->has_buckets) {
        cell->count += 1;
    } else if (magnitude <= 1ULL << 52) {
        cell->zeros += 1;
    } else {
        cmetrics_cell_count(cell, magnitude != bits, cmetrics_bucket(magnitude), 0, 1);
    }
    if (cell->bound_counts != NULL) {
        cell->bound_counts[cmetrics_bound(cell->shape, value)] += 1;
    }
    cell->sum += value;
    cell->least = value < cell->least ? value : cell->least;
    cell->greatest = value > cell->greatest ? value : cell->greatest;
}

static void add_table(cmetrics_cell_t *into, const cmetrics_cell_t *cell, bool is_negative) {
    const cmetrics_table_t *table = is_negative ? &cell->negative : &cell->positive;
    for (uint32_t place = 0; place < table->count; place++) {
        const uint64_t *counts = table->pages[place];
        for (int bucket = 0; counts != NULL && bucket < cmetrics_page_buckets; bucket++) {
            if (counts[bucket] > 0) {
                int32_t index = (table->first + (int32_t)place) * cmetrics_page_buckets + bucket;
                cmetrics_cell_count(into, is_negative, index, cell->shift, counts[bucket]);
            }
        }
    }
}

void cmetrics_cell_add(cmetrics_cell_t *into, const cmetrics_cell_t *cell) {
    add_table(into, cell, false);
    add_table(into, cell, true);
    for (uint32_t place = 0; into->bound_counts != NULL && place <= into->shape->bound_count; place++) {
        into->bound_counts[place] += cell->bound_counts[place];
    }
    into->zeros += cell->zeros;
    into->count += cell->count;
    into->sum += cell->sum;
    into->least = cell->least < into->least ? cell->least : into->least;
    into->greatest = cell->greatest > into->greatest ? cell->greatest : into->greatest;
}
