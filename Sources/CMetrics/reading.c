// reading.c — what all threads have recorded, added up: totals as they are, distributions while nobody changes them.
#include "slabs.h"

#include <sched.h>
#include <stdlib.h>

// ------------------------------------------------------------------------------------------------ totals

static void add_slot(cmetrics_amount_t *total, cmetrics_slot_t *slot) {
    uint64_t bits = __atomic_load_n(&slot->second, __ATOMIC_RELAXED);
    double fraction;
    memcpy(&fraction, &bits, sizeof fraction);
    uint64_t whole = __atomic_load_n(&slot->first, __ATOMIC_RELAXED);
    total->whole = (int64_t)((uint64_t)total->whole + whole);
    total->fraction += fraction;
}

cmetrics_amount_t cmetrics_total(uint32_t slot) {
    cmetrics_amount_t total = {0, 0};
    for (uint32_t number = 0; number < cmetrics_slab_count(); number++) {
        cmetrics_slot_t *found = cmetrics_slot_in(cmetrics_slab_at(number), slot);
        if (found != NULL) {
            add_slot(&total, found);
        }
    }
    add_slot(&total, cmetrics_shared_slot(slot));
    return total;
}

static void add_slab(cmetrics_amount_t *totals, uint32_t count, cmetrics_slab_t *slab) {
    for (uint32_t first = 0; first < count; first += cmetrics_page_slots) {
        cmetrics_slot_t *page = cmetrics_slot_in(slab, first);
        for (uint32_t slot = first; page != NULL && slot < count && slot < first + cmetrics_page_slots; slot++) {
            add_slot(&totals[slot], &page[slot - first]);
        }
    }
}

void cmetrics_totals(cmetrics_amount_t *totals, uint32_t count) {
    memset(totals, 0, count * sizeof *totals);
    for (uint32_t number = 0; number < cmetrics_slab_count(); number++) {
        add_slab(totals, count, cmetrics_slab_at(number));
    }
    add_slab(totals, count, cmetrics_shared_slab());
}

void cmetrics_reset(uint32_t slot) {
    cmetrics_amount_t total = cmetrics_total(slot);
    cmetrics_add_shared(slot, (int64_t)-(uint64_t)total.whole, -total.fraction);
}

// ------------------------------------------------------------------------------------------------ distributions

// One reader at a time, since a cell has one flag for it.
static pthread_mutex_t reader = PTHREAD_MUTEX_INITIALIZER;

// Distributions that are frozen at once: one membarrier(2), which interrupts all processors, serves them all.
enum { batch_limit = 64 };

static cmetrics_cell_t *cell_in(uint32_t slab, uint32_t slot) {
    cmetrics_slot_t *found = cmetrics_slot_in(cmetrics_slab_at(slab), slot);
    if (found == NULL) {
        return NULL;
    }
    return (cmetrics_cell_t *)(uintptr_t)__atomic_load_n(&found->first, __ATOMIC_ACQUIRE);
}

// Freezes all cells that there are now. Those that a thread makes later are not frozen, and not read.
static bool freeze(const uint32_t *slots, size_t count, uint32_t slab_count) {
    bool has_any = false;
    for (size_t place = 0; place < count; place++) {
        for (uint32_t slab = 0; slab < slab_count; slab++) {
            cmetrics_cell_t *cell = cell_in(slab, slots[place]);
            if (cell != NULL) {
                __atomic_store_n(&cell->frozen, 1, __ATOMIC_RELAXED);
                has_any = true;
            }
        }
    }
    return has_any;
}

// Waits until the owner of a frozen cell has left it: a few instructions, unless it was interrupted there.
static void wait_for_owner(cmetrics_cell_t *cell) {
    for (int round = 0; __atomic_load_n(&cell->inside, __ATOMIC_ACQUIRE) != 0; round++) {
        if (round > 100) {
            sched_yield();
        }
    }
}

static cmetrics_bucket_count_t *list(const cmetrics_table_t *table, uint32_t *count) {
    uint32_t found = 0;
    for (uint32_t place = 0; place < table->count; place++) {
        for (int bucket = 0; table->pages[place] != NULL && bucket < cmetrics_page_buckets; bucket++) {
            found += table->pages[place][bucket] > 0;
        }
    }
    *count = found;
    if (found == 0) {
        return NULL;
    }
    cmetrics_bucket_count_t *buckets = cmetrics_allocate(found, sizeof *buckets), *next = buckets;
    for (uint32_t place = 0; place < table->count; place++) {
        for (int bucket = 0; table->pages[place] != NULL && bucket < cmetrics_page_buckets; bucket++) {
            uint64_t values = table->pages[place][bucket];
            if (values > 0) {
                int32_t index = (table->first + (int32_t)place) * cmetrics_page_buckets + bucket;
                *next++ = (cmetrics_bucket_count_t){index, values};
            }
        }
    }
    return buckets;
}

