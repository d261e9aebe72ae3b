// Sketch.swift — how values are distributed, in buckets whose width is a fixed part of their values. Mergeable.
// Next: Percentile.swift.

internal import CMetrics
internal import Glibc

/// How values are distributed: counts in buckets that grow by a constant factor.
///
/// With a scale *s*, bucket *i* counts the values in (2^(i·2^-s), 2^((i+1)·2^-s)]: the buckets of Prometheus' native
/// and
/// OpenTelemetry's exponential histograms (https://opentelemetry.io/docs/specs/otel/metrics/data-model, "Exponential
/// Scale"). At ``finestScale`` a percentile is at most 0.542 % off. Two sketches add up without loss of anything
/// but, if their scales differ, the finer scale.
public struct Sketch: Sendable, Hashable {
    /// Buckets of one power of two, as a power of two: 64.
    public static let finestScale = 6
    /// Here a bucket spans 1,024 powers of two.
    public static let coarsestScale = -10

    /// Values in one bucket.
    public struct Bucket: Sendable, Hashable {
        /// Which bucket; see ``Sketch``.
        public var index: Int32
        /// How many values, never 0.
        public var count: UInt64

        /// A bucket with values.
        public init(index: Int32, count: UInt64) {
            (self.index, self.count) = (index, count)
        }
    }

    /// How fine the buckets are: 2^scale of them for each power of two.
    public private(set) var scale: Int
    /// Values above zero, by rising index.
    public private(set) var positive: [Bucket]
    /// Values below zero, by the rising index of their magnitude.
    public private(set) var negative: [Bucket]
    /// Values that are zero, or as near to it as no normal number of type `Double` is: at most 2^-1022.
    public private(set) var zeros: UInt64

    /// A sketch of buckets that were counted elsewhere, by rising index and without empty ones.
    package init(
        scale: Int = Self.finestScale, positive: [Bucket] = [], negative: [Bucket] = [],
        zeros: UInt64 = 0
    ) {
        (self.scale, self.positive, self.negative, self.zeros) = (scale, positive, negative, zeros)
    }

    /// An empty sketch at the finest scale.
    public init() { self.init(scale: Self.finestScale) }

    /// How many values it has.
    public var count: UInt64 {
        positive.reduce(0) { $0 &+ $1.count } &+ negative.reduce(0) { $0 &+ $1.count } &+ zeros
    }

    /// How far a percentile may be from the true value, as a part of it: 0.00542 at scale 6. For the boundaries' growth
    /// *g* it is (g - 1)/(g + 1) (DDSketch, https://arxiv.org/abs/1908.10693, §2.1).
    public var relativeError: Double {
        let growth = exp2(exp2(-Double(scale)))
        return growth.isFinite ? (growth - 1) / (growth + 1) : 1
    }

    // MARK: - One by one

    /// Counts a value. NaN and the infinities are in no bucket, and not counted.
    public mutating func record(_ value: Double) {
        guard value.isFinite else { return }
        guard value.magnitude > .leastNormalMagnitude else {
            zeros &+= 1
            return
        }
        let index = Self.index(of: value.magnitude, scale)
        if value > 0 {
            Self.count(index, in: &positive)
        } else {
            Self.count(index, in: &negative)
        }
    }

    private static func count(_ index: Int32, in buckets: inout [Bucket]) {
        var (low, high) = (0, buckets.count)
        while low < high {
            let middle = (low + high) / 2
            if buckets[middle].index < index { low = middle + 1 } else { high = middle }
        }
        if low < buckets.count, buckets[low].index == index {
            buckets[low].count &+= 1
        } else {
            buckets.insert(Bucket(index: index, count: 1), at: low)
        }
    }

    /// The bucket of a finite magnitude above 2^-1022.
    private static func index(of magnitude: Double, _ scale: Int) -> Int32 {
        cmetrics_bucket(magnitude.bitPattern) >> (finestScale - scale)
    }

    /// The buckets that there can be.
    var indexes: ClosedRange<Int32> {
        Self.index(
            of: .leastNormalMagnitude.nextUp, scale)...Self.index(
                of: .greatestFiniteMagnitude, scale)
    }

    // MARK: - Together

