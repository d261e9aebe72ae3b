// ConcurrencyTests.swift — many threads record, others read: nothing is lost, and each snapshot is of one moment.

import CMetrics
import NocturneMetrics
import Synchronization
import Testing

// One after the other: some take all slabs, or count them.
@Suite(.serialized) struct ConcurrencyTests {
    @Test func `sums over threads are exact`() throws {
        let registry = Registry()
        let counter = try registry.makeCounter("requests")
        let level = try registry.makeUpDownCounter("connections")
        let gauge = try registry.makeGauge("sum")
        let histogram = try registry.makeHistogram("latency")
        let rounds = 20_000
        onThreads(8) { index in
            for round in 0..<rounds {
                counter.increment()
                counter.increment(0.5)
                level.increment(3)
                level.decrement()
                gauge.add(1)
                histogram.record(Double(round % 64) + 1)
                registry.increment("by.name", 2, labels: ["thread": "\(index % 3)"])
            }
        }
        #expect(counter.amount == Amount(whole: 8 * 20_000, fraction: 8 * 10_000))
        #expect(level.amount == Amount(whole: 8 * 40_000))
        #expect(gauge.value == 8 * 20_000)
        #expect(histogram.distribution.count == 8 * 20_000)
        let byName = try #require(registry.snapshot(of: "by.name"))
        #expect(
            byName.series.map { $0.value }
                == [6, 6, 4].map {
                    .amount(Amount(whole: $0 * 20_000))
                })
    }

    @Test func `a snapshot under load is of one moment: the count is the buckets' and the sum's`()
        throws
    {
        let registry = Registry()
        let histogram = try registry.makeHistogram("ones", bounds: [0.5, 1, 2])
        let plain = try registry.makeHistogram("plain")
        let isOver = Atomic(false), recorded = Atomic<UInt64>(0)
        let snapshots = Mutex<[Distribution]>([])
        onThreads(4) { index in
            guard index > 0 else {
                var last: UInt64 = 0
                for _ in 0..<2_000 {
                    let now = histogram.distribution
                    if now.count < last { Issue.record("the count fell") }
                    last = now.count
                    snapshots.withLock { $0 += [now, plain.distribution] }
                }
                isOver.store(true, ordering: .releasing)
                return
            }
            while !isOver.load(ordering: .acquiring) {
                for _ in 0..<100 {
                    histogram.record(1)
                    plain.record(1)
                }
                recorded.add(100, ordering: .relaxed)
            }
        }
        for now in snapshots.withLock({ $0 }) {
            #expect(Double(now.count) == now.sum)
            #expect(now.sketch?.count == now.count)
            if !now.bounds.isEmpty { #expect(now.boundCounts == [0, now.count, 0, 0]) }
        }
        let all = recorded.load(ordering: .relaxed)
        #expect(histogram.distribution.count == all)
        #expect(plain.distribution.count == all)
    }

    @Test func `what is recorded is in the next snapshot, whoever reads at the same time`() throws {
        let registry = Registry()
        let histogram = try registry.makeHistogram("mine")
        let isOver = Atomic(false)
        onThreads(3) { index in
            guard index == 0 else {
                while !isOver.load(ordering: .acquiring) { _ = registry.snapshot() }
                return
            }
            for expected in 1...UInt64(500) {
                histogram.record(1)
                if histogram.distribution.count != expected {
                    Issue.record("value \(expected) was missing")
                    break
                }
            }
            isOver.store(true, ordering: .releasing)
        }
    }

    @Test func `threads come and go, and their counts stay`() throws {
        let registry = Registry()
        let counter = try registry.makeCounter("requests")
        let histogram = try registry.makeHistogram("latency")
        let before = cmetrics_slab_count()
        for _ in 0..<250 {
            onThreads(4) { _ in
                counter.increment()
                histogram.record(1)
            }
        }
        #expect(counter.amount.whole == 1_000)
        #expect(histogram.distribution.count == 1_000)
        // Tests run side by side, so others may have taken some; without recycling there were a thousand.
        #expect(cmetrics_slab_count() - before < 250)
    }

    @Test func `more threads at once than there are slabs share, and lose nothing`() throws {
        let registry = Registry()
        let counter = try registry.makeCounter("requests")
        let histogram = try registry.makeHistogram("latency")
        let (start, end) = (Barrier(300), Barrier(300))
        onThreads(300) { index in
            start.wait()
            counter.increment()
            if index % 50 == 0 { _ = registry.snapshot() }
            counter.increment(0.25)
            histogram.record(2)
            registry.increment("by.name", 1)
            end.wait()
        }
        #expect(counter.amount == Amount(whole: 300, fraction: 75))
        #expect(histogram.distribution.count == 300)
        #expect(histogram.distribution.sum == 600)
        #expect(registry.snapshot(of: "by.name")?.series[0].value == .amount(Amount(whole: 300)))
    }

    @Test func `recording goes on over suspension points on whatever thread comes`() async throws {
        let registry = Registry()
        let counter = try registry.makeCounter("requests")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    for _ in 0..<200 {
                        counter.increment()
                        await Task.yield()
                        counter.increment()
                    }
                }
            }
        }
        #expect(counter.amount.whole == 64 * 400)
    }

    @Test func `series that come and go while others record leave nothing behind`() throws {
        let registry = Registry()
        onThreads(4) { index in
            for round in 0..<300 {
                let labels: Labels = ["thread": "\(index)", "round": "\(round % 7)"]
                registry.increment("shared", 1, labels: labels)
                registry.histogram("times", 1, labels: labels)
                if round % 50 == 49 { registry.remove(index % 2 == 0 ? "shared" : "times") }
            }
        }
        registry.remove("shared")
        registry.remove("times")
        let counter = try registry.makeCounter("fresh")
        #expect(counter.amount == Amount())
        #expect(try registry.makeHistogram("fresh.times").distribution.count == 0)
    }
}
