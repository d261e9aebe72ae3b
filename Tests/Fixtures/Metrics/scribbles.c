// A plugin that writes all over what the host reads of its measurements.
#define _GNU_SOURCE // dl_iterate_phdr
#include "metrics.h"

#include "CWireMetrics.h"

#include <link.h>
#include <sys/mman.h>

FIXTURE("scribbles", TOOL("scribbles"))

#define MARK 5566778899ll // what its counter holds, so that the memory is found by it

static int32_t counter, level, seconds;
static uint8_t *slab;

static int32_t activate(nocturne_error_t *error) {
    (void)error;
    counter = series(NOCTURNE_COUNTER, "scribbled.total", NULL);
    level = series(NOCTURNE_GAUGE, "scribbled.level", NULL);
    seconds = series(NOCTURNE_HISTOGRAM, "scribbled.seconds", NULL);
    metrics()->add(counter, (double)MARK);
    metrics()->set(level, 1);
    metrics()->observe(seconds, 1);
    return 0;
}

static int is_slab(const uint8_t *at) {
    if (((uintptr_t)at & 4095) != 0 || at == NULL) return 0;
    if (madvise((void *)(uintptr_t)at, WIRE_METRICS_SIZE, MADV_NORMAL) != 0) return 0; // ENOMEM: not mapped
    return wire_metric_at((void *)(uintptr_t)at, (uint32_t)counter - 1)->whole == MARK;
}

// Looks through the data of the program that it is loaded into, which keeps the address.
static int look(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size, (void)context;
    if (info->dlpi_name[0] != 0) return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || (part->p_flags & PF_W) == 0) continue;
        uintptr_t from = (info->dlpi_addr + part->p_vaddr + 7) & ~(uintptr_t)7,
                  to = info->dlpi_addr + part->p_vaddr + part->p_memsz;
        for (uintptr_t at = from; at + 8 <= to && slab == NULL; at += 8) {
            uint8_t *found = *(uint8_t **)at;
            if (is_slab(found)) slab = found;
        }
    }
    return 1;
}

// {"how": …}: what it does to its slab. Says whether it found it.
HANDLER(scribble) {
    const char *how = string(input, size, "how");
    uint64_t bits = wire_double_bits(__builtin_nan(""));
    if (slab == NULL) dl_iterate_phdr(look, NULL);
    if (slab == NULL) return answer(call, "false");
    wire_metric_cell *total = wire_metric_at(slab, (uint32_t)counter - 1);
    if (strcmp(how, "fall") == 0) total->whole = 1;
    if (strcmp(how, "negative") == 0) total->whole = INT64_MIN;
    if (strcmp(how, "huge") == 0) total->whole = INT64_MAX;
    if (strcmp(how, "right") == 0) total->whole = MARK + 10;
    if (strcmp(how, "nan") == 0) {
        total->fraction = bits;
        wire_metric_at(slab, (uint32_t)level - 1)->fraction = bits;
        wire_metric_at(slab, (uint32_t)seconds - 1)->fraction = wire_double_bits(__builtin_inf());
    }
    if (strcmp(how, "directory") == 0) {
        // Pages that are not there, keys that are none, one page over and over, and the entry of the first value.
        uint32_t *directory = wire_metric_directory(slab, (uint32_t)seconds - 1);
        for (uint32_t i = 0; i < WIRE_METRICS_DIRECTORY; i++)
            directory[i] = i % 4 == 0 ? 0xffffffff : i % 4 == 1 ? 0x0000ffff : i % 4 == 2 ? 0x03ff0001 : 0x7ff0001 + i;
    }
    if (strcmp(how, "all") == 0) memset(slab, 0xff, WIRE_METRICS_SIZE);
    if (strcmp(how, "noise") == 0) {
        uint64_t state = (uint64_t)number(input, size, "seed", 1) * 0x9e3779b97f4a7c15ull | 1;
        for (size_t i = 0; i < WIRE_METRICS_SIZE / 8; i++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            ((uint64_t *)slab)[i] = state >> state % 61;
        }
    }
    answer(call, "true");
}

static const void *extension(const char *id) {
    static const nocturne_contribution_t item = { "scribbles", scribble, NULL };
    static const nocturne_contributions_t tools = { sizeof tools, 1, &item };
    return strcmp(id, NOCTURNE_TOOLS) == 0 ? &tools : NULL;
}
ENTRY_WITH(extension, activate)
