// CWireMetrics.h — what a plugin measures: a slab of shared memory into which its threads record, without a lock and
// without a message, and which the host reads now and then. Compiled by both sides. The host made the file, maps it
// read-only and believes none of it; it is sealed, so it cannot get shorter. Next: nocturne-worker/metrics.c.
//
// A cell for each series that the plugin has declared; its number is what the host answered. A histogram counts in
// pages of 64 counters: a page holds the buckets of one power of two, of one sign. Where they are stands in its
// directory; a page is claimed for good by whoever needs it first. When there is none left, or the directory is full, a
// value counts as unsorted: it is in count and sum, but in no bucket.
//
// Threads only add, by atomic operations on single words: one that dies in the middle leaves nothing locked. What is
// never used is never touched, and takes no memory.
#ifndef NOCTURNE_WIRE_METRICS_H
#define NOCTURNE_WIRE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WIRE_METRICS_SERIES 1024u // NOCTURNE_METRICS_MAX of the SDK
#define WIRE_METRICS_PAGES 2048u
#define WIRE_METRICS_BUCKETS 64u   // of a page, and of a power of two: scale 6
#define WIRE_METRICS_DIRECTORY 64u // pages that one histogram may have: 19 powers of ten

// Kinds of series: NOCTURNE_COUNTER … NOCTURNE_HISTOGRAM of the SDK.
#define WIRE_METRIC_COUNTER 0u
#define WIRE_METRIC_UP_DOWN 1u
#define WIRE_METRIC_GAUGE 2u
#define WIRE_METRIC_HISTOGRAM 3u

// Whole amounts are counted as such up to here, where a double begins to lose them: 2^53.
#define WIRE_METRIC_WHOLE_MAX (1ll << 53)

typedef struct wire_metrics_head {
    uint32_t pages; // claimed so far
    uint32_t spare; // a page, plus 1, that was claimed by two threads at once and so not needed; 0: none
    uint32_t reserved[14];
} wire_metrics_head;

// One series; which words mean something depends on its kind. Doubles are kept as their bits.
typedef struct wire_metric_cell {
    int64_t whole;     // counters: the sum of all whole amounts; gauges: 1 once there is a value
    uint64_t fraction; // counters: the sum of all others; gauges: the value; histograms: the sum
    uint64_t least, greatest; // of a histogram's values: the ranks of -least and of greatest; 0: none
    uint64_t zeros;    // values that are 0, or so near to it that no normal double is: at most 2^-1022
    uint64_t unsorted; // values for which there was no page
    uint64_t reserved[2];
} wire_metric_cell;

_Static_assert(sizeof(wire_metrics_head) == 64 && sizeof(wire_metric_cell) == 64, "a cache line each");
_Static_assert(offsetof(wire_metric_cell, zeros) == 32, "layout");

#define WIRE_METRICS_CELLS_AT 4096u
#define WIRE_METRICS_DIRECTORIES_AT (WIRE_METRICS_CELLS_AT + WIRE_METRICS_SERIES * 64u)
#define WIRE_METRICS_PAGES_AT (WIRE_METRICS_DIRECTORIES_AT + WIRE_METRICS_SERIES * WIRE_METRICS_DIRECTORY * 4u)
#define WIRE_METRICS_SIZE (WIRE_METRICS_PAGES_AT + WIRE_METRICS_PAGES * WIRE_METRICS_BUCKETS * 8u)
_Static_assert(WIRE_METRICS_PAGES_AT % 4096u == 0 && WIRE_METRICS_SIZE == 1380352u, "1.3 MiB");

static inline uint64_t wire_metrics_size(void) {
    return WIRE_METRICS_SIZE;
}

// ---------------------------------------------------------------------------------------- buckets

