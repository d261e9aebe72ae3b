// slabs.c — who owns which slab, which slots are free, and recording where the short way of CMetrics.h ends.
// Next: reading.c.
#include "slabs.h"

#include <linux/membarrier.h>
#include <math.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

// What a thread has that owns no slab: all its slots are missing.
static cmetrics_slab_t no_slab;
__thread cmetrics_slab_t *cmetrics_mine = &no_slab;
// After the end of its slab, a thread that still records in destructors of thread-local storage shares.
static __thread bool has_ended;
uint32_t cmetrics_listeners;
uint64_t cmetrics_seed;

// Guards all below, except where it says atomic.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cmetrics_slab_t *slabs[cmetrics_slab_limit];
static uint32_t slab_count; // atomic reads
static cmetrics_slab_t *free_slabs; // atomic reads
static cmetrics_slab_t shared_slab; // atomic pages
static uint32_t slot_count = 1; // 0 is none; atomic reads
static uint32_t *free_slots, free_count, free_capacity;

static pthread_key_t end_key;
static pthread_once_t start = PTHREAD_ONCE_INIT;
static bool has_end_key;
// Without membarrier(2), which needs Linux 4.14, no thread has cells of its own.
static bool has_barrier;

__attribute__((constructor)) static void make_seed(void) {
    if (getrandom(&cmetrics_seed, sizeof cmetrics_seed, GRND_NONBLOCK) != sizeof cmetrics_seed) {
        cmetrics_seed = (uint64_t)(uintptr_t)&lock; // where the program was put in memory
    }
}

// ------------------------------------------------------------------------------------------------ slabs

static void give_slab_back(void *memory) {
    cmetrics_slab_t *slab = memory;
    cmetrics_mine = &no_slab;
    has_ended = true;
    pthread_mutex_lock(&lock);
    slab->next_free = free_slabs;
    __atomic_store_n(&free_slabs, slab, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&lock);
}

static bool register_barrier(void) {
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

static void prepare(void) {
    has_end_key = pthread_key_create(&end_key, give_slab_back) == 0;
    has_barrier = register_barrier();
}

void cmetrics_make_all_see(void) {
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0 && has_barrier) {
        abort(); // registered, so it cannot fail; going on would lose values silently
    }
}

