// CMetricsHash.h — a hash of bytes by which series are found: seeded, so that nobody can prepare names that collide.
#ifndef CMETRICS_HASH_H
#define CMETRICS_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Two words become one: both halves of their product (Go's and Rust's maps mix so, too).
static inline uint64_t cmetrics_mix(uint64_t left, uint64_t right) {
    unsigned __int128 product = (unsigned __int128)left * right;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t cmetrics_hash(const uint8_t *bytes, size_t count, uint64_t seed) {
    const uint64_t odd = 0x9E3779B97F4A7C15ULL; // 2^64 divided by the golden ratio
    uint64_t hash = seed ^ (count * odd), word;
    for (; count >= sizeof word; bytes += sizeof word, count -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = cmetrics_mix(hash ^ word, odd ^ seed);
    }
    word = 0;
    for (size_t place = 0; place < count; place++) {
        word |= (uint64_t)bytes[place] << (8 * place);
    }
    return cmetrics_mix(hash ^ word, seed | 1);
}

#endif
