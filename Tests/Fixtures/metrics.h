// metrics.h — what the test plugins that measure share: the host's service, and short declarations of series.
#ifndef FIXTURE_METRICS_H
#define FIXTURE_METRICS_H

#include "fixture.h"

#include <pthread.h>

static __attribute__((unused)) const nocturne_host_metrics_t *metrics(void) {
    return nocturne->get_extension(NOCTURNE_HOST_METRICS);
}

// Declares a series with one label, or none if `value` is NULL.
__attribute__((unused)) static int32_t series(uint32_t kind, const char *name, const char *value) {
    const nocturne_field_t label = { "part", value };
    const nocturne_metric_t metric = { sizeof metric, kind, name, "A test.", "things", &label, value != NULL, 0 };
    return metrics()->create(&metric);
}

#endif
