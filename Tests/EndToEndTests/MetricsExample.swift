// MetricsExample.swift — the README's program that measures. README shows these very lines; TidyTests compares.

import Nocturne

/// Counts and times some work; `try MetricsCollector()` makes a collector.
func metricsExample(in metrics: MetricsCollector) throws -> Percentile? {
    let seconds = try metrics.makeHistogram("work.seconds", unit: "seconds")
    for number in 1...1_000 {
        seconds.record(Double(number) / 1_000)
        metrics.increment("work.done", labels: ["kind": number % 2 == 0 ? "even" : "odd"])
    }
    return metrics.metric("work.seconds")?.aggregations.p99  // 0.99, with the bounds of its error
}
