// HistogramBuckets.swift — the cumulative buckets that the text formats know, from declared bounds or from a sketch.
// Next: PrometheusText.swift.

internal import Glibc

/// How many values are at most a bound, for rising bounds.
struct HistogramBuckets {
    /// A bound, and how many values are not above it.
    typealias Bucket = (bound: Double, count: UInt64)

    /// Bounds that a sketch is told by, each of which is a series to a Prometheus server. 42 powers of two reach from a
    /// nanosecond to half an hour.
    static let limit = 128

    /// By rising bounds, all finite.
    private(set) var finite: [Bucket] = []
    /// All values: what is at most infinity.
    private(set) var total: UInt64 = 0

    /// The declared bounds, or else what the sketch has, or else nothing but the total.
    init(_ distribution: Distribution) {
        if !distribution.bounds.isEmpty {
            finite.reserveCapacity(distribution.bounds.count)
            for (index, count) in distribution.boundCounts.enumerated() {
                total &+= count
                if index < distribution.bounds.count {
                    finite.append((distribution.bounds[index], total))
                }
            }
        } else if let sketch = distribution.sketch {
            fill(from: sketch)
        } else {
            total = distribution.count
        }
    }

    /// Both bounds of each power of two that has values: counts at them are exact, and because values stay, so do
    /// bounds. Where that would be more bounds than ``limit``, spans of 2, 4, 8… powers of two are taken instead.
    private mutating func fill(from sketch: Sketch) {
        var width = max(0, -sketch.scale)
        repeat {
            (finite, total) = ([], 0)
            add(sketch, width: width)
            width += 1
        } while finite.count > Self.limit
    }

    /// Takes spans of 2^width powers of two; a bucket of the sketch is never wider.
    private mutating func add(_ sketch: Sketch, width: Int) {
        let shift = Int64(sketch.scale + width)
        var last: Int64?
        for bucket in sketch.negative.reversed() {
            // Of magnitudes the upper bound is in a bucket, so -2 is not in the one that ends at -2, and what is
            // at most -2 is not known. What is at most the next number below -2 is.
            let span = Int64(bucket.index) >> shift
            if span != last {
                if let last { append(-Self.power(last, width).nextUp) }
                append(-Self.power(span + 1, width).nextUp)
                last = span
            }
            total &+= bucket.count
        }
        if let last { append(-Self.power(last, width).nextUp) }
        if sketch.zeros > 0 {
            total &+= sketch.zeros
            append(0)
        }
        last = nil
        for bucket in sketch.positive {
            let span = Int64(bucket.index) >> shift
            if span != last {
                if let last { append(Self.power(last + 1, width)) }
                append(Self.power(span, width))
                last = span
            }
            total &+= bucket.count
        }
        if let last { append(Self.power(last + 1, width)) }
    }

    /// A bound with all values until now. Where a span begins at which another one ended, it is there already.
    private mutating func append(_ bound: Double) {
        guard bound.isFinite, finite.last?.bound != bound else { return }
        finite.append((bound, total))
    }

    /// 2^(span·2^width).
    private static func power(_ span: Int64, _ width: Int) -> Double {
        scalbn(1, Int32(clamping: span << Int64(width)))
    }
}
