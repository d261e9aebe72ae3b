// Percentile.swift — a percentile with the bounds of its error. Next: Snapshot.swift.

/// A percentile, and between which values the true one lies.
public struct Percentile: Sendable, Hashable {
    /// The estimate: in the worst case as far, relatively, from one end of ``bounds`` as from the other.
    public let value: Double
    /// Where the true value is.
    public let bounds: ClosedRange<Double>

    /// A percentile that is known exactly.
    init(exact value: Double) { (self.value, bounds) = (value, value...value) }

    /// Between two values of the same sign, the one that is relatively as far from both: their harmonic mean.
    init(between lower: Double, and upper: Double) {
        bounds = lower...upper
        value = lower == upper ? lower : 2 / (1 / lower + 1 / upper)
    }
}

extension Sketch {
    /// The value that a part of all values does not exceed, by nearest rank: of n values in rising order, number
    /// ⌈part·n⌉ (and number 1 for 0).
    ///
    /// - Parameters:
    ///   - part: from 0 to 1; 0.99 is the 99th percentile.
    ///   - range: what all values are known to lie in, which narrows the bounds.
    /// - Returns: `nil` if there are no values, or `part` is no part.
    public func percentile(_ part: Double, in range: ClosedRange<Double>? = nil) -> Percentile? {
        let count = count
        guard (0...1).contains(part), count > 0 else { return nil }
        // Near 2^64 a `Double` is 2^64, which is no rank.
        let rank = min(max(UInt64(exactly: (part * Double(count)).rounded(.up)) ?? count, 1), count)
        var passed: UInt64 = 0
        for bucket in ascending() {
            passed &+= bucket.count
            guard passed >= rank else { continue }
            var (lower, upper) = (bucket.lower, bucket.upper)
            if let range, range.lowerBound <= upper, range.upperBound >= lower {
                (lower, upper) = (max(lower, range.lowerBound), min(upper, range.upperBound))
            }
            guard lower != 0, upper.isFinite else {
                return Percentile(exact: lower == 0 ? 0 : lower)
            }
            return Percentile(between: lower, and: upper)
        }
        return nil
    }
}
