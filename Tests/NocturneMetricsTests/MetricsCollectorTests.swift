// MetricsCollectorTests.swift — the collector as a program sees it: the seed's calls, flushes, alerts, exporters, the
// end.

import NocturneCore
import Synchronization
import TestKit
import Testing

@testable import NocturneMetrics

@Suite struct MetricsCollectorTests {
    private let clock = VirtualClock()

    private func collector(
        bus: EventBus? = nil, _ change: (inout MetricsCollector.Configuration) -> Void = { _ in }
    ) throws -> MetricsCollector {
        var configuration = MetricsCollector.Configuration()
        configuration.enableAutoFlush = false
        change(&configuration)
        return try MetricsCollector(configuration: configuration, clock: clock, bus: bus)
    }

    /// Exporters that are told what to do.
    private struct Exporter: MetricsExporter {
        var contentType = "text/plain"
        var isPushed = true
        let body: @Sendable (MetricsSnapshot) async throws -> [UInt8]
        func export(_ snapshot: MetricsSnapshot) async throws -> [UInt8] {
            try await body(snapshot)
        }
    }
    private struct Failure: Error, CustomStringConvertible { var description = "the disk is full" }

    @Test(arguments: [Int.min, 0, .max])
    func `a history may have any limit`(bytes: Int) async throws {
        let metrics = try collector { $0.historyLimitBytes = bytes }
        metrics.increment("a")
        await metrics.flush()
        let points = metrics.timeSeries("a")?.first?.points.count
        #expect(points == (bytes > 0 ? 2 : 1), "a sample, if there is room, and what is now")
    }

