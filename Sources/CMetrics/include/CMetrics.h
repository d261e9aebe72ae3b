// CMetrics.h — where values are recorded: a slab of slots per thread, found by thread-local storage, which Swift has
// not.
//
// A series has a slot, by the same number in the slab of every thread. Only the owner of a slab writes to it, with
// plain
// loads and stores, so recording takes no lock and no locked instruction, and does not slow down with more threads.
// Readers add up all slabs. The slab of a thread that has ended goes to another with its values left in place.
#ifndef CMETRICS_H
#define CMETRICS_H

#include "CMetricsBuckets.h"
#include "CMetricsHash.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    cmetrics_page_slots = 256,   // of 16 bytes: a page of memory
    cmetrics_slab_pages = 4096,  // so there are at most 1,048,576 slots
    cmetrics_slab_limit = 256,   // threads beyond it share a slab with atomic instructions
    cmetrics_page_buckets = 64,  // counters that are allocated together: at first a power of two
    cmetrics_page_limit = 128,   // of a cell; for one more, neighboring buckets are joined
    cmetrics_bound_limit = 256,  // declared bounds of a distribution
};

// The counters of a range of buckets: page i has those from 64 * (first + i) on; NULL if all are 0.
typedef struct cmetrics_table {
    uint64_t **pages;
    int32_t first;
    uint32_t count;
} cmetrics_table_t;

// How a distribution is counted; the same for all its cells, and never changed.
typedef struct cmetrics_shape {
    const double *bounds; // rising
    uint32_t bound_count;
    bool has_buckets;
} cmetrics_shape_t;

// What one thread has recorded of one distribution. A reader sets `frozen`, makes all processors see that
// (membarrier(2)), waits until `inside` is 0, and copies. An owner that finds its cell frozen does not wait: it records
// into the cell that all threads share.
typedef struct cmetrics_cell {
    uint32_t inside, frozen;
    cmetrics_table_t positive;
    uint64_t *bound_counts; // one more than bounds; NULL if there are none
    int32_t shift;          // finest scale - scale
    uint32_t page_count;
    double sum, least, greatest;
    uint64_t zeros; // values of at most 2^-1022
    uint64_t count; // only without buckets, else their sum
    cmetrics_table_t negative;
    const cmetrics_shape_t *shape;
} cmetrics_cell_t;

// Of a total: the sum of whole amounts, and the bits of the sum of others. Of a distribution: its cell, and nothing.
typedef struct cmetrics_slot {
    uint64_t first, second;
} cmetrics_slot_t;

typedef struct cmetrics_slab {
    cmetrics_slot_t *pages[cmetrics_slab_pages];
    void *cache; // whatever the owner likes to keep; goes to the next owner with the slab
    struct cmetrics_slab *next_free;
} cmetrics_slab_t;

// The caller's slab; one without pages before its first record, and for threads that share.
extern __thread cmetrics_slab_t *cmetrics_mine __attribute__((tls_model("initial-exec")));
// How many listen to each record, in the whole process.
extern uint32_t cmetrics_listeners;

#define CMETRICS_LIKELY(condition) __builtin_expect(!!(condition), 1)

static inline bool cmetrics_is_heard(void) {
    return __atomic_load_n(&cmetrics_listeners, __ATOMIC_RELAXED) != 0;
}

// One more listens, or one less.
static inline void cmetrics_listen(int32_t change) {
    __atomic_fetch_add(&cmetrics_listeners, (uint32_t)change, __ATOMIC_RELAXED);
}

// ------------------------------------------------------------------------------------------------ totals

void cmetrics_add_whole_slowly(uint32_t slot, int64_t amount);
void cmetrics_add_fraction_slowly(uint32_t slot, double amount);

// The caller's slot; NULL if it has none yet.
static inline cmetrics_slot_t *cmetrics_find(uint32_t slot) {
    cmetrics_slot_t *page =
        __atomic_load_n(&cmetrics_mine->pages[slot / cmetrics_page_slots], __ATOMIC_RELAXED);
    return CMETRICS_LIKELY(page != NULL) ? &page[slot % cmetrics_page_slots] : NULL;
}

// Adds a whole amount to a total. Wraps around at 2^63.
static inline void cmetrics_add_whole(uint32_t slot, int64_t amount) {
    cmetrics_slot_t *mine = cmetrics_find(slot);
    if (CMETRICS_LIKELY(mine != NULL)) {
        uint64_t sum = __atomic_load_n(&mine->first, __ATOMIC_RELAXED) + (uint64_t)amount;
        __atomic_store_n(&mine->first, sum, __ATOMIC_RELAXED);
    } else {
        cmetrics_add_whole_slowly(slot, amount);
    }
}

// Adds an amount that has a fraction, or is not less than 2^53.
static inline void cmetrics_add_fraction(uint32_t slot, double amount) {
    cmetrics_slot_t *mine = cmetrics_find(slot);
    if (CMETRICS_LIKELY(mine != NULL)) {
        double sum;
        uint64_t bits = __atomic_load_n(&mine->second, __ATOMIC_RELAXED);
        memcpy(&sum, &bits, sizeof sum);
        __atomic_store_n(&mine->second, cmetrics_bits(sum + amount), __ATOMIC_RELAXED);
    } else {
        cmetrics_add_fraction_slowly(slot, amount);
    }
}

