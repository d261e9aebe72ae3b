// MetricsReadingBench.swift — what it costs to have many series: to make them, to read them all, to export them.
// Next: MetricsHistoryBench.swift.

import CLinux
import Glibc
import NocturneCore
import NocturneMetrics

struct MetricsReadingBench {
    let isQuick: Bool

    func run() async throws {
        for count in isQuick ? [10_000] : [10_000, 100_000] { try register(count) }
        try await read(10_000)
        if !isQuick { try await read(100_000) }
    }

    /// Counters of one metric, each with other labels. Floor: their texts as keys of a dictionary.
    private func register(_ count: Int) throws {
        let labels = Self.labels(count)
        let texts = labels.map(\.description)
        var best = Double.infinity, floor = Double.infinity
        for _ in 0..<(isQuick ? 2 : 5) {
            let metrics = try MetricsBench.collector()
            var start = clinux_now()
            try Self.register(labels, metrics)
            best = min(best, Double(clinux_now() - start) / Double(count))
            start = clinux_now()
            var places: [String: Int] = [:]
            for (place, text) in texts.enumerated() { places[text] = place }
            floor = min(floor, Double(clinux_now() - start) / Double(places.count))
        }
        Bench.report("metrics.register.\(count)", best, "ns", floor: floor)
    }

    /// Everything as it is now, and what exports make of it. Floor: copying the result.
    private func read(_ count: Int) async throws {
        let metrics = try MetricsBench.collector()
        let counters = try Self.register(Self.labels(count), metrics)
        for (number, counter) in counters.enumerated() { counter.increment(number * 7_919) }
        var best = Double.infinity
        for _ in 0..<rounds {
            let start = clinux_now()
            let snapshot = metrics.registry.snapshot()
            best = min(best, Double(clinux_now() - start) / 1e6)
            precondition(snapshot.first?.series.count == count)
        }
        let totals = [UInt8](repeating: 1, count: count * MemoryLayout<Amount>.size)
        Bench.report("metrics.snapshot.\(count)", best, "ms", floor: copying(totals))
        for format in [ExportFormat.prometheus, .openMetrics, .json, .csv] {
            var best = Double.infinity, bytes: [UInt8] = []
            for _ in 0..<rounds {
                // As in life, some of them have changed.
                for counter in counters { counter.increment() }
                let start = clinux_now()
                bytes = await metrics.exported(as: format)
                best = min(best, Double(clinux_now() - start) / 1e6)
            }
            let name = "\(format)".lowercased()
            Bench.report("metrics.export.\(count).\(name)", best, "ms", floor: copying(bytes))
        }
    }

    private var rounds: Int { isQuick ? 5 : 30 }

    private func copying(_ bytes: [UInt8]) -> Double {
        var target = [UInt8](repeating: 0, count: bytes.count), best = Double.infinity
        for _ in 0..<rounds {
            let start = clinux_now()
            target.withUnsafeMutableBytes { target in bytes.withUnsafeBytes(target.copyMemory) }
            best = min(best, Double(clinux_now() - start) / 1e6)
        }
        return best
    }

    /// As of requests, in no order.
    static func labels(_ count: Int) -> [Labels] {
        (0..<count).map { number in
            let place = number * 7_919 % count
            return [
                "method": place % 2 == 0 ? "GET" : "POST", "path": "/api/v1/items/\(place)",
                "status": "200",
            ]
        }
    }

    @discardableResult
    static func register(
        _ labels: [Labels], _ metrics: MetricsCollector, name: String = "api.requests"
    ) throws -> [Counter] {
        let options = FamilyOptions(series: labels.count, valuesPerLabel: labels.count)
        return try labels.map { labels in
            try metrics.makeCounter(name, labels: labels, options: options)
        }
    }
}
