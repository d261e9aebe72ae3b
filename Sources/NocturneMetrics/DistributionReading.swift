// DistributionReading.swift — distributions as C counts them, as values, and back. Next: Registry.swift.

internal import CMetrics

/// Distributions as they are at one moment: each as it was between two records.
enum DistributionReading {
    /// Reads some series of one family or of several.
    static func read(_ series: [Series]) -> [Distribution] {
        let slots = series.map(\.slot)
        return withUnsafeTemporaryAllocation(of: cmetrics_reading_t.self, capacity: slots.count) {
            readings in
            cmetrics_read(slots, slots.count, readings.baseAddress)
            defer { for index in slots.indices { cmetrics_end_reading(&readings[index]) } }
            return zip(readings, series).map { distribution($0, $1.family) }
        }
    }

    private static func distribution(
        _ reading: cmetrics_reading_t, _ family: FamilyTag
    ) -> Distribution {
        let boundCounts = reading.bound_counts.map {
            Array(UnsafeBufferPointer(start: $0, count: family.bounds.count + 1))
        }
        let sketch = Sketch(
            scale: Int(reading.scale), positive: buckets(reading.positive, reading.positive_count),
            negative: buckets(reading.negative, reading.negative_count), zeros: reading.zeros)
        return Distribution(
            count: reading.count, sum: reading.sum,
            // Values that were counted elsewhere may have come without a range and without buckets.
            range: reading.least <= reading.greatest ? reading.least...reading.greatest : nil,
            sketch: family.hasSketch ? sketch : nil, bounds: family.bounds,
            boundCounts: boundCounts ?? [])
    }

    private static func buckets(
        _ buckets: UnsafeMutablePointer<cmetrics_bucket_count_t>?, _ count: UInt32
    ) -> [Sketch.Bucket] {
        UnsafeBufferPointer(start: buckets, count: Int(count)).map {
            Sketch.Bucket(index: $0.index, count: $0.count)
        }
    }

    /// Only buckets that a finite number of type `Double` can be in.
    private static func buckets(
        _ buckets: [Sketch.Bucket], _ sketch: Sketch
    ) -> [cmetrics_bucket_count_t] {
        let indexes = sketch.indexes
        return buckets.compactMap {
            guard indexes.contains($0.index) else { return nil }
            return cmetrics_bucket_count_t(index: $0.index, count: $0.count)
        }
    }

    /// Adds values that were counted elsewhere.
    static func merge(_ other: Distribution, into series: Series) {
        // A sum may come without its values, from somebody who counts the one after the other.
        guard other.sum.isFinite, other.count > 0 || other.sum != 0 else { return }
        let sketch = other.sketch ?? Sketch()
        let (least, greatest) = sketch.extremes(within: other.range)
        var (positive, negative) = (
            buckets(sketch.positive, sketch), buckets(sketch.negative, sketch)
        )
        var boundCounts = other.bounds == series.family.bounds ? other.boundCounts : []
        positive.withUnsafeMutableBufferPointer { positive in
            negative.withUnsafeMutableBufferPointer { negative in
                boundCounts.withUnsafeMutableBufferPointer { boundCounts in
                    var reading = cmetrics_reading_t(
                        count: other.count, zeros: sketch.zeros, sum: other.sum,
                        least: least, greatest: greatest,
                        scale: Int32(sketch.scale), positive_count: UInt32(positive.count),
                        negative_count: UInt32(negative.count), positive: positive.baseAddress,
                        negative: negative.baseAddress,
                        bound_counts: boundCounts.isEmpty ? nil : boundCounts.baseAddress)
                    cmetrics_merge(series.slot, &reading)
                }
            }
        }
    }
}

extension Sketch {
    /// Bounds of the least and the greatest value, as near as they are known; the infinities the other way round if
    /// there are none.
    fileprivate func extremes(within range: ClosedRange<Double>?) -> (Double, Double) {
        if let range { return (range.lowerBound, range.upperBound) }
        let buckets = ascending()
        return (
            buckets.first.map { max($0.lower, -.greatestFiniteMagnitude) } ?? .infinity,
            buckets.last.map { min($0.upper, .greatestFiniteMagnitude) } ?? -.infinity
        )
    }
}
