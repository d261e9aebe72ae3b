// RandomSnapshots.swift — metrics with everything that a registry lets through, however unlikely. Next:
// TextFormatReader.swift.

import NocturneCore

@testable import NocturneMetrics

/// Metrics with all kinds of names, labels and values; the same for the same seed.
struct RandomSnapshots {
    private var random: SplitMix

    init(seed: UInt64) { random = SplitMix(seed: seed) }

    /// Metrics whose names do not clash, by rising names.
    mutating func make(_ count: Int) -> [MetricSnapshot] {
        let all = (0..<count).map { metric($0) }
        return all.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    private mutating func metric(_ number: Int) -> MetricSnapshot {
        let kind = one(of: MetricKind.allCases)
        let end = one(of: [
            "", ".total", "_total", ".count", "_bucket", ".sum", ".info", ".created", "-ms",
        ])
        let unit = one(of: [nil, "seconds", "By/s", "=1+1", "a \"unit\", ü\n"])
        var name = text(of: "abcXYZ019._:/-", 0...12)
        name = one(of: ["m", "_", "M.x"]) + "\(number)_" + name + end
        if unit == "seconds", one(of: [true, false]) { name += ".seconds" }
        var identities: Set<Labels> = []
        for _ in 0..<Int.random(in: 0...6, using: &random) { identities.insert(labels()) }
        let sorted = identities.map { SeriesIdentity(labels: $0) }.sorted {
            $0.labelText.lexicographicallyPrecedes($1.labelText)
        }
        return MetricSnapshot(
            name: name, kind: kind, help: "Help" + text(of: Self.nasty, 0...20), unit: unit,
            series: sorted.map { identity in
                SeriesSnapshot(
                    identity: identity,
                    created: UnixTime(
                        milliseconds: Int64.random(in: 0...4_000_000_000_000, using: &random)),
                    value: value(of: kind))
            })
    }

    private static let nasty =
        "a\"\\\n\r\t\0\u{1}\u{7F}{}=,;#' \u{E9}e\u{301}\u{1F600}\u{FEFF}\u{2028}\u{FFFF}\u{10FFFF}"

    private mutating func labels() -> Labels {
        let names = ["method", "a.b", "Z-9", "_x", "job", "instance", "path"].shuffled(
            using: &random)
        let count = Int.random(in: 0...4, using: &random)
        return Labels(names.prefix(count).map { ($0, text(of: Self.nasty, 0...10)) })
    }

    private mutating func value(of kind: MetricKind) -> SeriesValue {
        switch kind {
        case .counter:
            .amount(
                Amount(
                    whole: Int64.random(in: 0...(.max), using: &random),
                    fraction: one(of: [0, 0.1, 1e300, .infinity])))
        case .upDownCounter:
            .amount(
                Amount(
                    whole: Int64.random(in: .min...(.max), using: &random),
                    fraction: one(of: [0, -0.5, -1e300, 5])))
        case .gauge: .level(number())
        case .histogram, .summary: .distribution(distribution(kind))
        }
    }

    private mutating func number() -> Double {
        let specials: [Double] = [
            0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, 0.1, 1e22, -123_456.789,
            9_007_199_254_740_994, .greatestFiniteMagnitude,
        ]
        return one(of: [
            one(of: specials), Double(bitPattern: random.next()),
            Double.random(in: -1...1, using: &random),
        ])
    }

    private mutating func distribution(_ kind: MetricKind) -> Distribution {
        let mayBeNegative = one(of: [true, false, false])
        let scale = one(of: [6, 6, 4, 0, -3])
        let (all, isEmpty) = (sketch(scale, mayBeNegative), one(of: [true, false, false, false]))
        let sketch = isEmpty ? Sketch(scale: scale) : all
        let hasSketch = one(of: [true, true, false])
        var bounds: [Double] = []
        if kind == .histogram, one(of: [true, false]) {
            bounds = Set(
                (0..<5).map { _ in
                    Double.random(in: (mayBeNegative ? -9 : 0.001)...9, using: &random)
                }
            )
            .sorted()
        }
        // One bound more than counts, which must add up to the sketch's.
        var counts = bounds.isEmpty ? [] : [UInt64](repeating: 0, count: bounds.count + 1)
        if !counts.isEmpty {
            counts[Int.random(in: 0..<counts.count, using: &random)] = sketch.count
        }
        let range: ClosedRange<Double>? =
            sketch.count == 0 ? nil : (mayBeNegative ? -1e9 : 0)...1e300
        return Distribution(
            count: sketch.count,
            sum: sketch.count == 0 ? 0 : (mayBeNegative ? number() : one(of: [7.25, 1e300])),
            range: range, sketch: hasSketch ? sketch : nil,
            window: kind == .summary && hasSketch ? one(of: [sketch, Sketch()]) : nil,
            bounds: bounds, boundCounts: counts)
    }

    private mutating func sketch(_ scale: Int, _ mayBeNegative: Bool) -> Sketch {
        let width = one(of: [3, 300, 1_000]) * 64
        let (low, high) = (-width >> (6 - scale), (width >> (6 - scale)) - 1)
        func buckets(_ random: inout SplitMix) -> [Sketch.Bucket] {
            let indices = Set(
                (0..<20).map { _ in Int32(Int.random(in: low...max(low, high), using: &random)) })
            return indices.sorted().map {
                .init(index: $0, count: UInt64.random(in: 1...9_999, using: &random))
            }
        }
        return Sketch(
            scale: scale, positive: buckets(&random),
            negative: mayBeNegative ? buckets(&random) : [],
            zeros: UInt64.random(in: 0...2, using: &random))
    }

    private mutating func one<Value>(of values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &random)]
    }

    private mutating func text(of scalars: String, _ count: ClosedRange<Int>) -> String {
        let scalars = Array(scalars.unicodeScalars)
        var text = ""
        for _ in 0..<Int.random(in: count, using: &random) {
            text.unicodeScalars.append(one(of: scalars))
        }
        return text
    }
}
