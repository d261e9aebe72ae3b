// PluginMetricsSinkTests.swift — what a plugin may not measure, so that it harms neither the host nor other plugins.

import NocturneCore
import Synchronization
import Testing

@testable import Nocturne

@Suite struct PluginMetricsSinkTests {
    private let plugin: PluginID = "greedy"
    private let metrics: MetricsCollector
    private let sink: PluginMetrics

    init() throws {
        var configuration = MetricsCollector.Configuration()
        configuration.enableAutoFlush = false
        metrics = try MetricsCollector(configuration: configuration)
        sink = PluginMetrics(metrics)
    }

    private func recorder(
        _ name: String, _ kind: PluginSeries.Kind
    ) throws(PluginSeriesRefusal) -> any PluginSeriesRecorder {
        try sink.series(
            PluginSeries(kind: kind, name: name, help: "", unit: "", labels: []), of: plugin)
    }

    private func declare(
        _ name: String, labels: [(String, String)] = [], of plugin: PluginID
    ) throws(PluginSeriesRefusal) {
        _ = try sink.series(
            PluginSeries(
                kind: .gauge, name: name, help: "", unit: "",
                labels: labels.map { PluginSeries.Label(name: $0.0, value: $0.1) }), of: plugin)
    }

    @Test(arguments: [
        "nocturne.plugin.call.failures", "nocturne_plugin_call_failures",
        "nocturne-plugin/call.failures", "process_cpu_seconds",
    ])
    func `a plugin takes no name that the host has in Prometheus' formats`(name: String) throws {
        #expect(throws: PluginSeriesRefusal.self) { try declare(name, of: plugin) }
        #expect(metrics.snapshot().metrics.isEmpty)
        // As the host makes it with the first failure.
        _ = try metrics.makeCounter("nocturne.plugin.call.failures")
    }

    @Test func `a label that is there twice is refused`() throws {
        try declare("a", labels: [("x", "1"), ("y", "1")], of: plugin)
        #expect(throws: PluginSeriesRefusal.invalid("a label is there twice")) {
            try declare("a", labels: [("x", "1"), ("x", "2")], of: plugin)
        }
    }

    @Test func `a plugin that starts again with other names leaves room for others`() throws {
        let other: PluginID = "modest"
        var refused = 0
        for generation in 0..<11 {
            for name in 0..<1_024 {
                do {
                    try declare("g\(generation).n\(name)", of: plugin)
                } catch {
                    refused += 1
                }
            }
        }
        #expect(refused == 10 * 1_024)
        try declare("g0.n5", labels: [("x", "1")], of: plugin)
        try declare("own", of: other)
        try declare("g0.n5", of: other)
    }

    @Test func `lies of many generations come to no total that parsers refuse`() throws {
        let most: Int64 = 1 << 53
        var observations = PluginObservations()
        observations.positive = [
            .init(index: 0, count: UInt64(most) / 2), .init(index: 64, count: UInt64(most) / 2),
        ]
        for _ in 0..<2_100 {
            try recorder("c", .counter).record(.added(whole: most, fraction: 0))
            try recorder("h", .histogram).record(.observed(observations))
        }
        #expect(try metrics.makeCounter("c", labels: ["plugin": "greedy"]).amount.whole == 1 << 62)
        let all = try metrics.makeHistogram("h", labels: ["plugin": "greedy"]).distribution
        #expect(all.count == 1 << 62)
        #expect(all.sketch?.positive.map(\.count) == [1 << 61, 1 << 61])
        try recorder("c", .counter).record(.added(whole: 5, fraction: 0))
        #expect(
            try metrics.makeCounter("c", labels: ["plugin": "greedy"]).amount.whole == (1 << 62) + 5
        )
    }

    @Test func `plugins that read without end keep one thread busy, and not all`() async throws {
        try declare("a", of: plugin)
        // Whoever reads is in here for a moment, in which others would come.
        let (inside, most) = (Counted(), Counted())
        metrics.addSource {
            most.raise(to: inside.add(1))
            let end = ContinuousClock.now + .milliseconds(1)
            while ContinuousClock.now < end {}
            inside.add(-1)
        }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask { _ = await sink.metrics(of: plugin, named: "a") }
            }
        }
        #expect(most.value == 1)
    }

    private final class Counted: Sendable {
        private let count = Mutex(0)
        var value: Int { count.withLock { $0 } }

        @discardableResult
        func add(_ amount: Int) -> Int {
            count.withLock { count in
                count += amount
                return count
            }
        }

        func raise(to least: Int) { count.withLock { $0 = max($0, least) } }
    }
}