// Bucket i holds the values in (2^(i/64), 2^((i+1)/64)]: base-2 exponential buckets of scale 6.
// The mantissas of 2^(k/64), rounded down; then one that no mantissa reaches.
static const uint64_t wire_bucket_bounds[WIRE_METRICS_BUCKETS + 1] = {
    0x00000000000000, 0x002c9a3e778060, 0x0059b0d3158574, 0x00874518759bc8, 0x00b5586cf9890f, 0x00e3ec32d3d1a2,
    0x011301d0125b50, 0x01429aaea92ddf, 0x0172b83c7d517a, 0x01a35beb6fcb75, 0x01d4873168b9aa, 0x02063b88628cd6,
    0x02387a6e756238, 0x026b4565e27cdd, 0x029e9df51fdee1, 0x02d285a6e4030b, 0x0306fe0a31b715, 0x033c08b26416ff,
    0x0371a7373aa9ca, 0x03a7db34e59ff6, 0x03dea64c123422, 0x04160a21f72e29, 0x044e086061892d, 0x0486a2b5c13cd0,
    0x04bfdad5362a27, 0x04f9b2769d2ca6, 0x05342b569d4f81, 0x056f4736b527da, 0x05ab07dd485429, 0x05e76f15ad2148,
    0x06247eb03a5584, 0x06623882552224, 0x06a09e667f3bcc, 0x06dfb23c651a2e, 0x071f75e8ec5f73, 0x075feb564267c8,
    0x07a11473eb0186, 0x07e2f336cf4e62, 0x082589994cce12, 0x0868d99b4492ec, 0x08ace5422aa0db, 0x08f1ae99157736,
    0x093737b0cdc5e4, 0x097d829fde4e4f, 0x09c49182a3f090, 0x0a0c667b5de564, 0x0a5503b23e255c, 0x0a9e6b5579fdbf,
    0x0ae89f995ad3ad, 0x0b33a2b84f15fa, 0x0b7f76f2fb5e46, 0x0bcc1e904bc1d2, 0x0c199bdd85529c, 0x0c67f12e57d14b,
    0x0cb720dcef9069, 0x0d072d4a07897b, 0x0d5818dcfba487, 0x0da9e603db3285, 0x0dfc97337b9b5e, 0x0e502ee78b3ff6,
    0x0ea4afa2a490d9, 0x0efa1bee615a27, 0x0f50765b6e4540, 0x0fa7c1819e90d8, 0x10000000000000,
};
// By the first seven bits of a mantissa: the last bound that is not above all mantissas with these bits. There is at
// most one more bound among them.
static const uint8_t wire_bucket_first[128] = {
    0, 0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8, 8, 9, 10, 10, 11, 12, 12, 13, 14, 14, 15,
    15, 16, 17, 17, 18, 18, 19, 20, 20, 21, 21, 22, 22, 23, 24, 24, 25, 25, 26, 26, 27, 27, 28, 28,
    29, 29, 30, 30, 31, 31, 32, 33, 33, 34, 34, 35, 35, 35, 36, 36, 37, 37, 38, 38, 39, 39, 40, 40,
    41, 41, 42, 42, 43, 43, 43, 44, 44, 45, 45, 46, 46, 47, 47, 47, 48, 48, 49, 49, 50, 50, 50, 51,
    51, 52, 52, 52, 53, 53, 54, 54, 54, 55, 55, 56, 56, 56, 57, 57, 58, 58, 58, 59, 59, 59, 60, 60,
    61, 61, 61, 62, 62, 62, 63, 63,
};

#define WIRE_DOUBLE_SIGN (1ull << 63)
#define WIRE_DOUBLE_LEAST_NORMAL (1ull << 52)

