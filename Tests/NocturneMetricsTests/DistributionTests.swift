// DistributionTests.swift — percentiles against an exact sort, and what is exact beside them.

import Glibc
import NocturneMetrics
import Testing

@Suite struct DistributionTests {
    /// Names and generators of values; `unit` is uniform in 0..<1.
    private static let shapes:
        [(name: String, value: @Sendable (inout SeededGenerator) -> Double)] = [
            ("uniform", { $0.unit * 100 }),
            ("exponential", { -log(1 - $0.unit) }),
            ("normal", { 50 + 5 * $0.normal }),
            ("around zero", { $0.normal }),
            ("log-normal", { exp($0.normal) }),
            ("heavy tail", { pow(1 - $0.unit, -1.2) }),
            ("two humps", { $0.unit < 0.7 ? 0.001 + $0.unit / 1e4 : 3 + $0.normal / 10 }),
            ("constant", { _ in 0.25 }),
            ("whole numbers", { ($0.unit * 1_000).rounded() }),
            ("mostly zero", { $0.unit < 0.8 ? 0 : $0.unit }),
            ("nanoseconds to days", { exp2(-30 + 47 * $0.unit) }),
            ("negative", { -exp($0.normal * 3) }),
            ("all powers of two", { exp2(-1_000 + 2_000 * $0.unit) }),
        ]
    private static let parts = [0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1]

    /// Of `n` values in order, number ⌈part·n⌉: the definition of the nearest rank.
    private static func exact(_ part: Double, _ sorted: [Double]) -> Double {
        sorted[max(Int((part * Double(sorted.count)).rounded(.up)), 1) - 1]
    }

    @Test func `what was counted elsewhere may have one bucket, or none, and no range`() throws {
        let registry = Registry()
        let one = try registry.makeHistogram("one"), none = try registry.makeHistogram("none")
        // (2^(64/64), 2^(65/64)] at scale 6: above 2.
        let sketch = Sketch(scale: 6, positive: [.init(index: 64, count: 1)])
        one.merge(Distribution(count: 1, sum: 2.01, sketch: sketch))
        let range = try #require(one.distribution.range)
        #expect(range.lowerBound == 2 && range.contains(2.01) && range.upperBound < 2.03)
        none.merge(Distribution(count: 3, sum: 6))
        // How many there are is what the buckets say.
        #expect(none.distribution.count == 0 && none.distribution.sum == 6)
        #expect(none.distribution.range == nil)
    }

    @Test func `of as many values as can be counted, each percentile is one of them`() throws {
        // (2^(0/64), 2^(1/64)] at scale 6.
        let sketch = Sketch(scale: 6, positive: [.init(index: 0, count: .max)])
        for part in Self.parts {
            let percentile = try #require(sketch.percentile(part))
            #expect(percentile.value > 1 && percentile.value < 1.011)
        }
    }