    /// Adds the values of another sketch.
    public mutating func merge(_ other: Sketch) {
        let scale = min(scale, other.scale)
        coarsen(to: scale)
        var other = other
        other.coarsen(to: scale)
        positive = Self.combine(positive, other.positive, &+)
        negative = Self.combine(negative, other.negative, &+)
        zeros &+= other.zeros
    }

    /// What came since `earlier`, which was this sketch at some time before.
    public func since(_ earlier: Sketch) -> Sketch {
        var (now, then) = (self, earlier)
        let scale = min(scale, earlier.scale)
        now.coarsen(to: scale)
        then.coarsen(to: scale)
        func difference(_ left: UInt64, _ right: UInt64) -> UInt64 {
            left > right ? left - right : 0
        }
        return Sketch(
            scale: scale, positive: Self.combine(now.positive, then.positive, difference),
            negative: Self.combine(now.negative, then.negative, difference),
            zeros: difference(now.zeros, then.zeros))
    }

    /// Joins neighboring buckets until the scale is at most `scale`.
    public mutating func coarsen(to scale: Int) {
        let steps = self.scale - max(scale, Self.coarsestScale)
        guard steps > 0 else { return }
        self.scale -= steps
        positive = Self.joined(positive, by: steps)
        negative = Self.joined(negative, by: steps)
    }

    private static func joined(_ buckets: [Bucket], by steps: Int) -> [Bucket] {
        var joined: [Bucket] = []
        for bucket in buckets {
            let index = bucket.index >> steps
            if joined.last?.index == index {
                joined[joined.count - 1].count &+= bucket.count
            } else {
                joined.append(Bucket(index: index, count: bucket.count))
            }
        }
        return joined
    }

    private static func combine(
        _ left: [Bucket], _ right: [Bucket], _ operation: (UInt64, UInt64) -> UInt64
    ) -> [Bucket] {
        var result: [Bucket] = []
        result.reserveCapacity(max(left.count, right.count))
        var (here, there) = (0, 0)
        while here < left.count || there < right.count {
            let index = min(
                here < left.count ? left[here].index : .max,
                there < right.count ? right[there].index : .max)
            var (first, second): (UInt64, UInt64) = (0, 0)
            if here < left.count, left[here].index == index {
                first = left[here].count
                here += 1
            }
            if there < right.count, right[there].index == index {
                second = right[there].count
                there += 1
            }
            let count = operation(first, second)
            if count > 0 { result.append(Bucket(index: index, count: count)) }
        }
        return result
    }

    // MARK: - Bounds

    /// The upper bound of a bucket, which is in it; the lower bound of the next, which is not in that.
    public func upperBound(_ index: Int32) -> Double {
        let bound = Self.power(Int64(index) + 1, scale)
        guard scale > 0, bound.isNormal, bound > .leastNormalMagnitude else { return bound }
        // exp2(3) is not always rounded down; which bucket a value is in is decided by whole numbers.
        if Self.index(of: bound, scale) > index { return bound.nextDown }
        let next = bound.nextUp
        return next.isFinite && Self.index(of: next, scale) <= index ? next : bound
    }

    /// 2^(numerator / 2^scale): exact where that is a whole power.
    private static func power(_ numerator: Int64, _ scale: Int) -> Double {
        guard scale > 0 else { return scalbn(1, Int32(clamping: numerator << Int64(-scale))) }
        let (whole, part) = (numerator >> Int64(scale), numerator & ((1 << Int64(scale)) - 1))
        return scalbn(exp2(Double(part) / Double(1 << scale)), Int32(clamping: whole))
    }

    /// The buckets from the least to the greatest value, each with the bounds of its values.
    func ascending() -> [(lower: Double, upper: Double, count: UInt64)] {
        var all: [(lower: Double, upper: Double, count: UInt64)] = []
        all.reserveCapacity(positive.count + negative.count + 1)
        for bucket in negative.reversed() {
            all.append((-upperBound(bucket.index), -upperBound(bucket.index - 1), bucket.count))
        }
        if zeros > 0 { all.append((0, 0, zeros)) }
        for bucket in positive {
            all.append((upperBound(bucket.index - 1), upperBound(bucket.index), bucket.count))
        }
        return all
    }
}
