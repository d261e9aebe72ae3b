// MetricsHistoryBench.swift — what the past of metrics costs in memory and time, and a flush with alerts. An hour
// passes in a moment: the clock is set by hand. Next: MetricsTrace.swift.

import CLinux
import Glibc
import NocturneCore
import NocturneMetrics
import Synchronization

struct MetricsHistoryBench {
    let isQuick: Bool
    /// Flushes in an hour, at one in 10 s.
    private static let hour = 360
    private static let interval = 10

    func run() async throws {
        let trace = MetricsTrace(samples: Self.hour, every: isQuick ? 1_000 : 20_000)
        sizes(trace)
        append(trace)
        try await flush()
        try await alerts()
    }

    // MARK: - Memory

    /// Bytes of a sample: what the history grew by from the tenth minute to the end of the hour. Bytes of a series with
    /// its hour: what the process grew by. Floor: one bit for each sample, and its double.
    private func sizes(_ trace: MetricsTrace) {
        for (name, trace) in [("machine", trace), ("idle", trace.still)] {
            let history = History()
            var early = 0
            for sample in 0..<Self.hour {
                history.append(trace.snapshots(sample), at: Self.time(sample))
                if sample == 59 { early = history.bytes }
            }
            let samples = (Self.hour - 60) * trace.seriesCount
            Bench.report(
                "metrics.history.bytes-per-sample.\(name)",
                Double(history.bytes - early) / Double(samples), "B", floor: 0.125)
        }
        let traces = (0..<16).map { trace.renamed("machine\($0)") }
        let before = clinux_heap_bytes()
        let history = History()
        for sample in 0..<Self.hour {
            history.append(traces.flatMap { $0.snapshots(sample) }, at: Self.time(sample))
        }
        let grown = Double(clinux_heap_bytes() - before) / Double(history.seriesCount)
        Bench.report(
            "metrics.history.bytes-per-series-hour", grown, "B", floor: Double(Self.hour * 8))
    }

    // MARK: - Time

    /// A sample of one series. Floor: its double at the end of an array of its own.
    private func append(_ trace: MetricsTrace) {
        let samples = (0..<Self.hour).map(trace.snapshots)
        let values = (0..<Self.hour).map(trace.values)
        var best = Double.infinity, floor = Double.infinity
        for _ in 0..<(isQuick ? 2 : 10) {
            let history = History()
            var start = clinux_now()
            for (sample, snapshots) in samples.enumerated() {
                history.append(snapshots, at: Self.time(sample))
            }
            best = min(best, Double(clinux_now() - start))
            var columns = [[Double]](repeating: [], count: trace.seriesCount)
            start = clinux_now()
            for row in values {
                for (place, value) in row.enumerated() { columns[place].append(value) }
            }
            floor = min(floor, Double(clinux_now() - start))
        }
        let count = Double(Self.hour * trace.seriesCount)
        Bench.report("metrics.history.append", best / count, "ns", floor: floor / count)
    }

    /// A flush of 10,000 counters, and questions about the hour after it. Floor of the flush: their snapshot; of the
    /// report, the snapshot of its metric.
    private func flush() async throws {
        let (metrics, clock) = try Self.collector()
        let counters = try MetricsReadingBench.register(MetricsReadingBench.labels(10_000), metrics)
        let jobs = try MetricsReadingBench.register(
            MetricsReadingBench.labels(10), metrics, name: "jobs")
        var flushes = Samples(), snapshots = Samples()
        for _ in 0..<(isQuick ? 60 : Self.hour) {
            for counter in counters { counter.increment() }
            for (number, counter) in jobs.enumerated() { counter.increment(number) }
            clock.pass(seconds: Self.interval)
            var start = clinux_now()
            await metrics.flush()
            flushes.add(clinux_now() - start)
            start = clinux_now()
            withExtendedLifetime(metrics.registry.snapshot()) {
                snapshots.add(clinux_now() - start)
            }
        }
        Bench.report(
            "metrics.flush.10000", flushes.microseconds(0.5) / 1_000, "ms",
            floor: snapshots.microseconds(0.5) / 1_000)
        let now = clock.now
        let from = UnixTime(milliseconds: now.milliseconds - 1_800_000)
        var reports = Samples(), reads = Samples()
        for _ in 0..<(isQuick ? 100 : 1_000) {
            var start = clinux_now()
            withExtendedLifetime(metrics.metric("jobs", startTime: from, endTime: now)) {
                reports.add(clinux_now() - start)
            }
            start = clinux_now()
            withExtendedLifetime(metrics.registry.snapshot(of: "jobs")) {
                reads.add(clinux_now() - start)
            }
        }
        Bench.report(
            "metrics.query.report", reports.microseconds(0.5), "µs", floor: reads.microseconds(0.5))
        await metrics.shutdown()
    }

    /// A flush with 1,000 alerts on as many metrics, half of them on rates. Floor: the same flush without alerts.
    private func alerts() async throws {
        let (metrics, clock) = try Self.collector()
        let names = (0..<1_000).map { "queue.\($0).length" }
        let counters = try names.map { try metrics.makeCounter($0) }
        func flushing() async -> Double {
            var flushes = Samples()
            for _ in 0..<(isQuick ? 20 : 100) {
                for counter in counters { counter.increment() }
                clock.pass(seconds: Self.interval)
                let start = clinux_now()
                await metrics.flush()
                flushes.add(clinux_now() - start)
            }
            return flushes.microseconds(0.5) / 1_000
        }
        let floor = await flushing()
        for (number, name) in names.enumerated() {
            try metrics.addAlert(
                AlertRule(
                    name: "alert \(number)", metricName: name, condition: .gt, threshold: 1e9,
                    duration: .seconds(60),
                    source: number % 2 == 0 ? .value : .rate(window: .seconds(300))))
        }
        Bench.report("metrics.alerts.1000-rules", await flushing(), "ms", floor: floor)
        await metrics.shutdown()
    }

    private static func collector() throws -> (MetricsCollector, HandClock) {
        let clock = HandClock()
        var configuration = MetricsCollector.Configuration()
        configuration.enableAutoFlush = false
        return (try MetricsCollector(configuration: configuration, clock: clock), clock)
    }

    static func time(_ sample: Int) -> UnixTime {
        UnixTime(seconds: HandClock.start + Int64(sample * interval))
    }
}

/// A clock that stands still between two words.
private final class HandClock: EngineClock {
    /// In 2027.
    static let start: Int64 = 1_800_000_000
    private let passed = Atomic<Int64>(0)

    var now: UnixTime { UnixTime(seconds: Self.start + passed.load(ordering: .relaxed)) }
    var uptime: Duration { .seconds(passed.load(ordering: .relaxed)) }

    func pass(seconds: Int) { passed.add(Int64(seconds), ordering: .relaxed) }

    /// Nobody waits for it in vain: exporters have no deadlines here.
    func sleep(until deadline: Duration) async throws { throw CancellationError() }
}