    @Test func `the seed's example works as it is written there`() throws {
        let metrics = try collector()
        metrics.increment("api.requests", 1, labels: ["method": "GET", "path": "/users"])
        metrics.gauge("memory.usage", 1_048_576)
        for duration in 1...100 {
            metrics.histogram(
                "request.duration", Double(duration), labels: ["endpoint": "/api/data"])
        }
        metrics.histogram("request.duration", 5_000, labels: ["endpoint": "/other"])

        let hour = UnixTime(milliseconds: clock.now.milliseconds - 3_600_000)
        let found = try #require(
            metrics.metric(
                "request.duration", startTime: hour, labels: ["endpoint": "/api/data"]))
        #expect(found.aggregations.count == 100)
        #expect(found.aggregations.sum == 5_050)
        #expect(found.aggregations.avg == 50.5)
        let p95 = try #require(found.aggregations.p95)
        #expect(p95.bounds.contains(95))
        #expect(abs(p95.value - 95) <= 95 * 0.005416)
        #expect(try #require(found.aggregations.p99).bounds.contains(99))
        #expect(metrics.metric("api.requests")?.value == 1)
        #expect(metrics.metric("nothing") == nil)
        #expect(
            metrics.allMetrics().map(\.name) == [
                "api.requests", "memory.usage", "request.duration",
            ])
        #expect(
            metrics.export(.prometheus).contains(
                "api_requests_total{method=\"GET\",path=\"/users\"} 1\n"))
    }

    @Test func `an alert fires once after its duration, and is resolved once`() async throws {
        let bus = EventBus()
        let metrics = try collector(bus: bus)
        try metrics.addAlert(
            AlertRule(
                name: "high-error-rate", metricName: "api.errors", condition: .gt, threshold: 100,
                duration: .seconds(60)))
        let told = Collected<String>()
        let token = metrics.on("alert:*") { told.append($0.kind.rawValue) }
        metrics.gauge("api.errors", 150)
        for _ in 0..<10 {
            await metrics.flush()
            clock.advance(by: .seconds(10))
        }
        metrics.gauge("api.errors", 50)
        for _ in 0..<3 { await metrics.flush() }
        try await eventually("both events") { told.all.count >= 2 }
        #expect(told.all == ["alert:triggered", "alert:resolved"])
        var events = bus.events(matching: "metrics/alert:triggered", since: 0).makeAsyncIterator()
        guard case .event(let event) = await events.next() else {
            Issue.record("nothing on the bus")
            return
        }
        #expect(event.payload["alert"]?["name"] == "high-error-rate")
        #expect(event.payload["value"] == 150)
        #expect(event.payload["message"]?.string?.contains("api.errors") == true)
        token.cancel()
    }

    @Test func `alerts and history outlive the process`() async throws {
        let directory = try TemporaryDirectory()
        func open() throws -> MetricsCollector {
            try collector { $0.statePath = directory.path + "/metrics" }
        }
        let first = try open()
        try first.addAlert(
            AlertRule(name: "full", metricName: "disk", condition: .gte, threshold: 90))
        first.gauge("disk", 95)
        first.increment("served", 7)
        await first.flush()
        await first.shutdown()
        clock.advance(by: .seconds(10))

        let second = try open()
        #expect(second.warnings == [])
        #expect(second.alerts.map(\.state) == [.firing])
        let told = Collected<String>()
        let token = second.on("alert:*") { told.append($0.kind.rawValue) }
        second.gauge("disk", 96)
        await second.flush()
        #expect(told.all == [])
        let past = try #require(second.timeSeries("disk"))
        #expect(past.flatMap(\.points).compactMap(\.value).first == 95)
        // Nobody has counted since, so it has a past and no present.
        #expect(second.timeSeries("served")?.flatMap(\.points).compactMap(\.value).last == 7)
        token.cancel()
        await second.shutdown()
    }

    @Test func `a value that was just recorded is in the next answer, flushed or not`() async throws
    {
        let metrics = try collector()
        metrics.increment("served", 2)
        await metrics.flush()
        clock.advance(by: .seconds(1))
        metrics.increment("served", 3)
        #expect(metrics.metric("served")?.value == 5)
        let points = try #require(metrics.timeSeries("served")?.first?.points)
        #expect(points.compactMap(\.value) == [2, 5])
    }

    @Test func `flushes happen by themselves, each interval`() async throws {
        let metrics = try collector { $0.enableAutoFlush = true }
        let told = Collected<FlushReport>()
        let token = metrics.on(.flushed) { event in
            if case .flushed(let report) = event { told.append(report) }
        }
        metrics.increment("served")
        for count in 1...3 {
            try await eventually("it sleeps") { clock.nextWake != nil }
            clock.advance(by: .seconds(10))
            try await eventually("flush \(count)") { told.all.count == count }
        }
        #expect(told.all.map(\.series) == [1, 1, 1])
        token.cancel()
        await metrics.shutdown()
        #expect(clock.nextWake == nil)
    }

    @Test func `without auto-flush nothing happens until somebody asks`() async throws {
        let metrics = try collector()
        #expect(clock.nextWake == nil)
        #expect(metrics.statistics().flushes == 0)
        await metrics.flush()
        #expect(metrics.statistics().flushes == 1)
    }

    @Test func `a failing exporter and one that hangs delay nobody else`() async throws {
        let metrics = try collector()
        let pushed = Collected<Int>()
        try metrics.setExporter(
            "good",
            to: Exporter { snapshot in
                pushed.append(snapshot.metrics.count)
                return []
            })
        try metrics.setExporter("bad", to: Exporter { _ in throw Failure() })
        let (held, release) = AsyncStream.makeStream(of: Void.self)
        try metrics.setExporter(
            "stuck",
            to: Exporter { _ in
                for await _ in held {}
                return []
            })
        metrics.increment("served")
        let flush = Task { await metrics.flush() }
        try await eventually("the good one was handed the metrics") { pushed.all == [1] }
        try await eventually("the deadline is waited for") { clock.nextWake != nil }
        clock.advance(by: metrics.configuration.exporterDeadline)
        let report = await flush.value
        #expect(report.exporters == 3)
        #expect(report.failures.keys.sorted() == ["bad", "stuck"])
        #expect(report.failures["bad"]?.contains("the disk is full") == true)
        #expect(metrics.statistics().lastFlush?.failures.count == 2)
        release.finish()
        _ = release
    }

    @Test func `an exporter's bytes are had by its name, as are the built-in formats`() async throws
    {
        let metrics = try collector()
        try metrics.setExporter(
            "short",
            to: Exporter(isPushed: false) { snapshot in
                snapshot.metrics.map(\.name).joined(separator: " ").utf8.map { $0 }
            })
        metrics.increment("served")
        let export = try await metrics.export(named: "short")
        #expect(export.bytes == Array("served".utf8))
        #expect(try await metrics.export(named: "csv").contentType.hasPrefix("text/csv"))
        await #expect(throws: MetricsError.notFound("format or exporter", "none")) {
            try await metrics.export(named: "none")
        }
        #expect(throws: MetricsError.self) {
            try metrics.setExporter("json", to: Exporter { _ in [] })
        }
    }

    @Test func `what is recorded is told only to those who ask for it`() async throws {
        let bus = EventBus()
        let metrics = try collector(bus: bus)
        metrics.increment("before")
        let told = Collected<String>()
        let token = metrics.on(.recorded) { event in
            if case .recorded(let recorded) = event {
                told.append("\(recorded.name) \(recorded.value) \(recorded.labels)")
            }
        }
        metrics.increment("served", 2, labels: ["to": "me"])
        try await eventually("it is told") { told.all == ["served 2.0 {to=\"me\"}"] }
        token.cancel()
        try await eventually("nobody listens") { !metrics.registry.isHeard }

        let everything = bus.on("*") { _ in }
        metrics.increment("served")
        #expect(bus.latestID == 0)
        let some = bus.on("metric:recorded") { _ in }
        for _ in 0..<1_500 { metrics.increment("served") }
        #expect(bus.latestID == 1_000)
        #expect(metrics.statistics().recordsNotTold == 500)
        _ = (everything, some)
    }

    @Test func `after the end recording is harmless and alerts are refused`() async throws {
        let metrics = try collector()
        await metrics.shutdown()
        await metrics.shutdown()
        metrics.increment("served")
        #expect(metrics.metric("served")?.value == 1)
        await metrics.flush()
        #expect(metrics.statistics().flushes == 1)
        #expect(throws: MetricsError.shutDown) {
            try metrics.addAlert(
                AlertRule(name: "a", metricName: "b", condition: .gt, threshold: 1))
        }
    }

    @Test func `without percentiles they are absent, and not 0`() throws {
        let metrics = try collector { $0.computePercentiles = false }
        for value in [1.0, 2, 6] { metrics.histogram("took", value) }
        let found = try #require(metrics.metric("took")?.aggregations)
        #expect(found.count == 3 && found.sum == 9 && found.avg == 3)
        #expect(found.min?.value == 1 && found.max?.value == 6)
        #expect(found.p50 == nil && found.p99 == nil)
    }

    @Test func `what the kernel says of the process is collected`() throws {
        let metrics = try collector()
        try metrics.collectProcessMetrics()
        let resident = try #require(metrics.metric("process.resident.memory.bytes")?.value)
        #expect(resident > 1_000_000 && resident < 64_000_000_000)
        #expect(try #require(metrics.metric("process.open.fds")?.value) >= 3)
        #expect(try #require(metrics.metric("process.start.time.seconds")?.value) > 1_700_000_000)
    }

    @Test func `a program's name with spaces and parentheses does not confuse the reading of stat`()
    {
        // proc_pid_stat(5): the fields of a real process, its name replaced.
        let stat =
            "42 (a) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 7 0 3000 8192000 500 18446744073709551615"
        let figures = ProcessFigures(stat: stat, ticks: 100, pageBytes: 4_096, bootSeconds: 1_000)
        #expect(figures?.cpuSeconds == 3)
        #expect(figures?.threads == 7)
        #expect(figures?.startSeconds == 1_030)
        #expect(figures?.virtualBytes == 8_192_000)
        #expect(figures?.residentBytes == 2_048_000)
        #expect(ProcessFigures(stat: "nonsense", ticks: 1, pageBytes: 1, bootSeconds: 0) == nil)
    }
}
