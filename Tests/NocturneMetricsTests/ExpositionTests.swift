// ExpositionTests.swift — the text formats line by line, against their specifications. Next:
// ExportRoundTripTests.swift.

import NocturneCore
import Testing

@testable import NocturneMetrics

@Suite struct ExpositionTests {
    private static let time = UnixTime(milliseconds: 1_700_000_000_123)

    private func snapshot(
        _ name: String, _ kind: MetricKind, unit: String? = nil, help: String = "Help.",
        _ values: (Labels, SeriesValue)...
    ) -> MetricSnapshot {
        MetricSnapshot(
            name: name, kind: kind, help: help, unit: unit,
            series: values.map { labels, value in
                SeriesSnapshot(
                    identity: SeriesIdentity(labels: labels), created: Self.time, value: value)
            })
    }

    private func lines(_ snapshots: MetricSnapshot..., as format: ExportFormat) -> [String] {
        let bytes = Exposition.render(snapshots, as: format, at: Self.time)
        return String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    @Test func `a counter is declared with _total in one format and without in the other`() {
        let requests = snapshot(
            "api.requests", .counter, (["method": "GET"], .amount(Amount(whole: 5))))
        #expect(
            lines(requests, as: .prometheus) == [
                "# HELP api_requests_total Help.", "# TYPE api_requests_total counter",
                #"api_requests_total{method="GET"} 5"#,
            ])
        #expect(
            lines(requests, as: .openMetrics) == [
                "# HELP api_requests Help.", "# TYPE api_requests counter",
                #"api_requests_total{method="GET"} 5"#,
                #"api_requests_created{method="GET"} 1700000000.123"#, "# EOF",
            ])
    }

    @Test(arguments: ["api.total", "api_total"])
    func `_total is not written twice`(name: String) {
        let text = lines(snapshot(name, .counter, ([:], .amount(Amount()))), as: .openMetrics)
        #expect(text[1...2] == ["# TYPE api counter", "api_total 0"])
    }

    @Test func `a counter keeps each digit, an up-down counter is a gauge`() {
        let text = lines(
            snapshot("a", .counter, ([:], .amount(Amount(whole: .max)))),
            snapshot("b", .upDownCounter, ([:], .amount(Amount(whole: .min)))),
            snapshot("c", .upDownCounter, ([:], .amount(Amount(whole: -2, fraction: 0.5)))),
            as: .prometheus)
        #expect(text[2] == "a_total 9223372036854775807")
        #expect(text[4...5] == ["# TYPE b gauge", "b -9223372036854775808"])
        #expect(text[8] == "c -1.5")
    }

    @Test func `families are in the order of their names there, whatever their order was`() {
        let level = SeriesValue.level(0)
        let text = lines(
            snapshot("a.z", .gauge, ([:], level)), snapshot("b", .gauge, ([:], level)),
            snapshot("a/b", .gauge, ([:], level)), as: .prometheus)
        #expect(text.filter { !$0.hasPrefix("#") } == ["a_b 0", "a_z 0", "b 0"])
    }

    @Test func `numbers are written as Go and Python write and read them`() {
        let values: [(Double, String)] = [
            (.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (-0.0, "-0"), (3, "3"),
            (0.1, "0.1"), (1e16, "1e+16"), (.leastNonzeroMagnitude, "5e-324"),
            (-2.5e-7, "-2.5e-07"),
        ]
        for (value, text) in values {
            #expect(
                lines(snapshot("a", .gauge, ([:], .level(value))), as: .prometheus)[2]
                    == "a \(text)")
        }
    }

    @Test func `bounds are canonical numbers`() {
        // The examples of OpenMetrics 1.0, "Canonical Numbers", and Go's `%g` of others.
        let texts: [(Double, String)] = [
            (0, "0.0"), (0.001, "0.001"), (0.002, "0.002"), (0.01, "0.01"), (0.1, "0.1"),
            (0.9, "0.9"), (0.95, "0.95"), (0.99, "0.99"), (0.999, "0.999"), (1, "1.0"),
            (1.7, "1.7"), (10, "10.0"), (1e-10, "1e-10"), (1e-9, "1e-09"), (1e-5, "1e-05"),
            (1e-4, "0.0001"), (100_000, "100000.0"), (1e6, "1e+06"), (1e10, "1e+10"),
            (123_456.75, "123456.75"), (1_048_576, "1.048576e+06"), (-2.5, "-2.5"),
            (1e100, "1e+100"), (.leastNonzeroMagnitude, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (0.00012345, "0.00012345"), (.infinity, "+Inf"),
        ]
        for (number, expected) in texts {
            var text = TextWriter()
            text.append(canonical: number)
            #expect(String(decoding: text.bytes, as: UTF8.self) == expected)
        }
    }

    @Test func `what could end a label or a line is escaped`() {
        let nasty = snapshot(
            "a", .gauge, help: "one \\ \"two\"\nthree", (["x": "q\"b\\n\nr\r0\0😀"], .level(1)))
        let sample = #"a{x="q\"b\\n\nr"# + "\r0\0😀\"} 1"
        #expect(
            lines(nasty, as: .prometheus) == [
                #"# HELP a one \\ "two"\nthree"#, "# TYPE a gauge", sample,
            ])
        #expect(
            lines(nasty, as: .openMetrics) == [
                #"# HELP a one \\ \"two\"\nthree"#, "# TYPE a gauge", sample, "# EOF",
            ])
    }

    @Test func `a unit is told where the name ends in it`() {
        func unit(_ name: String, _ unit: String, _ kind: MetricKind = .gauge) -> [String] {
            lines(snapshot(name, kind, unit: unit), as: .openMetrics).filter {
                $0.hasPrefix("# UNIT")
            }
        }
        #expect(
            unit("http.duration.seconds", "seconds") == ["# UNIT http_duration_seconds seconds"])
        #expect(unit("sent.bytes.total", "bytes", .counter) == ["# UNIT sent_bytes bytes"])
        #expect(unit("http.duration", "seconds") == [])
        #expect(unit("seconds", "seconds") == [])
        #expect(unit("a_", "") == [])
    }

    // MARK: - Distributions

    /// The values in buckets, found by definition: the one whose upper bound is the first not below it.
    private static func sketch(_ values: [Double], scale: Int = 6) -> Sketch {
        func buckets(_ values: [Double]) -> [Sketch.Bucket] {
            var counts: [Int32: UInt64] = [:]
            let probe = Sketch(scale: scale)
            for value in values {
                var (low, high) = (Int32(-80_000), Int32(80_000))
                while low < high {
                    let middle = (low + high) >> 1
                    if probe.upperBound(middle) < value { low = middle + 1 } else { high = middle }
                }
                counts[low, default: 0] += 1
            }
            return counts.sorted { $0.key < $1.key }.map { .init(index: $0.key, count: $0.value) }
        }
        return Sketch(
            scale: scale, positive: buckets(values.filter { $0 > 0 }),
            negative: buckets(values.filter { $0 < 0 }.map { -$0 }),
            zeros: UInt64(values.filter { $0 == 0 }.count))
    }

    private static func distribution(_ values: [Double], scale: Int = 6) -> Distribution {
        Distribution(
            count: UInt64(values.count), sum: values.reduce(0, +),
            range: values.min().flatMap { least in values.max().map { least...$0 } },
            sketch: sketch(values, scale: scale))
    }

    @Test func `declared bounds are cumulative, and the last bucket is the count`() {
        let histogram = Distribution(
            count: 6, sum: 9.5, bounds: [0.5, 1, 10], boundCounts: [1, 2, 0, 3])
        #expect(
            lines(
                snapshot("h", .histogram, (["a": "b"], .distribution(histogram))), as: .openMetrics
            ) == [
                "# HELP h Help.", "# TYPE h histogram", #"h_bucket{a="b",le="0.5"} 1"#,
                #"h_bucket{a="b",le="1.0"} 3"#, #"h_bucket{a="b",le="10.0"} 3"#,
                #"h_bucket{a="b",le="+Inf"} 6"#, #"h_sum{a="b"} 9.5"#, #"h_count{a="b"} 6"#,
                #"h_created{a="b"} 1700000000.123"#, "# EOF",
            ])
    }

    @Test func `without bounds a sketch has powers of two, and counts at them are exact`() {
        let values = [0.75, 1, 1.0000001, 2, 3, 100]
        let text = lines(
            snapshot("h", .histogram, ([:], .distribution(Self.distribution(values)))),
            as: .prometheus)
        #expect(
            text[2...] == [
                #"h_bucket{le="0.5"} 0"#, #"h_bucket{le="1.0"} 2"#, #"h_bucket{le="2.0"} 4"#,
                #"h_bucket{le="4.0"} 5"#, #"h_bucket{le="64.0"} 5"#, #"h_bucket{le="128.0"} 6"#,
                #"h_bucket{le="+Inf"} 6"#, "h_sum 107.7500001", "h_count 6",
            ])
    }

    @Test(arguments: [6, 3, 0, -2, -10])
    func `each bucket has as many values as are at most its bound`(scale: Int) {
        var random = SplitMix(seed: 7)
        var values = (0..<300).map { _ in
            let magnitude = Double(
                sign: .plus, exponent: Int.random(in: -30...30, using: &random), significand: 1.25)
            return magnitude * [-1, 0, 1, 0.8][Int.random(in: 0..<4, using: &random)]
        }
        values += [
            -1, -2, -4, 1, 2, 4, 0, .leastNonzeroMagnitude, .leastNormalMagnitude,
            .greatestFiniteMagnitude,
        ]
        // As near to zero as that is zero to a sketch.
        let seen = values.map { abs($0) <= .leastNormalMagnitude ? 0 : $0 }
        let buckets = HistogramBuckets(Self.distribution(seen, scale: scale))
        #expect(buckets.total == UInt64(values.count))
        #expect(buckets.finite.count > 1)
        for (bound, count) in buckets.finite {
            #expect(count == UInt64(seen.count { $0 <= bound }), "at most \(bound)")
        }
        #expect(zip(buckets.finite, buckets.finite.dropFirst()).allSatisfy { $0.bound < $1.bound })
    }

    @Test func `values over the whole range of numbers do not make thousands of lines`() {
        let values = (-1_021...1_023).map { Double(sign: .plus, exponent: $0, significand: 1) }
        let buckets = HistogramBuckets(Self.distribution(values + values.map { -$0 }))
        #expect((64...HistogramBuckets.limit).contains(buckets.finite.count))
        for (bound, count) in buckets.finite {
            #expect(count == UInt64((values + values.map { -$0 }).count { $0 <= bound }))
        }
    }

    @Test func `a bound that was exported stays while values come`() {
        var random = SplitMix(seed: 3)
        var values: [Double] = []
        var known: Set<Double> = []
        for _ in 0..<200 {
            values.append(Double.random(in: -1e6...1e6, using: &random))
            let bounds = Set(HistogramBuckets(Self.distribution(values)).finite.map(\.bound))
            #expect(known.isSubset(of: bounds))
            known = bounds
        }
    }

    @Test func `without sketch and bounds there is only infinity`() {
        let text = lines(
            snapshot("h", .histogram, ([:], .distribution(Distribution(count: 2, sum: 3)))),
            as: .prometheus)
        #expect(text[2...] == [#"h_bucket{le="+Inf"} 2"#, "h_sum 3", "h_count 2"])
    }

    @Test func `OpenMetrics has no sums that may fall, and no count without a sum`() {
        let negative = snapshot(
            "h", .histogram, ([:], .distribution(Self.distribution([-1.5, 8]))))
        #expect(lines(negative, as: .prometheus).contains("h_sum 6.5"))
        let text = lines(negative, as: .openMetrics)
        #expect(!text.contains { $0.hasPrefix("h_sum") || $0.hasPrefix("h_count") })
        #expect(text.contains(#"h_bucket{le="+Inf"} 2"#))
    }

    @Test
    func `OpenMetrics has no sum where there are values below zero, and no quantile below zero`() {
        let below = Distribution(
            count: 2, sum: 1, range: -1...2, bounds: [1], boundCounts: [1, 1])
        let histogram = lines(
            snapshot("h", .histogram, ([:], .distribution(below))), as: .openMetrics)
        #expect(!histogram.contains { $0.hasPrefix("h_sum") || $0.hasPrefix("h_count") })
        var summary = Self.distribution([-2, 4])
        summary.window = summary.sketch
        let metric = snapshot("s", .summary, ([:], .distribution(summary)))
        #expect(
            lines(metric, as: .openMetrics)[2...6].map { $0.split(separator: " ")[0] } == [
                #"s{quantile="0.9"}"#, #"s{quantile="0.95"}"#, #"s{quantile="0.99"}"#,
                #"s{quantile="0.999"}"#, "s_count",
            ])
        #expect(lines(metric, as: .prometheus)[2].hasPrefix(#"s{quantile="0.5"} -"#))
        #expect(lines(metric, as: .prometheus).contains("s_sum 2"))
    }

    @Test func `a summary has the quantiles of its window, and NaN when that is empty`() {
        var full = Self.distribution([1, 1, 1])
        full.window = full.sketch
        var empty = full
        empty.window = Sketch()
        let text = lines(
            snapshot(
                "s", .summary, (["w": "empty"], .distribution(empty)),
                (["w": "full"], .distribution(full))),
            as: .openMetrics)
        let quantiles = ["0.5", "0.9", "0.95", "0.99", "0.999"]
        #expect(
            text[2...]
                == (quantiles.map { #"s{w="empty",quantile="\#($0)"} NaN"# }
                + [#"s_sum{w="empty"} 3"#, #"s_count{w="empty"} 3"#]
                + [#"s_created{w="empty"} 1700000000.123"#]
                + quantiles.map { #"s{w="full",quantile="\#($0)"} 1"# }
                + [#"s_sum{w="full"} 3"#, #"s_count{w="full"} 3"#]
                + [#"s_created{w="full"} 1700000000.123"#, "# EOF"])[...])
    }

    @Test func `without percentiles a summary has sum and count`() {
        let text = lines(
            snapshot("s", .summary, ([:], .distribution(Distribution(count: 2, sum: 3)))),
            as: .prometheus)
        #expect(text[2...] == ["s_sum 3", "s_count 2"])
    }

    @Test func `nothing is nothing, and in OpenMetrics its end`() {
        #expect(lines(as: .prometheus) == [])
        #expect(lines(as: .openMetrics) == ["# EOF"])
    }
}

/// Random numbers that are the same with each run (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators").
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
