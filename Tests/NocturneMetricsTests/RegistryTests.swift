// RegistryTests.swift — which metrics there are and of which kind, what is refused, and what becomes of it.

import NocturneCore
import NocturneMetrics
import Synchronization
import Testing

@Suite struct RegistryTests {
    private let clock = HandClock()
    private let registry: Registry

    init() { registry = Registry(clock: clock) }

    private func values(_ name: String) -> [SeriesValue]? {
        registry.snapshot(of: name)?.series.map(\.value)
    }

    // MARK: - Kinds

    @Test func `the seed's calls make what they name`() {
        registry.increment("api.requests", 1, labels: ["method": "GET", "path": "/users"])
        registry.increment("api.requests", labels: ["path": "/users", "method": "GET"])
        registry.decrement("connections", 2)
        registry.gauge("memory.usage", 12.5)
        registry.histogram("request.duration", 0.25)
        registry.summary("request.size", 100)
        let snapshot = registry.snapshot()
        #expect(
            snapshot.map(\.name) == [
                "api.requests", "connections", "memory.usage", "request.duration", "request.size",
            ])
        #expect(snapshot.map(\.kind) == [.counter, .upDownCounter, .gauge, .histogram, .summary])
        #expect(values("api.requests") == [.amount(Amount(whole: 2))])
        #expect(values("connections") == [.amount(Amount(whole: -2))])
        #expect(values("memory.usage") == [.level(12.5)])
        #expect(snapshot.allSatisfy { !$0.help.isEmpty })
    }

    @Test func `a counter that was not declared falls, and is an up-down counter from then on`()
        throws
    {
        registry.increment("queue", 5)
        registry.increment("queue", 1, labels: ["lane": "2"])
        registry.decrement("queue", 2)
        #expect(registry.snapshot(of: "queue")?.kind == .upDownCounter)
        #expect(values("queue") == [.amount(Amount(whole: 3)), .amount(Amount(whole: 1))])
        registry.increment("queue", 10)
        #expect(values("queue")?[0] == .amount(Amount(whole: 13)))
        #expect(throws: MetricsError.kindClash("queue", found: .upDownCounter, wanted: .counter)) {
            try registry.makeCounter("queue")
        }
        _ = try registry.makeUpDownCounter("queue")
        #expect(registry.statistics.misuse.isEmpty)
    }

    @Test func `a counter that was declared never falls: that is counted, and left out`() throws {
        let counter = try registry.makeCounter("requests")
        registry.increment("requests", 4)
        registry.decrement("requests")
        registry.increment("requests", -1)
        counter.increment(-1)
        counter.increment(-0.5)
        #expect(registry.snapshot(of: "requests")?.kind == .counter)
        #expect(values("requests") == [.amount(Amount(whole: 4))])
        #expect(registry.statistics.misuse == [.negativeIncrement: 4])
        let report = try #require(registry.statistics.recentMisuse.first)
        #expect((report.metric, report.count) == ("requests", 4))
        #expect(report.message.contains("only rises"))
        registry.decrement("requests", -3)
        #expect(values("requests") == [.amount(Amount(whole: 7))], "two minuses are a plus")
    }

    @Test func `recording as another kind is left out, declaring as one is an error`() throws {
        registry.gauge("temperature", 20)
        registry.increment("temperature")
        registry.histogram("temperature", 3)
        #expect(values("temperature") == [.level(20)])
        #expect(registry.statistics.misuse == [.kindClash: 2])
        #expect(
            throws: MetricsError.kindClash("temperature", found: .gauge, wanted: .counter)
        ) { try registry.makeCounter("temperature") }
    }

    @Test func `the same name and labels are the same series, and the first help counts`() throws {
        let one = try registry.makeCounter("requests", labels: ["a": "1", "b": "2"])
        let other = try registry.makeCounter(
            "requests", labels: ["b": "2", "a": "1"], help: "Requests.", unit: "requests")
        _ = try registry.makeCounter("requests", help: "Something else.", unit: "bytes")
        one.increment()
        other.increment()
        let snapshot = try #require(registry.snapshot(of: "requests"))
        #expect(snapshot.series.last?.value == .amount(Amount(whole: 2)))
        #expect(snapshot.series.count == 2)
        #expect((snapshot.help, snapshot.unit) == ("Requests.", "requests"))
    }

    // MARK: - Amounts

    @Test func `whole numbers are exact beyond what a double can count`() throws {
        let counter = try registry.makeCounter("bytes")
        counter.increment(1 << 60)
        counter.increment(1)
        counter.increment(3.0)
        counter.increment(0.25)
        counter.increment(0x1p53)
        #expect(counter.amount == Amount(whole: (1 << 60) + 4, fraction: 0x1p53 + 0.25))
        registry.increment("by.name", 0x1p53 - 1)
        registry.increment("by.name", 2)
        #expect(values("by.name") == [.amount(Amount(whole: (1 << 53) + 1))])
    }

    @Test func `NaN and the infinities are nowhere but in a gauge that is set to them`() throws {
        let counter = try registry.makeCounter("c")
        let level = try registry.makeUpDownCounter("u")
        let gauge = try registry.makeGauge("g")
        let histogram = try registry.makeHistogram("h")
        gauge.set(1)
        for value in [Double.nan, .infinity, -.infinity] {
            counter.increment(value)
            level.increment(value)
            level.decrement(value)
            gauge.add(value)
            histogram.record(value)
            for name in ["c", "u", "new"] { registry.increment(name, value) }
            registry.histogram("h", value)
            registry.summary("newer", value)
        }
        #expect(counter.amount == Amount())
        #expect(level.amount == Amount())
        #expect(gauge.value == 1)
        #expect(histogram.distribution.count == 0)
        #expect(registry.statistics.misuse == [.notFinite: 30])
        #expect(registry.snapshot(of: "new") == nil && registry.snapshot(of: "newer") == nil)
        gauge.set(.nan)
        #expect(gauge.value.isNaN)
    }

    // MARK: - Names

    @Test(arguments: [
        "", "9lives", "a b", "é", "a\"b", "a\nb", "a\0b", String(repeating: "a", count: 201),
    ])
    func `a name that cannot be one is refused, or counted`(name: String) {
        #expect(throws: MetricsError.self) { try registry.makeGauge(name) }
        registry.gauge(name, 1)
        registry.increment("fine", 1, labels: [name: "1"])
        #expect(registry.statistics.misuse == [.invalidName: 2])
        #expect(registry.snapshot().isEmpty)
    }

    @Test func `names up to the limit, and values of any characters, are fine`() throws {
        let name = String(repeating: "a", count: 200)
        let value = "a\"b\\c\nd\0\r,{}=\u{1F600}" + String(repeating: "é", count: 500)
        registry.increment(name, 1, labels: ["\(name)": value])
        #expect(registry.snapshot(of: name)?.series[0].identity.labels[name] == value)
        registry.increment(name, 1, labels: ["v": String(repeating: "x", count: 1_024)])
        #expect(registry.statistics.misuse.isEmpty)
        registry.increment(name, 1, labels: ["v": String(repeating: "x", count: 1_025)])
        #expect(registry.statistics.misuse == [.labelTooLong: 1])
    }

    @Test func `a series has at most 32 labels`() {
        func labels(_ count: Int) -> Labels { Labels((0..<count).map { ("l\($0)", "v") }) }
        registry.increment("most", 1, labels: labels(32))
        registry.increment("more", 1, labels: labels(33))
        #expect(registry.statistics.misuse == [.tooManyLabels: 1])
        #expect(registry.snapshot().map(\.name) == ["most"])
    }

    @Test(arguments: [
        // What the first takes, and so the second cannot be (OpenMetrics 1.0, prometheus/client_python's registry).
        ("counter", "a.b", "gauge", "a_b"), ("counter", "a.b", "gauge", "a.b.total"),
        ("counter", "a", "counter", "a_total"), ("counter", "a.total", "gauge", "a"),
        ("counter", "a", "gauge", "a_created"), ("histogram", "x", "counter", "x.count"),
        ("histogram", "x", "gauge", "x_bucket"), ("histogram", "x", "gauge", "x.sum"),
        ("summary", "x", "gauge", "x_count"), ("summary", "x", "summary", "x_sum"),
        ("gauge", "x-y", "gauge", "x/y"), ("gauge", "x_created", "summary", "x"),
    ])
    func `names that Prometheus cannot tell apart are refused with both`(
        firstKind: String, first: String, secondKind: String, second: String
    ) throws {
        try make(firstKind, first)
        let error = #expect(throws: MetricsError.self) { try make(secondKind, second) }
        #expect(error?.code == "nameClash")
        #expect(error?.description.contains(first) == true)
        #expect(error?.description.contains(second) == true)
        // After the first is gone, the second can be.
        registry.remove(first)
        try make(secondKind, second)
    }

    @Test func `names that only look alike are fine`() throws {
        try make("gauge", "x")
        try make("gauge", "x_total")
        try make("gauge", "x_bucket")
        try make("gauge", "build_info")
        try make("summary", "y")
        try make("counter", "y_bucket")
        try make("gauge", "total")
        try make("counter", "_total")
    }

    @Test func `an up-down counter gives up the names that it had as a counter`() throws {
        registry.increment("jobs")
        #expect(throws: MetricsError.self) { try registry.makeGauge("jobs.total") }
        registry.decrement("jobs")
        _ = try registry.makeGauge("jobs.total")
        #expect(throws: MetricsError.self) { try registry.makeGauge("jobs") }
    }

    @Test func `labels that Prometheus cannot tell apart are refused with both`() {
        #expect(throws: MetricsError.labelClash(metric: "m", "a.b", "a_b")) {
            try registry.makeGauge("m", labels: ["a.b": "1", "a_b": "2"])
        }
        registry.gauge("n", 1, labels: ["a.b": "1", "a-b": "2"])
        #expect(registry.statistics.misuse == [.nameClash: 1])
    }

    private func make(_ kind: String, _ name: String) throws {
        switch kind {
        case "counter": _ = try registry.makeCounter(name)
        case "histogram": _ = try registry.makeHistogram(name)
        case "summary": _ = try registry.makeSummary(name)
        default: _ = try registry.makeGauge(name)
        }
    }

    @Test func `bounds must be finite and rise, and stay as they are`() throws {
        for bounds in [[1, 1], [2, 1], [.nan], [1, .infinity], (0...256).map(Double.init)] {
            #expect(throws: MetricsError.self) {
                try registry.makeHistogram("latency", bounds: bounds)
            }
        }
        _ = try registry.makeHistogram("latency", bounds: (0...255).map(Double.init))
        _ = try registry.makeHistogram("latency", labels: ["a": "b"])
        #expect(throws: MetricsError.self) { try registry.makeHistogram("latency", bounds: [1]) }
        registry.histogram("recorded", 1)
        #expect(throws: MetricsError.self) { try registry.makeHistogram("recorded", bounds: [1]) }
    }

    @Test func `misuse is reported once for each metric and reason, and the reports are bounded`() {
        for index in 0..<150 { registry.increment("\(index)", 1) }
        registry.increment(String(repeating: "9", count: 100_000))
        let statistics = registry.statistics
        #expect(statistics.misuse == [.invalidName: 151])
        #expect(statistics.recentMisuse.count == 100)
        #expect(statistics.recentMisuse.first?.metric == "51")
        #expect(statistics.recentMisuse.last?.metric.utf8.count == 200)
    }

    // MARK: - Order, listeners, removal

    @Test func `a snapshot is in the order of names, and of labels, however they came`() {
        for name in ["b", "a.b", "a", "B", "c"] {
            for path in ["/z", "/", "/a", "/m"] {
                registry.increment(name, 1, labels: ["path": path])
                _ = registry.snapshot()
            }
        }
        let snapshot = registry.snapshot()
        #expect(snapshot.map(\.name) == ["B", "a", "a.b", "b", "c"])
        for family in snapshot {
            #expect(family.series.map { $0.identity.labels["path"] } == ["/", "/a", "/m", "/z"])
        }
    }

    @Test func `whoever listens hears each record, and nothing after`() throws {
        let heard = Mutex<[String]>([])
        let counter = try registry.makeCounter("c", labels: ["a": "1"])
        let others = Registry()
        counter.increment()
        registry.listen { recorded in
            heard.withLock {
                $0.append("\(recorded.name)\(recorded.labels) \(recorded.kind) \(recorded.value)")
            }
        }
        counter.increment(2)
        counter.increment(-2)
        registry.decrement("u", 3)
        registry.gauge("g", 4.5)
        registry.histogram("h", 5)
        registry.summary("s", .nan)
        try registry.makeUpDownCounter("u").increment(0.5)
        others.increment("c")
        registry.listen(nil)
        counter.increment()
        #expect(
            heard.withLock { $0 } == [
                #"c{a="1"} counter 2.0"#, "u upDownCounter -3.0", "g gauge 4.5", "h histogram 5.0",
                "u upDownCounter 0.5",
            ])
        #expect(counter.amount == Amount(whole: 4))
    }

    @Test
    func `after removal a name begins anew, of any kind, and old handles record into nothing`()
        throws
    {
        let counter = try registry.makeCounter("m")
        registry.increment("m", 5)
        #expect(registry.remove("m"))
        #expect(!registry.remove("m"))
        counter.increment()
        registry.gauge("m", 7)
        #expect(values("m") == [.level(7)])
        registry.remove("m")
        registry.increment("m")
        #expect(values("m") == [.amount(Amount(whole: 1))])
        #expect(counter.amount == Amount(whole: 6))
    }

    @Test func `created is when the series came into being`() {
        registry.increment("c")
        clock.advance(by: .seconds(5))
        registry.increment("c", 1, labels: ["a": "1"])
        let series = registry.snapshot(of: "c")?.series
        #expect(series?.map(\.created.seconds) == [1_000_000, 1_000_005])
    }
}
