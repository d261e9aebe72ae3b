// MetricsBench.swift — what recording costs: on handles and by name, by one thread and by two at once.
// Next: ThreadRounds.swift for how that is timed, MetricsReadingBench.swift, MetricsHistoryBench.swift.

import Glibc
import NocturneMetrics
import Synchronization

struct MetricsBench {
    let isQuick: Bool
    /// The bounds that Prometheus' clients have if nobody says others.
    static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    func run() async throws {
        try AllocationBench(isQuick: isQuick).run()
        let metrics = try Self.collector()
        for threads in [1, 2] {
            let rounds = ThreadRounds(threads: threads, isQuick: isQuick)
            let floors = Floors(rounds)
            try totals(metrics, rounds, floors)
            try distributions(metrics, rounds, floors)
            calls(metrics, rounds)
        }
        await metrics.shutdown()
        try await MetricsReadingBench(isQuick: isQuick).run()
        try await MetricsHistoryBench(isQuick: isQuick).run()
        // They print rows of the same form, or why there are none.
        _ = system("Benchmarks/metrics/peers\(isQuick ? " --quick" : "")")
    }

    /// One that does nothing by itself.
    static func collector() throws -> MetricsCollector {
        var configuration = MetricsCollector.Configuration()
        configuration.enableAutoFlush = false
        return try MetricsCollector(configuration: configuration)
    }

    /// What the machine needs to change a word in memory.
    private struct Floors {
        /// Which only one thread changes: a load, an addition and a store.
        let own: Double
        /// Which all threads add to.
        let shared: Double
        /// Which all threads set.
        let set: Double

        init(_ rounds: ThreadRounds) {
            let words = [Word(), Word()], one = Word()
            own = rounds.nanoseconds { thread, count in
                let word = words[thread]
                for _ in 0..<count {
                    let sum = word.value.load(ordering: .relaxed) &+ 1
                    word.value.store(sum, ordering: .relaxed)
                }
            }
            shared = rounds.nanoseconds { _, count in
                for _ in 0..<count { one.value.add(1, ordering: .relaxed) }
            }
            set = rounds.nanoseconds { _, count in
                for number in 0..<count {
                    one.value.store(UInt64(truncatingIfNeeded: number), ordering: .relaxed)
                }
            }
            Bench.report("metrics.floor.shared-add.\(rounds.name)", shared, "ns", floor: own)
        }
    }

    private func totals(
        _ metrics: MetricsCollector, _ rounds: ThreadRounds, _ floors: Floors
    ) throws {
        let counter = try metrics.makeCounter("counter")
        let whole = rounds.nanoseconds { _, count in
            for _ in 0..<count { counter.increment() }
        }
        Bench.report("metrics.counter.handle.\(rounds.name)", whole, "ns", floor: floors.own)
        let fraction = rounds.nanoseconds { _, count in
            for _ in 0..<count { counter.increment(0.25) }
        }
        Bench.report(
            "metrics.counter.fraction.\(rounds.name)", fraction, "ns", floor: floors.own)
        let gauge = try metrics.makeGauge("gauge")
        let set = rounds.nanoseconds { _, count in
            for number in 0..<count { gauge.set(Double(number)) }
        }
        Bench.report("metrics.gauge.set.\(rounds.name)", set, "ns", floor: floors.set)
        let add = rounds.nanoseconds { _, count in
            for _ in 0..<count { gauge.add(1) }
        }
        Bench.report("metrics.gauge.add.\(rounds.name)", add, "ns", floor: floors.shared)
    }

    private func distributions(
        _ metrics: MetricsCollector, _ rounds: ThreadRounds, _ floors: Floors
    ) throws {
        let values = Self.durations
        for (name, bounds) in [("handle", []), ("11-bounds", Self.bounds)] {
            let histogram = try metrics.makeHistogram("histogram.\(name)", bounds: bounds)
            let record = rounds.nanoseconds { _, count in
                for number in 0..<count { histogram.record(values[number & 1_023]) }
            }
            Bench.report(
                "metrics.histogram.\(name).\(rounds.name)", record, "ns", floor: floors.own)
        }
    }

    /// Seconds, from 1 ms to 4 s, as requests take them: 1,024 of them, so that they stay in the nearest cache.
    static let durations: [Double] = {
        var random = SystemRandomNumberGenerator()
        return (0..<1_024).map { _ in exp(.random(in: log(0.001)...log(4), using: &random)) }
    }()

    /// Calls as an application writes them. Floor: the labels, and a function that does nothing with them.
    private func calls(_ metrics: MetricsCollector, _ rounds: ThreadRounds) {
        let rounds = rounds.slower
        var floor = rounds.nanoseconds { _, count in
            for _ in 0..<count { ignore("requests", 1, ["method": "GET", "status": "200"]) }
        }
        let two = rounds.nanoseconds { _, count in
            for _ in 0..<count {
                metrics.increment("requests", labels: ["method": "GET", "status": "200"])
            }
        }
        Bench.report("metrics.labelled-call.2-labels.\(rounds.name)", two, "ns", floor: floor)
        floor = rounds.nanoseconds { _, count in
            for _ in 0..<count {
                ignore("calls", 1, ["method": "GET", "path": "/api/users", "status": "200"])
            }
        }
        let three = rounds.nanoseconds { _, count in
            for _ in 0..<count {
                metrics.increment(
                    "calls", labels: ["method": "GET", "path": "/api/users", "status": "200"])
            }
        }
        Bench.report("metrics.labelled-call.3-labels.\(rounds.name)", three, "ns", floor: floor)
        // Made anew for each thread, so that no text is where it was when the series was made.
        let paths = (0..<2).map { _ in (0..<16).map { "/api/v1/resources/\($0)/items" } }
        let varying = rounds.nanoseconds { thread, count in
            let paths = paths[thread]
            for number in 0..<count {
                metrics.increment(
                    "visits",
                    labels: ["method": "GET", "path": paths[number & 15], "status": "200"])
            }
        }
        Bench.report(
            "metrics.labelled-call.16-paths.\(rounds.name)", varying, "ns", floor: floor)
    }
}

/// A word with a cache line of its own.
private final class Word: Sendable {
    let before = InlineArray<16, UInt64>(repeating: 0)
    let value = Atomic<UInt64>(0)
    let after = InlineArray<16, UInt64>(repeating: 0)
}

/// Takes what a call by name takes.
@inline(never)
@_optimize(none)
private func ignore(_ name: String, _ value: Double, _ labels: Labels) {}