static cmetrics_slab_t *take_slab(void) {
    pthread_mutex_lock(&lock);
    cmetrics_slab_t *slab = free_slabs;
    if (slab != NULL) {
        __atomic_store_n(&free_slabs, slab->next_free, __ATOMIC_RELAXED);
    } else if (slab_count < cmetrics_slab_limit) {
        slab = cmetrics_allocate(1, sizeof *slab);
        slabs[slab_count] = slab;
        __atomic_store_n(&slab_count, slab_count + 1, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&lock);
    return slab;
}

cmetrics_slab_t *cmetrics_slab_of_mine(void) {
    if (cmetrics_mine != &no_slab) {
        return cmetrics_mine;
    }
    bool is_full = __atomic_load_n(&slab_count, __ATOMIC_RELAXED) == cmetrics_slab_limit
        && __atomic_load_n(&free_slabs, __ATOMIC_RELAXED) == NULL;
    pthread_once(&start, prepare);
    if (has_ended || is_full || !has_end_key) {
        return NULL;
    }
    cmetrics_slab_t *slab = take_slab();
    if (slab == NULL) {
        return NULL;
    }
    if (pthread_setspecific(end_key, slab) != 0) {
        give_slab_back(slab);
        return NULL;
    }
    cmetrics_mine = slab;
    return slab;
}

uint32_t cmetrics_slab_count(void) {
    return __atomic_load_n(&slab_count, __ATOMIC_ACQUIRE);
}

cmetrics_slab_t *cmetrics_slab_at(uint32_t number) {
    return slabs[number];
}

cmetrics_slot_t *cmetrics_slot_in(cmetrics_slab_t *slab, uint32_t slot) {
    cmetrics_slot_t *page =
        __atomic_load_n(&slab->pages[slot / cmetrics_page_slots], __ATOMIC_ACQUIRE);
    return page == NULL ? NULL : &page[slot % cmetrics_page_slots];
}

// A slot of the caller's slab, made if need be; NULL if the caller shares.
static cmetrics_slot_t *make_slot(uint32_t slot) {
    cmetrics_slab_t *slab = cmetrics_slab_of_mine();
    if (slab == NULL) {
        return NULL;
    }
    cmetrics_slot_t **page = &slab->pages[slot / cmetrics_page_slots];
    if (*page == NULL) {
        cmetrics_slot_t *made = cmetrics_allocate_lines(cmetrics_page_slots, sizeof *made);
        __atomic_store_n(page, made, __ATOMIC_RELEASE);
    }
    return &(*page)[slot % cmetrics_page_slots];
}

cmetrics_slot_t *cmetrics_shared_slot(uint32_t slot) {
    cmetrics_slot_t *found = cmetrics_slot_in(&shared_slab, slot);
    if (found == NULL) {
        cmetrics_slot_t *made = cmetrics_allocate_lines(cmetrics_page_slots, sizeof *made), *none = NULL;
        cmetrics_slot_t **page = &shared_slab.pages[slot / cmetrics_page_slots];
        if (!__atomic_compare_exchange_n(page, &none, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            free(made);
        }
        found = cmetrics_slot_in(&shared_slab, slot);
    }
    return found;
}

cmetrics_slab_t *cmetrics_shared_slab(void) {
    return &shared_slab;
}

cmetrics_shared_t *cmetrics_shared_of(uint32_t slot) {
    uint64_t address = __atomic_load_n(&cmetrics_shared_slot(slot)->first, __ATOMIC_ACQUIRE);
    return (cmetrics_shared_t *)(uintptr_t)address;
}

// ------------------------------------------------------------------------------------------------ recording

void cmetrics_add_shared(uint32_t slot, int64_t whole, double fraction) {
    __atomic_fetch_add(&cmetrics_shared_slot(slot)->first, (uint64_t)whole, __ATOMIC_RELAXED);
    uint64_t *bits = &cmetrics_shared_slot(slot)->second, sum_bits;
    uint64_t old = __atomic_load_n(bits, __ATOMIC_RELAXED);
    do {
        double sum;
        memcpy(&sum, &old, sizeof sum);
        sum_bits = cmetrics_bits(sum + fraction);
    } while (!__atomic_compare_exchange_n(
        bits, &old, sum_bits, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

void cmetrics_add_whole_slowly(uint32_t slot, int64_t amount) {
    if (make_slot(slot) != NULL) {
        cmetrics_add_whole(slot, amount);
    } else {
        cmetrics_add_shared(slot, amount, 0);
    }
}

void cmetrics_add_fraction_slowly(uint32_t slot, double amount) {
    if (make_slot(slot) != NULL) {
        cmetrics_add_fraction(slot, amount);
    } else {
        cmetrics_add_shared(slot, 0, amount);
    }
}

static cmetrics_cell_t *make_cell(uint32_t slot) {
    cmetrics_slot_t *mine = make_slot(slot);
    if (mine == NULL || !has_barrier) {
        return NULL;
    }
    cmetrics_cell_t *cell = (cmetrics_cell_t *)(uintptr_t)mine->first;
    if (cell == NULL) {
        cell = cmetrics_allocate_lines(1, sizeof *cell);
        cmetrics_cell_init(cell, &cmetrics_shared_of(slot)->shape);
        __atomic_store_n(&mine->first, (uint64_t)(uintptr_t)cell, __ATOMIC_RELEASE);
    }
    return cell;
}

bool cmetrics_record_slowly(uint32_t slot, double value) {
    if (!isfinite(value)) {
        return false;
    }
    cmetrics_cell_t *cell = make_cell(slot);
    if (cell != NULL) {
        __atomic_store_n(&cell->inside, 1, __ATOMIC_RELAXED);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        bool is_mine = __atomic_load_n(&cell->frozen, __ATOMIC_ACQUIRE) == 0;
        if (is_mine) {
            cmetrics_cell_record(cell, value);
        }
        __atomic_store_n(&cell->inside, 0, __ATOMIC_RELEASE);
        if (is_mine) {
            return true;
        }
    }
    cmetrics_shared_t *shared = cmetrics_shared_of(slot);
    pthread_mutex_lock(&shared->lock);
    cmetrics_cell_record(&shared->cell, value);
    pthread_mutex_unlock(&shared->lock);
    return true;
}

// ------------------------------------------------------------------------------------------------ slots

uint32_t cmetrics_claim(void) {
    uint32_t slot = 0;
    pthread_mutex_lock(&lock);
    if (free_count > 0) {
        free_count -= 1;
        slot = free_slots[free_count];
    } else if (slot_count < (uint32_t)cmetrics_page_slots * cmetrics_slab_pages) {
        slot = slot_count;
        __atomic_store_n(&slot_count, slot_count + 1, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&lock);
    return slot;
}

uint32_t cmetrics_claim_distribution(const double *bounds, uint32_t bound_count, bool has_buckets) {
    uint32_t slot = cmetrics_claim();
    if (slot == 0) {
        return 0;
    }
    cmetrics_shared_t *shared = cmetrics_allocate(1, sizeof *shared);
    pthread_mutex_init(&shared->lock, NULL);
    double *copy = NULL;
    if (bound_count > 0) {
        copy = cmetrics_allocate(bound_count, sizeof *copy);
        memcpy(copy, bounds, bound_count * sizeof *copy);
    }
    shared->shape = (cmetrics_shape_t){copy, bound_count, has_buckets};
    cmetrics_cell_init(&shared->cell, &shared->shape);
    cmetrics_slot_t *place = cmetrics_shared_slot(slot);
    __atomic_store_n(&place->first, (uint64_t)(uintptr_t)shared, __ATOMIC_RELEASE);
    return slot;
}

static void forget(cmetrics_slab_t *slab, uint32_t slot, bool is_distribution) {
    cmetrics_slot_t *found = cmetrics_slot_in(slab, slot);
    if (found == NULL) {
        return;
    }
    cmetrics_cell_t *cell =
        (cmetrics_cell_t *)(uintptr_t)__atomic_load_n(&found->first, __ATOMIC_ACQUIRE);
    __atomic_store_n(&found->first, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&found->second, 0, __ATOMIC_RELAXED);
    if (is_distribution && cell != NULL) {
        cmetrics_cell_clear(cell);
        free(cell);
    }
}

static void free_slot(uint32_t slot, cmetrics_shared_t *shared) {
    for (uint32_t number = 0; number < cmetrics_slab_count(); number++) {
        forget(slabs[number], slot, shared != NULL);
    }
    forget(&shared_slab, slot, false);
    if (shared != NULL) {
        cmetrics_cell_clear(&shared->cell);
        pthread_mutex_destroy(&shared->lock);
        free((void *)shared->shape.bounds);
        free(shared);
    }
}

static void push_free(uint32_t slot) {
    pthread_mutex_lock(&lock);
    if (free_count == free_capacity) {
        uint32_t capacity = free_capacity == 0 ? 64 : free_capacity * 2;
        uint32_t *grown = realloc(free_slots, capacity * sizeof *grown);
        if (grown == NULL) {
            abort();
        }
        free_slots = grown;
        free_capacity = capacity;
    }
    free_slots[free_count] = slot;
    free_count += 1;
    pthread_mutex_unlock(&lock);
}

void cmetrics_free(uint32_t slot, bool is_distribution) {
    free_slot(slot, is_distribution ? cmetrics_shared_of(slot) : NULL);
    push_free(slot);
}

uint32_t cmetrics_slot_count(void) {
    return __atomic_load_n(&slot_count, __ATOMIC_RELAXED);
}
