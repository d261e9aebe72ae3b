// HistoryTests.swift — what is kept of the past, for how long, and in how much memory. Next: HistoryQueryTests.swift.

import NocturneCore
import Testing

@testable import NocturneMetrics

@Suite struct HistoryTests {
    /// What a series does from one sample to the next.
    private enum Course: CaseIterable {
        case idleCounter, busyCounter, rareCounter, constant, queue, memory, seconds, ratio
    }

    /// As on a host of plugins: of 20 series eight never change, six are counters that rise by some dozens at each
    /// sample, one a counter that rises now and then, two queues' lengths, one memory in pages, one seconds of
    /// processor time with two decimals, one a ratio with all its bits.
    private static let courses: [Course] =
        Array(repeating: .idleCounter, count: 5) + Array(repeating: .constant, count: 3)
        + Array(repeating: .busyCounter, count: 6) + [.rareCounter, .queue, .queue]
        + [.memory, .seconds, .ratio]

    private func next(_ value: Double, _ course: Course, _ chance: inout Chance) -> Double {
        switch course {
        case .idleCounter, .constant: value
        case .busyCounter: value + Double((0..<60).count { _ in Bool.random(using: &chance) })
        case .rareCounter: value + (Int.random(in: 0..<20, using: &chance) == 0 ? 1 : 0)
        case .queue: max(value + Double(Int.random(in: -4...4, using: &chance)), 0)
        case .memory: value + 4_096 * Double(Int.random(in: -20...20, using: &chance))
        case .seconds:
            (value * 100 + Double(Int.random(in: 0...200, using: &chance))).rounded() / 100
        case .ratio: Double.random(in: 0...1, using: &chance)
        }
    }

    @Test func `a sample of a mixed trace takes at most 1.5 bytes, an idle one at most 3 bits`() {
        let history = History()
        var chance = Chance(3)
        let series = Self.courses.indices.map { ["series": "\($0)"] as Labels }
        let metric = HandMetric("mixed", .gauge, labels: series)
        var values = Self.courses.map { _ in Double(Int.random(in: 0...90_000, using: &chance)) }
        let samples = 360
        var time = 0.0
        for _ in 0..<samples {
            time += 10 + Double.random(in: -0.01...0.01, using: &chance)
            for place in values.indices {
                values[place] = next(values[place], Self.courses[place], &chance)
            }
            history.append([metric.snapshot(values.map { .level($0) })], at: .test(time))
        }
        var bytes: [Course: [Double]] = [:]
        for (labels, column) in history.families["mixed"]?.columns ?? [:] {
            let place = series.firstIndex(of: labels) ?? 0
            let size = Double(column.raw.image.count * 8) / Double(samples)
            bytes[Self.courses[place], default: []].append(size)
        }
        let all = bytes.values.flatMap(\.self)
        let mean = all.reduce(0, +) / Double(all.count)
        #expect(all.count == Self.courses.count)
        #expect(mean <= 1.5, "\(mean) bytes")
        for idle in (bytes[.idleCounter] ?? []) + (bytes[.constant] ?? []) {
            // Of 360 samples 7 words are three chunks' headers, bases and first values.
            #expect(idle <= 3.0 / 8, "\(idle) bytes")
        }
    }

    @Test func `a scalar series with an hour at 10 s takes at most 1 KB`() {
        let history = History()
        var chance = Chance(4)
        let labels = (0..<200).map { ["plugin": "p\($0)", "tool": "resize"] as Labels }
        let metric = HandMetric("calls", .counter, labels: labels)
        var values = labels.map { _ in 0.0 }
        for tick in 0..<360 {
            for place in values.indices {
                let course = Self.courses[place % Self.courses.count]
                values[place] = next(values[place], course, &chance)
            }
            let amounts = values.map { SeriesValue.amount(Amount(fraction: $0)) }
            history.append([metric.snapshot(amounts)], at: .test(Double(tick) * 10))
        }
        #expect(history.bytes / labels.count <= 1_024, "\(history.bytes / labels.count) bytes")
    }