static uint64_t sum_of(const cmetrics_bucket_count_t *buckets, uint32_t count) {
    uint64_t sum = 0;
    for (uint32_t place = 0; place < count; place++) {
        sum += buckets[place].count;
    }
    return sum;
}

// Takes what a cell has; the cell is empty after.
static cmetrics_reading_t reading_of(cmetrics_cell_t *cell) {
    cmetrics_reading_t reading = {
        .count = cell->count, .zeros = cell->zeros, .sum = cell->sum, .least = cell->least,
        .greatest = cell->greatest, .scale = cmetrics_finest_scale - cell->shift,
    };
    reading.positive = list(&cell->positive, &reading.positive_count);
    reading.negative = list(&cell->negative, &reading.negative_count);
    reading.count += cell->zeros + sum_of(reading.positive, reading.positive_count)
        + sum_of(reading.negative, reading.negative_count);
    reading.bound_counts = cell->bound_counts;
    cell->bound_counts = NULL;
    cmetrics_cell_clear(cell);
    return reading;
}

static cmetrics_reading_t read_frozen(uint32_t slot, uint32_t slab_count) {
    cmetrics_shared_t *shared = cmetrics_shared_of(slot);
    cmetrics_cell_t sum;
    cmetrics_cell_init(&sum, &shared->shape);
    for (uint32_t slab = 0; slab < slab_count; slab++) {
        cmetrics_cell_t *cell = cell_in(slab, slot);
        if (cell != NULL && __atomic_load_n(&cell->frozen, __ATOMIC_RELAXED) != 0) {
            wait_for_owner(cell);
            cmetrics_cell_add(&sum, cell);
            __atomic_store_n(&cell->frozen, 0, __ATOMIC_RELEASE);
        }
    }
    pthread_mutex_lock(&shared->lock);
    cmetrics_cell_add(&sum, &shared->cell);
    pthread_mutex_unlock(&shared->lock);
    return reading_of(&sum);
}

void cmetrics_read(const uint32_t *slots, size_t count, cmetrics_reading_t *readings) {
    pthread_mutex_lock(&reader);
    uint32_t slab_count = cmetrics_slab_count();
    for (size_t first = 0; first < count; first += batch_limit) {
        size_t batch = count - first < batch_limit ? count - first : batch_limit;
        if (freeze(slots + first, batch, slab_count)) {
            cmetrics_make_all_see();
        }
        for (size_t place = first; place < first + batch; place++) {
            readings[place] = read_frozen(slots[place], slab_count);
        }
    }
    pthread_mutex_unlock(&reader);
}

void cmetrics_end_reading(cmetrics_reading_t *reading) {
    free(reading->positive);
    free(reading->negative);
    free(reading->bound_counts);
    *reading = (cmetrics_reading_t){0};
}

void cmetrics_merge(uint32_t slot, const cmetrics_reading_t *reading) {
    cmetrics_shared_t *shared = cmetrics_shared_of(slot);
    cmetrics_cell_t *cell = &shared->cell;
    int32_t shift = cmetrics_finest_scale - reading->scale;
    pthread_mutex_lock(&shared->lock);
    if (shared->shape.has_buckets) {
        for (uint32_t place = 0; place < reading->positive_count; place++) {
            cmetrics_bucket_count_t bucket = reading->positive[place];
            cmetrics_cell_count(cell, false, bucket.index, shift, bucket.count);
        }
        for (uint32_t place = 0; place < reading->negative_count; place++) {
            cmetrics_bucket_count_t bucket = reading->negative[place];
            cmetrics_cell_count(cell, true, bucket.index, shift, bucket.count);
        }
        cell->zeros += reading->zeros;
    } else {
        cell->count += reading->count;
    }
    for (uint32_t place = 0; cell->bound_counts != NULL && place <= shared->shape.bound_count; place++) {
        cell->bound_counts[place] += reading->bound_counts == NULL ? 0 : reading->bound_counts[place];
    }
    cell->sum += reading->sum;
    cell->least = reading->least < cell->least ? reading->least : cell->least;
    cell->greatest = reading->greatest > cell->greatest ? reading->greatest : cell->greatest;
    pthread_mutex_unlock(&shared->lock);
}
