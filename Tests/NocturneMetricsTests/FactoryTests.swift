// FactoryTests.swift — what swift-metrics' instruments become.

import CoreMetrics
import NocturneMetrics
import Testing

@Suite struct FactoryTests {
    private let registry = NocturneMetrics.Registry()
    private let factory: NocturneMetricsFactory

    init() { factory = NocturneMetricsFactory(registry: registry) }

    private func value(_ name: String) -> SeriesValue? {
        registry.snapshot(of: name)?.series.first?.value
    }

    @Test func `each instrument is a metric of the kind that suits it`() {
        let counter = factory.makeCounter(label: "c", dimensions: [("a", "1")])
        counter.increment(by: 3)
        counter.increment(by: 4)
        let fractions = factory.makeFloatingPointCounter(label: "f", dimensions: [])
        fractions.increment(by: 0.5)
        let meter = factory.makeMeter(label: "m", dimensions: [])
        meter.set(Int64(5))
        meter.increment(by: 2)
        meter.decrement(by: 0.5)
        factory.makeRecorder(label: "g", dimensions: [], aggregate: false).record(Int64(7))
        factory.makeRecorder(label: "h", dimensions: [], aggregate: true).record(8.5)
        factory.makeTimer(label: "t", dimensions: []).recordNanoseconds(250_000_000)
        #expect(
            registry.snapshot().map(\.kind) == [
                .counter, .counter, .gauge, .histogram, .gauge, .histogram,
            ])
        #expect(value("c") == .amount(Amount(whole: 7)))
        #expect(value("f") == .amount(Amount(whole: 0, fraction: 0.5)))
        #expect(value("m") == .level(6.5))
        #expect(value("g") == .level(7))
        guard case .distribution(let times) = value("t") else {
            Issue.record("no histogram")
            return
        }
        #expect(times.range == 0.25...0.25)
        #expect(registry.snapshot(of: "t")?.unit == "seconds")
    }

    @Test func `the same label and dimensions are the same series, and reset begins anew`() {
        let one = factory.makeCounter(label: "c", dimensions: [("a", "1"), ("b", "2")])
        let other = factory.makeCounter(label: "c", dimensions: [("b", "2"), ("a", "1")])
        one.increment(by: 1)
        other.increment(by: 2)
        #expect(value("c") == .amount(Amount(whole: 3)))
        one.reset()
        other.increment(by: 5)
        #expect(value("c") == .amount(Amount(whole: 5)))
    }

    @Test func `a clash or a bad name ends nothing: it is counted, and goes nowhere`() {
        _ = factory.makeCounter(label: "c", dimensions: [])
        factory.makeMeter(label: "c", dimensions: []).set(1.5)
        factory.makeTimer(label: "what is this?", dimensions: []).recordNanoseconds(1)
        factory.makeRecorder(label: "r", dimensions: [("le", "1")], aggregate: true).record(1.0)
        factory.makeCounter(label: "c", dimensions: []).increment(by: -1)
        #expect(value("c") == .amount(Amount()))
        #expect(
            registry.statistics.misuse == [.kindClash: 1, .invalidName: 2, .negativeIncrement: 1])
    }

    @Test func `what is destroyed is gone`() {
        let counter = factory.makeCounter(label: "c", dimensions: [("a", "1")])
        let timer = factory.makeTimer(label: "t", dimensions: [])
        let meter = factory.makeMeter(label: "m", dimensions: [])
        _ = factory.makeCounter(label: "c", dimensions: [("a", "2")])
        factory.destroyCounter(counter)
        factory.destroyTimer(timer)
        factory.destroyMeter(meter)
        #expect(registry.snapshot().map(\.name) == ["c"])
        #expect(registry.snapshot(of: "c")?.series.count == 1)
        counter.increment(by: 1)
        #expect(registry.snapshot(of: "c")?.series.count == 1)
    }
}
