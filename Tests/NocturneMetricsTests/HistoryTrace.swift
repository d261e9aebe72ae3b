// HistoryTrace.swift — metrics by hand and by chance, for tests of the history. Next: HistoryTests.swift.

import NocturneCore

@testable import NocturneMetrics

/// Random numbers that are the same in each run (SplitMix64, https://prng.di.unimi.it/splitmix64.c).
struct Chance: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension UnixTime {
    /// So many seconds after a moment at which an hour begins.
    static func test(_ seconds: Double) -> UnixTime {
        UnixTime(milliseconds: 1_800_000_000_000 + Int64(seconds * 1_000))
    }
}

/// A metric by hand. Snapshots of a series share its identity, as the registry's do.
struct HandMetric {
    let name: String
    let kind: MetricKind
    var identities: [SeriesIdentity]
    var created = UnixTime.test(0)

    init(_ name: String, _ kind: MetricKind, labels: [Labels] = [[:]]) {
        (self.name, self.kind) = (name, kind)
        identities = labels.map(SeriesIdentity.init)
    }

    /// The metric with a value for each series; `nil` for one that is not there.
    func snapshot(_ values: [SeriesValue?]) -> MetricSnapshot {
        let series = zip(identities, values).compactMap { identity, value in
            value.map { SeriesSnapshot(identity: identity, created: created, value: $0) }
        }
        return MetricSnapshot(name: name, kind: kind, help: "Help.", unit: nil, series: series)
    }

    func snapshot(_ value: Double) -> MetricSnapshot {
        snapshot([kind == .gauge ? .level(value) : .amount(Amount(fraction: value))])
    }
}

extension Sketch {
    /// A sketch of values above zero, each in the bucket whose bounds it is in, found by trying.
    static func ofPositive(_ values: [Double]) -> Sketch {
        var counts: [Int32: UInt64] = [:]
        let empty = Sketch()
        for value in values {
            var index = Int32((logarithm2(value) * 64).rounded(.up)) - 1
            while empty.upperBound(index) < value { index += 1 }
            while empty.upperBound(index - 1) >= value { index -= 1 }
            counts[index, default: 0] += 1
        }
        let buckets = counts.sorted { $0.key < $1.key }
        return Sketch(
            scale: Sketch.finestScale,
            positive: buckets.map { Bucket(index: $0.key, count: $0.value) })
    }

    private static func logarithm2(_ value: Double) -> Double {
        Double(value.exponent) + (value.significand - 1)
    }
}

extension Distribution {
    /// What values come to.
    static func of(_ values: [Double]) -> Distribution {
        Distribution(
            count: UInt64(values.count), sum: values.reduce(0, +),
            range: values.min().flatMap { least in values.max().map { least...$0 } },
            sketch: .ofPositive(values))
    }
}