static inline uint64_t wire_double_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
static inline double wire_double(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// Where a finite value is counted: false: among the zeros; else in `bucket` of the page with this key, which is never
// 0: its sign and the exponent of what is just below its magnitude.
static inline bool wire_bucket_place(double value, uint32_t *key, uint32_t *bucket) {
    uint64_t bits = wire_double_bits(value), magnitude = bits & ~WIRE_DOUBLE_SIGN;
    if (magnitude <= WIRE_DOUBLE_LEAST_NORMAL) {
        return false;
    }
    uint64_t below = magnitude - 1, mantissa = below & (WIRE_DOUBLE_LEAST_NORMAL - 1);
    uint32_t first = wire_bucket_first[mantissa >> 45];
    *bucket = first + (mantissa >= wire_bucket_bounds[first + 1]);
    *key = (uint32_t)(below >> 52) | (uint32_t)(bits >> 63) << 11;
    return true;
}

// The index of the first bucket of a page.
static inline int32_t wire_bucket_base(uint32_t key) {
    return ((int32_t)(key & 0x7ff) - 1023) * (int32_t)WIRE_METRICS_BUCKETS;
}

// The bucket of a value above 2^-1022.
static inline int32_t wire_bucket_index(double value) {
    uint32_t key = 1, bucket = 0;
    (void)wire_bucket_place(value, &key, &bucket);
    return wire_bucket_base(key) + (int32_t)bucket;
}

// A number that is greater for greater values, and never 0 for one that is not NaN.
static inline uint64_t wire_metric_rank(double value) {
    uint64_t bits = wire_double_bits(value);
    return bits & WIRE_DOUBLE_SIGN ? ~bits : bits | WIRE_DOUBLE_SIGN;
}
static inline double wire_metric_unrank(uint64_t rank) {
    return wire_double(rank & WIRE_DOUBLE_SIGN ? rank & ~WIRE_DOUBLE_SIGN : ~rank);
}

// ------------------------------------------------------------------------------------------ places

static inline wire_metric_cell *wire_metric_at(void *slab, uint32_t series) {
    return (wire_metric_cell *)((uint8_t *)slab + WIRE_METRICS_CELLS_AT) + series % WIRE_METRICS_SERIES;
}
static inline uint32_t *wire_metric_directory(void *slab, uint32_t series) {
    return (uint32_t *)((uint8_t *)slab + WIRE_METRICS_DIRECTORIES_AT)
        + (size_t)(series % WIRE_METRICS_SERIES) * WIRE_METRICS_DIRECTORY;
}
static inline uint64_t *wire_metric_page(void *slab, uint32_t page) {
    return (uint64_t *)((uint8_t *)slab + WIRE_METRICS_PAGES_AT)
        + (size_t)(page % WIRE_METRICS_PAGES) * WIRE_METRICS_BUCKETS;
}
// An entry of a directory: the page's key, then its number plus 1; 0: free.
static inline uint32_t wire_metric_entry(uint32_t key, uint32_t page) {
    return key << 16 | (page + 1);
}
static inline uint32_t wire_entry_key(uint32_t entry) {
    return entry >> 16;
}
// WIRE_METRICS_PAGES or more: none.
static inline uint32_t wire_entry_page(uint32_t entry) {
    return (entry & 0xffff) - 1;
}

// What the host reads, word by word. It maps the slab read-only.
static inline uint64_t wire_load_word(const void *place) {
    return __atomic_load_n((const uint64_t *)place, __ATOMIC_RELAXED);
}
static inline uint32_t wire_load_entry(const void *slab, uint32_t series, uint32_t index) {
    return __atomic_load_n(
        wire_metric_directory((void *)(uintptr_t)slab, series) + index % WIRE_METRICS_DIRECTORY, __ATOMIC_RELAXED);
}
static inline uint64_t wire_load_bucket(const void *slab, uint32_t page, uint32_t bucket) {
    return wire_load_word(wire_metric_page((void *)(uintptr_t)slab, page) + bucket % WIRE_METRICS_BUCKETS);
}
static inline wire_metric_cell wire_load_cell(const void *slab, uint32_t series) {
    const wire_metric_cell *cell = wire_metric_at((void *)(uintptr_t)slab, series);
    wire_metric_cell copy = { (int64_t)wire_load_word(&cell->whole), wire_load_word(&cell->fraction),
        wire_load_word(&cell->least), wire_load_word(&cell->greatest), wire_load_word(&cell->zeros),
        wire_load_word(&cell->unsorted), { 0, 0 } };
    return copy;
}

// --------------------------------------------------------------------------------------- recording

static inline void wire_count(uint64_t *word) {
    __atomic_fetch_add(word, 1, __ATOMIC_RELAXED);
}
static inline void wire_add_fraction(uint64_t *word, double amount) {
    uint64_t seen = __atomic_load_n(word, __ATOMIC_RELAXED), sum;
    do {
        sum = wire_double_bits(wire_double(seen) + amount);
    } while (!__atomic_compare_exchange_n(word, &seen, sum, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}
static inline void wire_raise(uint64_t *word, uint64_t rank) {
    uint64_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);
    while (seen < rank
        && !__atomic_compare_exchange_n(word, &seen, rank, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

// Adds a finite amount to a counter or an up-down counter.
static inline void wire_metric_add(void *slab, uint32_t series, double amount) {
    wire_metric_cell *cell = wire_metric_at(slab, series);
    if (amount < (double)WIRE_METRIC_WHOLE_MAX && amount > -(double)WIRE_METRIC_WHOLE_MAX
        && (double)(int64_t)amount == amount) {
        __atomic_fetch_add(&cell->whole, (int64_t)amount, __ATOMIC_RELAXED);
    } else {
        wire_add_fraction(&cell->fraction, amount);
    }
}

// Sets a gauge, or moves it by an amount.
static inline void wire_metric_set(void *slab, uint32_t series, double value) {
    wire_metric_cell *cell = wire_metric_at(slab, series);
    __atomic_store_n(&cell->fraction, wire_double_bits(value), __ATOMIC_RELAXED);
    __atomic_store_n(&cell->whole, 1, __ATOMIC_RELEASE);
}
static inline void wire_metric_move(void *slab, uint32_t series, double amount) {
    wire_metric_cell *cell = wire_metric_at(slab, series);
    wire_add_fraction(&cell->fraction, amount);
    __atomic_store_n(&cell->whole, 1, __ATOMIC_RELEASE);
}

// A page for `entry`, which was free. Returns what stands there then, by whomever; 0: no page is left.
static inline uint32_t wire_metric_claim(void *slab, uint32_t *entry, uint32_t key) {
    wire_metrics_head *head = (wire_metrics_head *)slab;
    uint32_t page = __atomic_exchange_n(&head->spare, 0, __ATOMIC_RELAXED);
    if (page == 0) {
        // The first look keeps the count from coming round.
        if (__atomic_load_n(&head->pages, __ATOMIC_RELAXED) >= WIRE_METRICS_PAGES) {
            return 0;
        }
        page = __atomic_fetch_add(&head->pages, 1, __ATOMIC_RELAXED) + 1;
        if (page > WIRE_METRICS_PAGES) {
            return 0;
        }
    }
    uint32_t seen = 0, claimed = wire_metric_entry(key, page - 1);
    if (__atomic_compare_exchange_n(entry, &seen, claimed, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        return claimed;
    }
    __atomic_store_n(&head->spare, page, __ATOMIC_RELAXED);
    return seen;
}

// The page of a histogram for this key; NULL: there is none.
static inline uint64_t *wire_metric_find(void *slab, uint32_t series, uint32_t key) {
    uint32_t *directory = wire_metric_directory(slab, series);
    for (uint32_t i = 0; i < WIRE_METRICS_DIRECTORY; i++) {
        uint32_t *place = &directory[(key + i) % WIRE_METRICS_DIRECTORY];
        uint32_t entry = __atomic_load_n(place, __ATOMIC_RELAXED);
        if (entry == 0) {
            entry = wire_metric_claim(slab, place, key);
        }
        if (entry == 0 || wire_entry_key(entry) == key) {
            return entry == 0 ? NULL : wire_metric_page(slab, wire_entry_page(entry));
        }
    }
    return NULL;
}

// Counts a finite value in a histogram.
static inline void wire_metric_observe(void *slab, uint32_t series, double value) {
    wire_metric_cell *cell = wire_metric_at(slab, series);
    uint32_t key, bucket;
    if (!wire_bucket_place(value, &key, &bucket)) {
        wire_count(&cell->zeros);
    } else {
        uint64_t *page = wire_metric_find(slab, series, key);
        wire_count(page != NULL ? &page[bucket] : &cell->unsorted);
    }
    wire_add_fraction(&cell->fraction, value);
    wire_raise(&cell->least, wire_metric_rank(-value));
    wire_raise(&cell->greatest, wire_metric_rank(value));
}

#endif
