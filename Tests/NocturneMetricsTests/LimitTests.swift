// LimitTests.swift — how many metrics and series there can be, and which go.

import NocturneMetrics
import Testing

@Suite struct LimitTests {
    private let clock = HandClock()

    private func labels(_ registry: Registry, _ name: String) -> [Labels] {
        registry.snapshot(of: name)?.series.map(\.identity.labels) ?? []
    }

    @Test func `only the label that exploded loses its values`() {
        var limits = RegistryLimits()
        limits.valuesPerLabel = 10
        let registry = Registry(limits: limits)
        for user in 0..<10 { registry.increment("r", 1, labels: ["user": "\(user)", "m": "GET"]) }
        #expect(registry.statistics.folded.isEmpty)
        registry.increment("r", 1, labels: ["user": "10", "m": "GET"])
        registry.increment("r", 1, labels: ["user": "11", "m": "GET"])
        registry.increment("r", 1, labels: ["user": "11", "m": "PUT"])
        registry.increment("r", 1, labels: ["user": "3", "m": "PUT"])
        #expect(registry.statistics.folded == ["r": ["user": 3]])
        let folded = labels(registry, "r").filter { $0["user"] == "__overflow__" }
        #expect(
            Set(folded) == [
                ["user": "__overflow__", "m": "GET"], ["user": "__overflow__", "m": "PUT"],
            ])
        #expect(labels(registry, "r").contains(["user": "3", "m": "PUT"]))
        #expect(registry.statistics.series == 13)
    }

    @Test func `without a limit of series, a label that exploded is folded as ever`() throws {
        let registry = Registry()
        _ = try registry.makeCounter("r", options: FamilyOptions(series: .max, valuesPerLabel: 1))
        for user in 0..<3 { registry.increment("r", 1, labels: ["user": "\(user)"]) }
        #expect(labels(registry, "r").contains(["user": "__overflow__"]))
        #expect(registry.statistics.folded == ["r": ["user": 2]])
    }

    @Test func `label names made of data take no more memory than the first hundred of them`() {
        var limits = RegistryLimits()
        limits.seriesPerFamily = 10
        let registry = Registry(limits: limits)
        for user in 0..<1_000 { registry.increment("r", 1, labels: ["user\(user)": "x"]) }
        let folded = registry.statistics.folded["r"] ?? [:]
        #expect(folded.count == 101)
        #expect(folded.values.reduce(0, +) == 990, "what is not named is counted all the same")
        #expect(folded["__overflow__"] == 890)
    }

    @Test func `if all labels together are too many, the one with most values goes`() throws {
        let registry = Registry()
        _ = try registry.makeCounter("r", options: FamilyOptions(series: 31))
        for path in 0..<10 {
            for code in 0..<3 {
                registry.increment("r", 1, labels: ["path": "\(path)", "code": "\(code)"])
            }
        }
        #expect(registry.statistics.folded.isEmpty)
        #expect(registry.statistics.series == 31)
        for code in 0..<3 {
            registry.increment("r", 1, labels: ["path": "10", "code": "\(code)"])
            registry.increment("r", 1, labels: ["path": "11", "code": "\(code)"])
        }
        #expect(registry.statistics.folded == ["r": ["path": 6]])
        #expect(labels(registry, "r").contains(["path": "__overflow__", "code": "2"]))
        #expect(registry.statistics.series == 34)
        // The folded ones are bounded as well: one more label set is all that there can be.
        for code in 0..<100 {
            registry.increment("r", 1, labels: ["path": "10", "code": "c\(code)"])
        }
        for name in 0..<100 { registry.increment("r", 1, labels: ["name\(name)": "x"]) }
        #expect(registry.statistics.series <= 31 + 3 + 1)
        #expect(labels(registry, "r").contains(["overflow": "__overflow__"]))
        let total = registry.snapshot(of: "r")?.series.reduce(Int64(0)) { sum, series in
            if case .amount(let amount) = series.value { sum + amount.whole } else { sum }
        }
        #expect(total == 236, "nothing is lost: 30, 6 and 200")
    }

    @Test func `a handle that is asked for too late is that of the others`() throws {
        let registry = Registry()
        let options = FamilyOptions(valuesPerLabel: 1)
        let handles = try ["a", "b", "c"].map {
            try registry.makeCounter("r", labels: ["user": $0], options: options)
        }
        for handle in handles { handle.increment() }
        #expect(labels(registry, "r") == [["user": "__overflow__"], ["user": "a"]])
        #expect(handles[2].amount.whole == 2)
        #expect(handles[2].labels == ["user": "__overflow__"])
    }

    @Test func `there can be so many metrics and no more`() throws {
        var limits = RegistryLimits()
        limits.families = 3
        let registry = Registry(limits: limits)
        for index in 0..<3 { registry.increment("m\(index)") }
        registry.increment("m3")
        #expect(throws: MetricsError.limitReached("metrics", 3)) { try registry.makeGauge("m4") }
        #expect(registry.statistics.metrics == 3)
        #expect(registry.statistics.misuse == [.tooManyFamilies: 1])
        registry.remove("m0")
        registry.increment("m3")
        #expect(registry.statistics.metrics == 3)
    }

    @Test func `label sets without end take bounded memory`() {
        let registry = Registry()
        for index in 0..<8_000 {
            registry.increment(
                "boom", 1,
                labels: ["a": "\(index % 30)", "b": "\(index / 30 % 30)", "c": "\(index / 900)"])
        }
        #expect(registry.statistics.series <= 2_000 + 200 + 1)
        let total = registry.snapshot(of: "boom")?.series.reduce(Int64(0)) { sum, series in
            if case .amount(let amount) = series.value { sum + amount.whole } else { sum }
        }
        #expect(total == 8_000)
    }

    @Test func `limits that make no sense are refused`() {
        let registry = Registry()
        for options in [
            FamilyOptions(series: 0), FamilyOptions(valuesPerLabel: -1),
            FamilyOptions(idleExpiry: .zero),
        ] {
            #expect(throws: MetricsError.self) { try registry.makeCounter("c", options: options) }
        }
    }

    // MARK: - Idleness

    @Test func `what does not change for long enough goes, and what changes stays`() throws {
        var limits = RegistryLimits()
        limits.idleExpiry = .seconds(60)
        let registry = Registry(limits: limits, clock: clock)
        for name in ["idle", "busy"] {
            registry.increment("c", 1, labels: ["n": name])
            registry.gauge("g", 1, labels: ["n": name])
            registry.histogram("h", 1, labels: ["n": name])
        }
        for _ in 0..<4 {
            clock.advance(by: .seconds(20))
            registry.increment("c", 1, labels: ["n": "busy"])
            registry.gauge("g", 1, labels: ["n": "busy"])
            registry.histogram("h", 1, labels: ["n": "busy"])
            registry.expire(at: clock.uptime)
        }
        for name in ["c", "g", "h"] { #expect(labels(registry, name) == [["n": "busy"]]) }
        // By name it comes back.
        registry.increment("c", 1, labels: ["n": "idle"])
        #expect(labels(registry, "c").count == 2)
    }

    @Test func `a series with a handle is only hidden, and comes back with all it had`() throws {
        let registry = Registry(clock: clock)
        let options = FamilyOptions(idleExpiry: .seconds(10))
        let counter = try registry.makeCounter("c", options: options)
        let gauge = try registry.makeGauge("g", options: options)
        counter.increment(5)
        gauge.set(3)
        registry.expire(at: clock.uptime)
        for _ in 0..<3 {
            clock.advance(by: .seconds(10))
            registry.expire(at: clock.uptime)
        }
        #expect(registry.snapshot().isEmpty)
        #expect(registry.statistics.idleSeries == 2)
        counter.increment()
        gauge.set(3)
        #expect(registry.snapshot(of: "c")?.series[0].value == .amount(Amount(whole: 6)))
        #expect(registry.snapshot(of: "g")?.series[0].value == .level(3))
        #expect(registry.statistics.idleSeries == 0)
        // Its idle time begins anew.
        registry.expire(at: clock.uptime)
        clock.advance(by: .seconds(9))
        registry.expire(at: clock.uptime)
        #expect(registry.snapshot().count == 2)
        clock.advance(by: .seconds(1))
        registry.expire(at: clock.uptime)
        #expect(registry.snapshot().isEmpty)
    }

    @Test func `without an expiry everything stays`() {
        let registry = Registry(clock: clock)
        registry.increment("c")
        clock.advance(by: .seconds(1_000_000))
        registry.expire(at: clock.uptime)
        #expect(registry.snapshot().count == 1)
    }

    @Test func `what has expired makes room`() throws {
        let registry = Registry(clock: clock)
        _ = try registry.makeCounter(
            "c", labels: ["n": "0"],
            options: FamilyOptions(valuesPerLabel: 2, idleExpiry: .seconds(1)))
        registry.increment("c", 1, labels: ["n": "1"])
        clock.advance(by: .seconds(1))
        registry.expire(at: clock.uptime)
        clock.advance(by: .seconds(1))
        registry.expire(at: clock.uptime)
        // The thread that recorded by name may still hold one until its next record.
        registry.increment("c", 1, labels: ["n": "2"])
        #expect(labels(registry, "c") == [["n": "2"]])
    }
}