    @Test(arguments: shapes.indices)
    func `every percentile is within the stated error, merged from four histograms or not`(
        shape: Int
    ) throws {
        let registry = Registry()
        var generator = SeededGenerator(seed: UInt64(shape) + 1)
        let values = (0..<20_000).map { _ in Self.shapes[shape].value(&generator) }
        let whole = try registry.makeHistogram("whole")
        let pieces = try (0..<4).map { try registry.makeHistogram("piece", labels: ["n": "\($0)"]) }
        for (index, value) in values.enumerated() {
            whole.record(value)
            pieces[index % 4].record(value)
        }
        var merged = Sketch()
        for piece in pieces { merged.merge(try #require(piece.distribution.sketch)) }

        let (sorted, distribution) = (values.sorted(), whole.distribution)
        #expect(distribution.count == 20_000)
        #expect(distribution.range == sorted[0]...sorted[19_999])
        for sketch in [try #require(distribution.sketch), merged] {
            #expect(sketch.count == 20_000)
            for part in Self.parts {
                let exact = Self.exact(part, sorted)
                let found = try #require(sketch.percentile(part))
                #expect(found.bounds.contains(exact), "\(Self.shapes[shape].name) \(part)")
                let error = abs(found.value - exact)
                #expect(error <= abs(exact) * sketch.relativeError * (1 + 1e-9))
            }
        }
    }

    @Test func `the stated error is at most half a percent and a bit`() throws {
        let registry = Registry()
        let histogram = try registry.makeHistogram("latency")
        for value in [0.001, 3, 7e6] { histogram.record(value) }
        let sketch = try #require(histogram.distribution.sketch)
        #expect(sketch.scale == 6)
        #expect(sketch.relativeError < 0.00542)
    }

    @Test func `values too far apart join neighbors, and lose nothing`() throws {
        let registry = Registry()
        let histogram = try registry.makeHistogram("wide")
        // 128 pages of one power of two are allowed.
        for exponent in 0..<128 { histogram.record(scalbn(1.5, Int32(exponent))) }
        #expect(histogram.distribution.sketch?.scale == 6)
        histogram.record(scalbn(1.5, 128))
        #expect(histogram.distribution.sketch?.scale == 5)
        for exponent in Int32(-1_022)...1_023 {
            histogram.record(scalbn(1.5, exponent))
            histogram.record(-scalbn(1.5, exponent))
        }
        let distribution = histogram.distribution
        let sketch = try #require(distribution.sketch)
        #expect(distribution.count == 129 + 2 * 2_046)
        #expect(sketch.count == distribution.count)
        #expect((1...2).contains(sketch.scale))
        // The same values, counted one by one by `Sketch`.
        var expected = Sketch()
        for exponent in 0..<Int32(129) { expected.record(scalbn(1.5, exponent)) }
        for exponent in Int32(-1_022)...1_023 {
            expected.record(scalbn(1.5, exponent))
            expected.record(-scalbn(1.5, exponent))
        }
        expected.coarsen(to: sketch.scale)
        #expect(sketch == expected)
    }

    @Test func `declared bounds count exactly, and a value on a bound is below it`() throws {
        let registry = Registry()
        let histogram = try registry.makeHistogram("sizes", bounds: [-1, 0, 0.1, 10])
        for value in [-5, -1, -0.5, 0, 0.1, 0.1.nextUp, 10, 10.0.nextUp, 1e300] {
            histogram.record(value)
        }
        let distribution = histogram.distribution
        #expect(distribution.bounds == [-1, 0, 0.1, 10])
        #expect(distribution.boundCounts == [2, 2, 1, 2, 2])
        #expect(distribution.count == 9)
    }

    @Test func `without percentiles there is no sketch, but all else`() throws {
        let registry = Registry(computesPercentiles: false)
        let histogram = try registry.makeHistogram("latency", bounds: [1])
        for value in [0.5, 2, 0, -3] { histogram.record(value) }
        registry.summary("recent", 4)
        let distribution = histogram.distribution
        #expect(distribution.sketch == nil)
        #expect(distribution.count == 4)
        #expect(distribution.sum == -0.5)
        #expect(distribution.range == -3...2)
        #expect(distribution.boundCounts == [3, 1])
        guard case .distribution(let summary) = registry.snapshot(of: "recent")?.series[0].value
        else {
            Issue.record("no summary")
            return
        }
        #expect(summary.window == nil)
        #expect(summary.count == 1)
    }

    @Test func `an empty distribution has neither range nor percentiles`() throws {
        let histogram = try Registry().makeHistogram("latency")
        #expect(histogram.distribution.range == nil)
        #expect(histogram.distribution.count == 0)
        #expect(histogram.distribution.sketch?.percentile(0.5) == nil)
    }

    @Test func `a distribution that was counted elsewhere is added, whatever its scale says`()
        throws
    {
        let registry = Registry()
        let (one, other) = (
            try registry.makeHistogram("one"), try registry.makeHistogram("other")
        )
        for value in [1, 2, -3, 0, 1e-5] { other.record(value) }
        one.record(7)
        one.merge(other.distribution)
        #expect(one.distribution.count == 6)
        #expect(one.distribution.sum == 7 + 1e-5)
        #expect(one.distribution.range == -3...7)
        // A bucket that no double can be in, as a liar may send it, is left out.
        let lie = Sketch(positive: [.init(index: .max, count: 1), .init(index: 0, count: 2)])
        one.merge(Distribution(count: 3, sum: 3, range: 1...2, sketch: lie))
        #expect(one.distribution.count == 8)
    }

    @Test func `a summary's window has the last minute, its count everything`() throws {
        let clock = HandClock()
        let registry = Registry(clock: clock)
        let summary = try registry.makeSummary("recent")
        func window() -> Sketch? {
            registry.rotate(at: clock.uptime)
            guard case .distribution(let now) = registry.snapshot(of: "recent")?.series[0].value
            else { return nil }
            return now.window
        }
        #expect(window()?.count == 0)
        for value in 1...12 {
            summary.record(Double(value))
            clock.advance(by: .seconds(10))
            // Value n was recorded 10 s before; a window has at least 60 s.
            #expect(window()?.count == UInt64(min(value, 6)))
        }
        #expect(window()?.percentile(0)?.bounds.contains(7) == true)
        #expect(summary.distribution.count == 12)
        summary.record(13)
        clock.advance(by: .seconds(600))
        #expect(window()?.count == 1, "nobody asked for ten minutes: the last part is that old")
        clock.advance(by: .seconds(60))
        #expect(window()?.count == 0)
    }
}

/// Numbers that are the same in each run (splitmix64, https://prng.di.unimi.it/splitmix64.c, public domain).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in 0..<1.
    var unit: Double { mutating get { Double(next() >> 11) * 0x1p-53 } }

    /// Of mean 0 and deviation 1 (Box and Muller).
    var normal: Double {
        mutating get { sqrt(-2 * log(1 - unit)) * cos(2 * .pi * unit) }
    }
}
