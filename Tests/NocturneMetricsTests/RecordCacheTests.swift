// RecordCacheTests.swift — what is recorded by name again and again, from the same line: it is found where it was, and
// never where it was not. Next: RegistryTests.swift.

import NocturneMetrics
import Synchronization
import Testing

@Suite struct RecordCacheTests {
    private let registry = Registry(clock: HandClock())

    /// Always from the same line, with the same strings.
    private func visit(_ amount: Double = 1) {
        registry.increment(
            "visits", amount,
            labels: ["method": "GET", "path": "/api/v1/a-long-path", "status": "200"])
    }

    private func visits() -> Double? {
        guard case .amount(let amount)? = registry.snapshot(of: "visits")?.series.first?.value
        else { return nil }
        return amount.value
    }

    @Test func `strings that are made and freed in the same place are told apart by what they say`()
    {
        var expected: [String: Double] = [:]
        for round in 0..<300 {
            // Each is longer than what a string has room for in itself, and freed before the next is made.
            let name = "/resources/number/\(100 + round * 7 % 13)"
            registry.increment("requests", labels: ["path": name])
            registry.increment("requests", 2, labels: ["path": name])
            expected[name, default: 0] += 3
        }
        let series = registry.snapshot(of: "requests")?.series ?? []
        var found: [String: Double] = [:]
        for series in series {
            guard case .amount(let amount) = series.value else { continue }
            found[series.identity.labels["path"] ?? ""] = amount.value
        }
        #expect(found == expected)
    }

    @Test func `the same line counts anew after the metric was removed`() {
        for _ in 0..<5 { visit() }
        #expect(visits() == 5)
        registry.remove("visits")
        #expect(visits() == nil)
        visit()
        #expect(visits() == 1)
        registry.remove("visits")
        registry.gauge("visits", 3)
        visit()
        #expect(registry.statistics.misuse == [.kindClash: 1])
    }

    @Test
    func `a line that rises and then falls makes an up-down counter, or misuse of a declared one`()
        throws
    {
        for _ in 0..<5 { visit() }
        visit(-2)
        #expect(registry.snapshot(of: "visits")?.kind == .upDownCounter)
        for _ in 0..<5 { visit(-1) }
        #expect(visits() == -2)
        registry.remove("visits")
        _ = try registry.makeCounter(
            "visits", labels: ["method": "GET", "path": "/api/v1/a-long-path", "status": "200"])
        for _ in 0..<5 { visit() }
        for _ in 0..<5 { visit(-1) }
        #expect(visits() == 5)
        #expect(registry.statistics.misuse == [.negativeIncrement: 5])
    }

    @Test func `whoever begins to listen hears a line that was not heard before`() {
        let heard = Atomic<Int>(0)
        for _ in 0..<5 { visit() }
        registry.listen { _ in heard.add(1, ordering: .relaxed) }
        for _ in 0..<5 { visit() }
        registry.listen(nil)
        visit()
        #expect(heard.load(ordering: .relaxed) == 5)
        #expect(visits() == 11)
    }

    @Test func `two registries do not take each other's calls`() {
        let other = Registry(clock: HandClock())
        for round in 0..<10 {
            for registry in [registry, other] {
                registry.increment("shared", Double(round % 2 + 1), labels: ["a": "b"])
            }
        }
        for registry in [registry, other] {
            #expect(
                registry.snapshot(of: "shared")?.series.first?.value == .amount(Amount(whole: 15)))
        }
    }
}
