// CMetricsHash.h — a hash of bytes by which series are found: seeded, so that nobody can prepare names that collide.
#ifndef CMETRICS_HASH_H
#define CMETRICS_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Two words become one: both halves of their product (Go's and Rust's maps mix so, too).
static inline uint64_t cmetrics_mix(uint64_t left, uint64_t right) {
    unsigned __int128 product = (unsigned __int128)left * right;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// Another one in each process.
extern uint64_t cmetrics_seed;

static inline uint64_t cmetrics_load(const uint8_t *bytes, size_t count) {
    uint64_t word = 0;
    memcpy(&word, bytes, count);
    return word;
}

static inline uint64_t cmetrics_hash(const uint8_t *bytes, size_t count) {
    const uint64_t odd = 0x9E3779B97F4A7C15ULL; // 2^64 divided by the golden ratio
    uint64_t seed = cmetrics_seed, hash = seed ^ (count * odd), tail = 0;
    if (count >= 8) {
        for (size_t place = 0; place + 8 < count; place += 8) {
            hash = cmetrics_mix(hash ^ cmetrics_load(bytes + place, 8), odd ^ seed);
        }
        tail = cmetrics_load(bytes + count - 8, 8);
    } else if (count >= 4) {
        tail = cmetrics_load(bytes, 4) << 32 | cmetrics_load(bytes + count - 4, 4);
    } else if (count > 0) {
        tail = (uint64_t)bytes[0] << 16 | (uint64_t)bytes[count / 2] << 8 | bytes[count - 1];
    }
    return cmetrics_mix(hash ^ tail, seed | 1);
}

// A hash of words, of which the first two are `first` and `second`, and `count` more follow. Never 0.
static inline uint64_t cmetrics_hash_words(uint64_t first, uint64_t second, const void *words, size_t count) {
    const uint64_t odd = 0x9E3779B97F4A7C15ULL;
    uint64_t pair[2], key = cmetrics_seed, sum = cmetrics_mix(first ^ key, second ^ odd);
    for (size_t place = 0; place + 1 < count; place += 2) {
        // No product waits for another.
        memcpy(pair, (const uint64_t *)words + place, sizeof pair);
        key += odd;
        sum += cmetrics_mix(pair[0] ^ key, pair[1] ^ odd);
    }
    return sum | 1;
}

static inline bool cmetrics_is_same(const void *left, const void *right, size_t count) {
    return count == 0 || memcmp(left, right, count) == 0;
}

// The same of words, without a call.
static inline bool cmetrics_is_same_words(const void *left, const void *right, size_t count) {
    uint64_t difference = 0;
    for (size_t place = 0; place < count; place++) {
        uint64_t one, other;
        memcpy(&one, (const uint64_t *)left + place, sizeof one);
        memcpy(&other, (const uint64_t *)right + place, sizeof other);
        difference |= one ^ other;
    }
    return difference == 0;
}

// Which bytes come first: negative if the left ones do, 0 if they are the same.
static inline int32_t cmetrics_order(const void *left, const void *right, size_t count) {
    return count == 0 ? 0 : memcmp(left, right, count);
}

#endif
