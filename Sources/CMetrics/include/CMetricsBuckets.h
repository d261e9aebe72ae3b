// CMetricsBuckets.h — which bucket a value is counted in: base-2 exponential buckets, 64 for each power of two.
//
// Bucket i holds the values in (2^(i/64), 2^((i+1)/64)], which is scale 6 of OpenTelemetry's and schema 6 of
// Prometheus' exponential histograms. No logarithm: a table by the first seven bits of the mantissa, and one addition.
#ifndef CMETRICS_BUCKETS_H
#define CMETRICS_BUCKETS_H

#include <stdint.h>
#include <string.h>

enum {
    cmetrics_finest_scale = 6,    // 2^6 buckets for each power of two
    cmetrics_coarsest_shift = 16, // scale -10: 1,024 powers of two in a bucket
};

// For the mantissas that begin with the seven bits i there is at most one boundary 2^(k/64) among them: then the entry
// is ((k - 1) << 52) + 2^52 - (its mantissa, rounded down), else (k << 52) for the last boundary before them. So that
// (entry + mantissa) >> 52 is the number of boundaries that are at most there. Computed with whole numbers.
static const uint64_t cmetrics_boundaries[128] = {
    0x000000000000000ULL, 0x00fd365c1887fa0ULL, 0x01fa64f2cea7a8cULL, 0x020000000000000ULL,
    0x02f78bae78a6438ULL, 0x03f4aa7930676f1ULL, 0x040000000000000ULL, 0x04f1c13cd2c2e5eULL,
    0x05eecfe2feda4b0ULL, 0x060000000000000ULL, 0x06ebd655156d221ULL, 0x07e8d47c382ae86ULL,
    0x080000000000000ULL, 0x08e5ca41490348bULL, 0x09e2b78ce974656ULL, 0x0a0000000000000ULL,
    0x0adf9c4779d732aULL, 0x0bdc785918a9dc8ULL, 0x0c0000000000000ULL, 0x0cd94ba9a1d8323ULL,
    0x0dd61620ae0211fULL, 0x0e0000000000000ULL, 0x0ed2d7a591bfcf5ULL, 0x0f0000000000000ULL,
    0x0fcf901f5ce48ebULL, 0x10cc3f74d9be901ULL, 0x110000000000000ULL, 0x11c8e58c8c55636ULL,
    0x120000000000000ULL, 0x12c5824cb1a600aULL, 0x13c2159b3edcbdeULL, 0x140000000000000ULL,
    0x14be9f5de08d1d7ULL, 0x150000000000000ULL, 0x15bb1f79f9e76d3ULL, 0x160000000000000ULL,
    0x16b795d4a3ec330ULL, 0x17b40252ac9d5d9ULL, 0x180000000000000ULL, 0x18b064d8962d35aULL,
    0x190000000000000ULL, 0x19acbd4a962b07fULL, 0x1a0000000000000ULL, 0x1aa90b8c94ad826ULL,
    0x1b0000000000000ULL, 0x1ba54f822b7abd7ULL, 0x1c0000000000000ULL, 0x1ca1890ea52deb8ULL,
    0x1d0000000000000ULL, 0x1d9db814fc5aa7cULL, 0x1e0000000000000ULL, 0x1e99dc77daadddcULL,
    0x1f0000000000000ULL, 0x1f95f619980c434ULL, 0x209204dc39ae5d2ULL, 0x210000000000000ULL,
    0x218e08a1713a08dULL, 0x220000000000000ULL, 0x228a014a9bd9838ULL, 0x230000000000000ULL,
    0x230000000000000ULL, 0x2385eeb8c14fe7aULL, 0x240000000000000ULL, 0x2481d0cc930b19eULL,
    0x250000000000000ULL, 0x257da7666b331eeULL, 0x260000000000000ULL, 0x267972664bb6d14ULL,
    0x270000000000000ULL, 0x277531abdd55f25ULL, 0x280000000000000ULL, 0x2870e5166ea88caULL,
    0x290000000000000ULL, 0x296c8c84f323a1cULL, 0x2a0000000000000ULL, 0x2a6827d6021b1b1ULL,
    0x2b0000000000000ULL, 0x2b0000000000000ULL, 0x2b63b6e7d5c0f70ULL, 0x2c0000000000000ULL,
    0x2c5f39984a21a9cULL, 0x2d0000000000000ULL, 0x2d5aafc4dc1daa4ULL, 0x2e0000000000000ULL,
    0x2e56194aa860241ULL, 0x2f0000000000000ULL, 0x2f0000000000000ULL, 0x2f5176066a52c53ULL,
    0x300000000000000ULL, 0x304cc5d47b0ea06ULL, 0x310000000000000ULL, 0x31480890d04a1baULL,
    0x320000000000000ULL, 0x320000000000000ULL, 0x32433e16fb43e2eULL, 0x330000000000000ULL,
    0x333e664227aad64ULL, 0x340000000000000ULL, 0x340000000000000ULL, 0x343980ed1a82eb5ULL,
    0x350000000000000ULL, 0x35348df23106f97ULL, 0x360000000000000ULL, 0x360000000000000ULL,
    0x362f8d2b5f87685ULL, 0x370000000000000ULL, 0x372a7e723045b79ULL, 0x380000000000000ULL,
    0x380000000000000ULL, 0x3825619fc24cd7bULL, 0x390000000000000ULL, 0x3920368cc8464a2ULL,
    0x3a0000000000000ULL, 0x3a0000000000000ULL, 0x3a1afd11874c00aULL, 0x3b0000000000000ULL,
    0x3b0000000000000ULL, 0x3b15b505d5b6f27ULL, 0x3c0000000000000ULL, 0x3c105e4119ea5d9ULL,
    0x3d0000000000000ULL, 0x3d0000000000000ULL, 0x3d0af89a491bac0ULL, 0x3e0000000000000ULL,
    0x3e0000000000000ULL, 0x3e0583e7e616f28ULL, 0x3f0000000000000ULL, 0x3f0000000000000ULL,};

static inline uint64_t cmetrics_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// The bucket of a magnitude, given by its bits: finite and above 2^-1022. What is below it by one unit in the last
// place decides, since a bucket's upper bound belongs to it.
static inline int32_t cmetrics_bucket(uint64_t magnitude) {
    uint64_t below = magnitude - 1, mantissa = below & ((1ULL << 52) - 1);
    uint64_t part = (cmetrics_boundaries[mantissa >> 45] + mantissa) >> 52;
    return (int32_t)((below >> 52) << 6 | part) - (1023 << 6);
}

#endif