// Adds a finite amount: exactly as long as it is whole and a double can be (less than 2^53).
static inline void cmetrics_add(uint32_t slot, double amount) {
    if (CMETRICS_LIKELY(amount < 0x1p53 && amount > -0x1p53)) {
        int64_t whole = (int64_t)amount;
        if (CMETRICS_LIKELY((double)whole == amount)) {
            cmetrics_add_whole(slot, whole);
            return;
        }
    }
    cmetrics_add_fraction(slot, amount);
}

// ------------------------------------------------------------------------------------------------ distributions

bool cmetrics_record_slowly(uint32_t slot, double value);

// The place of the first bound that a value is not above; one past the last if it is above all.
static inline uint32_t cmetrics_bound(const cmetrics_shape_t *shape, double value) {
    // Halved without branches, which nobody could foresee: what is looked for is among the `count` from `low` on.
    const double *low = shape->bounds;
    uint32_t count = shape->bound_count;
    while (count > 1) {
        uint32_t half = count / 2;
        low += value > low[half - 1] ? half : 0;
        count -= half;
    }
    return (uint32_t)(low - shape->bounds) + (value > *low);
}

// Records a value; false for NaN and the infinities, which are left out. The way that is written out here is that of
// most: a normal number above zero, in a range of values that has been seen before, while nobody reads.
static inline bool cmetrics_record(uint32_t slot, double value) {
    const uint64_t least = (1ULL << 52) + 1, infinity = 0x7FFULL << 52;
    uint64_t bits = cmetrics_bits(value);
    cmetrics_slot_t *mine = cmetrics_find(slot);
    if (!CMETRICS_LIKELY(mine != NULL && bits - least < infinity - least)) {
        return cmetrics_record_slowly(slot, value);
    }
    cmetrics_cell_t *cell =
        (cmetrics_cell_t *)(uintptr_t)__atomic_load_n(&mine->first, __ATOMIC_RELAXED);
    if (!CMETRICS_LIKELY(cell != NULL)) {
        return cmetrics_record_slowly(slot, value);
    }
    __atomic_store_n(&cell->inside, 1, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST); // the processors' half of this is the reader's membarrier
    if (CMETRICS_LIKELY(__atomic_load_n(&cell->frozen, __ATOMIC_ACQUIRE) == 0)) {
        int32_t index = cmetrics_bucket(bits) >> cell->shift;
        uint32_t place = (uint32_t)(index >> 6) - (uint32_t)cell->positive.first;
        uint64_t *page = place < cell->positive.count ? cell->positive.pages[place] : NULL;
        if (CMETRICS_LIKELY(page != NULL)) {
            page[index & 63] += 1;
            if (cell->bound_counts != NULL) {
                cell->bound_counts[cmetrics_bound(cell->shape, value)] += 1;
            }
            cell->sum += value;
            if (value < cell->least) cell->least = value;
            if (value > cell->greatest) cell->greatest = value;
            __atomic_store_n(&cell->inside, 0, __ATOMIC_RELEASE);
            return true;
        }
    }
    __atomic_store_n(&cell->inside, 0, __ATOMIC_RELEASE);
    return cmetrics_record_slowly(slot, value);
}

// ------------------------------------------------------------------------------------------------ slots

// A slot for a total; 0 if there are no more.
uint32_t cmetrics_claim(void);
// A slot for a distribution with declared bounds, which are copied; 0 if there are no more.
uint32_t cmetrics_claim_distribution(const double *bounds, uint32_t bound_count, bool has_buckets);
// Gives a slot back with all that was recorded in it. Nobody may use it now.
void cmetrics_free(uint32_t slot, bool is_distribution);
// Slots that were claimed at any time, among them the freed ones: all numbers are below it.
uint32_t cmetrics_slot_count(void);
// Slabs that threads have or had.
uint32_t cmetrics_slab_count(void);

// The caller's slab, made if need be; NULL for threads that share.
cmetrics_slab_t *cmetrics_slab_of_mine(void);

// What the caller keeps; NULL if nothing.
static inline void *cmetrics_cache(void) {
    return cmetrics_mine->cache;
}

// ------------------------------------------------------------------------------------------------ reading

typedef struct cmetrics_amount {
    int64_t whole;
    double fraction;
} cmetrics_amount_t;

// A total over all threads.
cmetrics_amount_t cmetrics_total(uint32_t slot);
// The totals of all slots below `count`; means nothing for those of distributions.
void cmetrics_totals(cmetrics_amount_t *totals, uint32_t count);
// Takes away from a total what is there now.
void cmetrics_reset(uint32_t slot);

typedef struct cmetrics_bucket_count {
    int32_t index;
    uint64_t count;
} cmetrics_bucket_count_t;

// A distribution at one moment. `positive` and `negative` rise by index and have no empty buckets.
typedef struct cmetrics_reading {
    uint64_t count, zeros;
    double sum, least, greatest;
    int32_t scale;
    uint32_t positive_count, negative_count;
    cmetrics_bucket_count_t *positive, *negative;
    uint64_t *bound_counts; // one more than bounds; NULL if there are none
} cmetrics_reading_t;

// Reads distributions, each as it was between two records. One call at a time runs, others wait for it.
void cmetrics_read(const uint32_t *slots, size_t count, cmetrics_reading_t *readings);
// Frees what a reading points to.
void cmetrics_end_reading(cmetrics_reading_t *reading);
// Adds a reading that was made elsewhere to a distribution; its bounds, if any, must be the same.
void cmetrics_merge(uint32_t slot, const cmetrics_reading_t *reading);

#endif