    @Test(arguments: [1.0, 400])
    func `with 100 times the limit recorded, memory stays under it and the newest is kept`(
        seconds: Double
    ) {
        let limit: Int64 = 12_000
        let history = History(
            .init(retention: .seconds(30 * 86_400), bytes: ByteCount(bytes: limit)))
        var chance = Chance(6)
        let labels = (0..<4).map { ["series": "\($0)"] as Labels }
        let metric = HandMetric("ratio", .gauge, labels: labels)
        // A ratio with all its bits takes about 8 bytes.
        let samples = Int(limit) * 100 / 8 / labels.count
        var newest: [Double] = []
        var largest = 0
        for tick in 0..<samples {
            newest = labels.map { _ in Double.random(in: 0...1, using: &chance) }
            history.append(
                [metric.snapshot(newest.map { .level($0) })], at: .test(Double(tick) * seconds))
            largest = max(largest, history.bytes)
        }
        #expect(largest <= Int(limit) && largest > Int(limit) / 2)
        #expect(history.droppedUpTo != nil)
        let now = UnixTime.test(Double(samples) * seconds)
        let lately = UnixTime.test(Double(samples - 20) * seconds)
        let series = history.timeSeries(HistoryQuery("ratio", from: lately, live: [], now: now))
        #expect(series?.count == labels.count)
        for one in series ?? [] {
            let place = labels.firstIndex(of: one.labels) ?? 0
            #expect(one.points.last?.value == newest[place])
        }
    }

    @Test func `series that come and go do not pile up`() {
        let limit: Int64 = 300_000
        let history = History(.init(retention: .seconds(600), bytes: ByteCount(bytes: limit)))
        for tick in 0..<3_000 {
            let metric = HandMetric("short", .gauge, labels: [["id": "\(tick)"], ["id": "stays"]])
            history.append(
                [metric.snapshot([.level(1), .level(Double(tick))])],
                at: .test(Double(tick) * 10))
            #expect(history.bytes <= Int(limit))
        }
        // 600 s are 60 flushes, and what is too old is looked for once in a minute.
        #expect((60...75).contains(history.seriesCount))
    }

    @Test func `series that do not fit at all are left out and counted`() {
        let history = History(.init(bytes: ByteCount(bytes: 50_000)))
        let labels = (0..<1_000).map { ["series": "\($0)"] as Labels }
        let metric = HandMetric("many", .gauge, labels: labels)
        for tick in 0..<100 {
            history.append(
                [metric.snapshot(labels.map { _ in .level(1) })], at: .test(Double(tick)))
            #expect(history.bytes <= 50_000)
        }
        #expect(history.seriesLeftOut > 900)
        #expect(history.seriesLeftOut + history.seriesCount == 1_000)
    }

    @Test func `nothing is kept for longer than it shall be`() throws {
        for retention in [60, 3_600, 90_000, 200_000] {
            let history = History(.init(retention: .seconds(retention)))
            let metric = HandMetric("level", .gauge)
            for tick in 0..<5_000 {
                history.append([metric.snapshot(Double(tick))], at: .test(Double(tick) * 60))
            }
            let now = UnixTime.test(5_000 * 60)
            let series = try #require(
                history.timeSeries(HistoryQuery("level", from: .test(0), live: [], now: now)))
            let first = try #require(series.first?.points.first).time
            let oldest = now.milliseconds - Int64(retention) * 1_000
            #expect(first.milliseconds >= oldest)
            // Whole hours are kept, and minutes where those do not reach.
            #expect(first.milliseconds < oldest + 2 * 3_600_000)
        }
    }

    @Test func `a time that does not rise is taken for a millisecond later`() {
        let history = History()
        let metric = HandMetric("level", .gauge)
        history.append([metric.snapshot(1)], at: .test(10))
        history.append([metric.snapshot(2)], at: .test(5))
        history.append([metric.snapshot(3)], at: .test(10))
        #expect(history.latest == .test(10.002))
    }
}
