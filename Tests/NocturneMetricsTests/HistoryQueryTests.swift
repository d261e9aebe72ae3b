// HistoryQueryTests.swift — what is asked of the past, against brute force over what was recorded.

import NocturneCore
import Testing

@testable import NocturneMetrics

@Suite struct HistoryQueryTests {
    private func total(_ value: Double) -> SeriesValue { .amount(Amount(fraction: value)) }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func `increases over ranges are those between the samples, whatever is reset`(seed: UInt64)
        throws
    {
        var chance = Chance(seed)
        let history = History(.init(retention: .seconds(90_000)))
        var metric = HandMetric("calls", .counter)
        var samples: [(time: Double, rise: Double)] = []
        var (value, time) = (0.0, 0.0)
        for tick in 0..<1_000 {
            time += Double(Int.random(in: 1...(seed % 2 == 0 ? 12 : 100), using: &chance))
            var rise = Double(Int.random(in: 0...50, using: &chance))
            if Int.random(in: 0..<50, using: &chance) == 0 {
                // A new life: its value may be more or less than the old one's.
                value = 0
                rise = Double(Int.random(in: 0...5_000, using: &chance))
                metric.created = .test(time)
                metric.identities = [SeriesIdentity(labels: [:])]
            }
            value += rise
            samples.append((time, rise))
            // Sometimes the last is not stored, but what is there now.
            if tick < 999 || seed % 2 == 0 {
                history.append([metric.snapshot([total(value)])], at: .test(time))
            }
        }
        let live = [metric.snapshot([total(value)])]
        for _ in 0..<200 {
            let ends = (0..<2).map { _ in Double(Int.random(in: 0...Int(time), using: &chance)) }
            let (from, to) = (ends.min() ?? 0, Bool.random(using: &chance) ? time : ends.max() ?? 0)
            let report = try #require(
                history.report(
                    HistoryQuery(
                        "calls", from: .test(from), to: .test(to), live: live, now: .test(time))))
            // What is more than an hour old is known by minutes, each with what rose up to its end.
            func floored(_ time: Double) -> Double { (time / 60).rounded(.up) * 60 - 60 }
            let exact = samples.filter { $0.time > from && $0.time <= to }
            let least = samples.filter { floored($0.time) >= from && $0.time <= to - 60 }
            let most = samples.filter { $0.time > from && floored($0.time) < to }
            let sum = report.aggregations.sum ?? 0
            if from > time - 3_600 {
                #expect(sum == exact.reduce(0) { $0 + $1.rise })
            } else {
                #expect(sum >= least.reduce(0) { $0 + $1.rise })
                #expect(sum <= most.reduce(0) { $0 + $1.rise })
            }
            #expect(report.aggregations.count == nil && report.aggregations.p50 == nil)
        }
    }

    @Test func `increases over ranges that meet add up`() throws {
        let history = History()
        let metric = HandMetric("calls", .counter)
        for tick in 0...100 {
            history.append(
                [metric.snapshot([total(Double(tick * tick))])], at: .test(Double(tick) * 10))
        }
        func sum(_ from: Double, _ to: Double) -> Double? {
            history.report(
                HistoryQuery(
                    "calls", from: .test(from), to: .test(to), live: [], now: .test(1_000))
            )?.aggregations.sum
        }
        for middle in [95.0, 100, 101, 500] {
            let (left, right) = (try #require(sum(50, middle)), try #require(sum(middle, 900)))
            #expect(left + right == 90 * 90 - 5 * 5)
        }
    }

    @Test(arguments: [200.0, 3_000, 79_200])
    func `percentiles over a range are as far off as the sketch says, against an exact sort`(
        length: Double
    ) throws {
        var chance = Chance(9)
        let history = History(.init(retention: .seconds(200_000)))
        let metric = HandMetric("times", .histogram, labels: [["to": "a"], ["to": "b"]])
        var all: [[Double]] = [[], []]
        var recent: [Double] = []
        let step = length > 10_000 ? 500.0 : 10
        let now = 90_000.0
        // Whole hours, so that minutes and hours begin where the range does.
        let from = now - length
        var time = now - length - step * 20
        var live: [MetricSnapshot] = []
        while time < now {
            time += step
            for place in all.indices {
                for _ in 0..<Int.random(in: 0...6, using: &chance) {
                    let value = 1 / Double.random(in: 0.0001...1, using: &chance)
                    all[place].append(value)
                    if time > from { recent.append(value) }
                }
            }
            live = [metric.snapshot(all.map { .distribution(.of($0)) })]
            if time < now { history.append(live, at: .test(time)) }
        }
        let report = try #require(
            history.report(
                HistoryQuery("times", from: .test(from), live: live, now: .test(now))))
        recent.sort()
        let found = report.aggregations
        // Sums are differences of sums, so their last bits are not exact.
        #expect(found.count == UInt64(recent.count))
        #expect(abs(try #require(found.sum) / recent.reduce(0, +) - 1) < 1e-9)
        for (part, percentile) in [
            (0, found.min), (0.5, found.p50), (0.9, found.p90), (0.95, found.p95),
            (0.99, found.p99), (0.999, found.p999), (1, found.max),
        ] {
            let rank = max(Int((part * Double(recent.count)).rounded(.up)), 1)
            let exact = recent[rank - 1]
            let percentile = try #require(percentile)
            #expect(percentile.bounds.contains(exact))
            #expect(abs(percentile.value / exact - 1) <= 0.00543)
        }
    }

    @Test
    func `the whole life of a distribution is exact, and without sketches percentiles are absent`()
        throws
    {
        let history = History()
        let metric = HandMetric("times", .histogram)
        let values = (1...1_000).map { Double($0) }
        var distribution = Distribution.of(values)
        let live = [metric.snapshot([.distribution(distribution)])]
        let report = try #require(
            history.report(HistoryQuery("times", live: live, now: .test(10))))
        #expect(report.aggregations.count == 1_000 && report.aggregations.sum == 500_500)
        #expect(report.aggregations.min?.bounds == 1...1)
        #expect(report.aggregations.max?.bounds == 1_000...1_000)
        #expect(report.aggregations.p99?.bounds.contains(990) == true)
        #expect(report.value == 1_000 && report.rate == nil)

        distribution.sketch = nil
        let bare = [metric.snapshot([.distribution(distribution)])]
        for from in [nil, UnixTime.test(0)] {
            let report = try #require(
                history.report(HistoryQuery("times", from: from, live: bare, now: .test(10))))
            #expect(report.aggregations.count == 1_000 && report.aggregations.avg == 500.5)
            #expect(report.aggregations.p50 == nil && report.aggregations.p999 == nil)
            #expect(!"\(report.json)".contains("p50"))
        }
    }

    @Test func `a gap has no points, and a removed series leaves its past and nothing else`() throws
    {
        let history = History()
        let metric = HandMetric("level", .gauge, labels: [["id": "a"], ["id": "b"]])
        for tick in 0..<100 where !(30..<50).contains(tick) {
            let values: [SeriesValue?] = [.level(1), tick < 60 ? .level(2) : nil]
            history.append([metric.snapshot(values)], at: .test(Double(tick) * 10))
        }
        let live = [metric.snapshot([.level(1), nil])]
        let query = HistoryQuery("level", from: .test(0), live: live, now: .test(995))
        let series = try #require(history.timeSeries(query, step: .seconds(10)))
        #expect(series.map(\.labels) == [["id": "a"], ["id": "b"]])
        let times = series.map {
            $0.points.map { ($0.time.milliseconds - UnixTime.test(0).milliseconds) / 10_000 }
        }
        #expect(times == [Array(0..<30) + Array(50..<100), Array(0..<30) + Array(50..<60)])
        // Now there is one series, so its level means something.
        #expect(history.report(query)?.value == 1)
        #expect(history.report(query)?.seriesCount == 2)
        var later = query
        later.from = .test(600)
        #expect(history.report(later)?.seriesCount == 1)
        #expect(history.timeSeries(later)?.count == 1)
        later.labels = ["id": "b"]
        #expect(history.timeSeries(later)?.isEmpty == true)
        #expect(
            history.values(HistoryQuery("level", live: live, now: .test(995))).map(\.values) == [
                [1]
            ])
    }

    @Test func `what is there now is in the next answer, and not stored`() throws {
        let history = History()
        let calls = HandMetric("calls", .counter), level = HandMetric("level", .gauge)
        history.append([calls.snapshot([total(5)]), level.snapshot(3)], at: .test(10))
        let live = [calls.snapshot([total(7)]), level.snapshot(4)]
        for _ in 0..<2 {
            func report(_ name: String) -> MetricReport? {
                history.report(HistoryQuery(name, from: .test(5), live: live, now: .test(12)))
            }
            #expect(report("calls")?.aggregations.sum == 7 && report("calls")?.value == 7)
            // Five of the seven came by 10 s, all within 12 s of its creation.
            #expect(report("calls")?.rate == 1)
            let found = try #require(report("level")?.aggregations)
            #expect(found.count == 2 && found.avg == 3.5 && found.min?.value == 3)
            #expect(found.max?.value == 4 && found.p50?.value == 3 && found.p99?.value == 4)
        }
        #expect(history.report(HistoryQuery("calls", live: [], now: .test(12)))?.value == nil)
        #expect(history.report(HistoryQuery("other", live: live, now: .test(12))) == nil)
    }

    @Test func `a range that has not begun has nothing in it`() throws {
        let history = History()
        let calls = HandMetric("calls", .counter), level = HandMetric("level", .gauge)
        history.append([calls.snapshot([total(5)]), level.snapshot(3)], at: .test(10))
        let live = [calls.snapshot([total(7)]), level.snapshot(4)]
        for name in ["calls", "level"] {
            let query = HistoryQuery(
                name, from: .test(20), to: .test(30), live: live, now: .test(12))
            #expect(try #require(history.report(query)).seriesCount == 0)
            #expect(try #require(history.timeSeries(query)).isEmpty)
        }
    }

    @Test func `steps begin at multiples of their length, and too many become longer ones`() throws
    {
        let history = History(.init(retention: .seconds(1_000_000)))
        let metric = HandMetric("level", .gauge)
        for tick in 0..<200 {
            history.append([metric.snapshot(Double(tick))], at: .test(Double(tick) * 7))
        }
        let query = HistoryQuery("level", from: .test(0), live: [], now: .test(1_400))
        let minutes = try #require(history.timeSeries(query, step: .seconds(60))?.first)
        for (place, point) in minutes.points.enumerated() {
            let ticks = (0..<200).filter { $0 * 7 / 60 == place }
            #expect(point.time == .test(Double(place) * 60))
            #expect(
                point.count == UInt64(ticks.count) && point.value == ticks.last.map(Double.init))
            #expect(point.min == ticks.first.map(Double.init))
            #expect(point.sum == Double(ticks.reduce(0, +)))
        }
        let fine = try #require(history.timeSeries(query, step: .milliseconds(1))?.first)
        #expect(try #require(fine.step) >= .milliseconds(1_400_000 / TimeSeries.pointLimit))
        #expect(fine.points.count == 200)
    }

    @Test func `alerts read groups: counters add up, gauges stand alone, distributions merge`() {
        let history = History()
        let labels: [Labels] = [
            ["p": "a", "t": "1"], ["p": "a", "t": "2"], ["p": "b", "t": "1"],
        ]
        let calls = HandMetric("calls", .counter, labels: labels)
        let level = HandMetric("level", .gauge, labels: labels)
        let times = HandMetric("times", .histogram, labels: labels)
        func now(_ tick: Double) -> [MetricSnapshot] {
            [
                calls.snapshot([total(tick), total(tick * 2), total(tick * 10)]),
                level.snapshot([.level(tick), .level(-tick), .level(5)]),
                times.snapshot(
                    (1...3).map { place in
                        .distribution(.of((0..<Int(tick)).map { Double($0 + 1) * Double(place) }))
                    }),
            ]
        }
        for tick in 0..<20 { history.append(now(Double(tick)), at: .test(Double(tick) * 10)) }
        func query(_ name: String) -> HistoryQuery {
            HistoryQuery(name, live: now(20), now: .test(200))
        }
        let byPlugin: [Labels] = [["p": "a"], ["p": "b"]]
        let window = Duration.seconds(100)

        #expect(history.values(query("calls")) == [.init(labels: [:], values: [260])])
        let values = history.values(query("level"), by: ["p"])
        #expect(values.map(\.labels) == byPlugin && values.map(\.values) == [[20, -20], [5]])
        let rates = history.rates(query("calls"), window: window, by: ["p"])
        #expect(rates.map(\.labels) == byPlugin && rates.map(\.values) == [[0.3], [1]])
        #expect(history.rates(query("level"), window: window).map(\.values) == [[0.1, -0.1, 0]])
        let high = history.percentiles(1, query("times"), window: window, by: ["p"])
        #expect(high.map { $0.values.map { $0.rounded() } } == [[40], [60]])
        #expect(history.isAbsent(query("calls"), window: window) == false)
        #expect(history.isAbsent(query("none"), window: window) == true)
        #expect(history.isAbsent(query("none"), window: .seconds(1_000)) == nil)
    }

    @Test func `numbers that JSON has not are texts`() throws {
        let history = History()
        let metric = HandMetric("level", .gauge, labels: [["id": "a"]])
        let levels: [Double] = [1, .nan, .infinity, -.infinity]
        for (tick, value) in levels.enumerated() {
            history.append([metric.snapshot([.level(value)])], at: .test(Double(tick)))
        }
        let query = HistoryQuery("level", from: .test(0), live: [], now: .test(4))
        let series = try #require(history.timeSeries(query)?.first?.json)
        let values = try #require(series["points"]?.array).map { $0["value"] }
        #expect(values == [1, "NaN", "+Inf", "-Inf"])
        #expect(series["labels"] == ["id": "a"] && series["kind"] == "gauge")
        let report = try #require(history.report(query)?.json)
        // NaN is not a number, so it is not counted.
        #expect(report["aggregations"]?["count"] == 3)
        #expect(report["aggregations"]?["max"] == "+Inf")
        #expect(report["startTime"]?.int == UnixTime.test(0).milliseconds)
    }
}
