// SeriesReader.swift — one series of a slab that somebody else writes: what came since the last look, and what of it
// is a lie. Next: MetricSlab.swift.

import CWire
import NocturneCore

/// Remembers how far a series has been read.
struct SeriesReader: Sendable {
    /// What nobody counts up to in honesty, nor in all buckets of a histogram together; sums of such counts overflow
    /// late. 2^53.
    private static let countLimit = UInt64(WIRE_METRIC_WHOLE_MAX)

    private let number: UInt32
    private let kind: PluginSeries.Kind
    private var whole: Int64 = 0
    /// A counter's, a histogram's sum, or a gauge's value.
    private var fraction = 0.0
    private var hasValue = false
    private var zeros: UInt64 = 0, unsorted: UInt64 = 0
    /// How many values a histogram may still count.
    private var room = countLimit
    /// A histogram's pages, by their entry in its directory.
    private var pages: [UInt32: Page] = [:]

    private struct Page {
        var entry: UInt32
        var counts: [UInt64]
    }

    init(_ number: UInt32, _ kind: PluginSeries.Kind) { (self.number, self.kind) = (number, kind) }

    /// Reads the series once; `nil`: nothing came.
    ///
    /// - Parameters:
    ///   - taken: pages of all histograms of the slab.
    ///   - lies: is raised by what cannot be.
    mutating func read(
        _ slab: UnsafeRawPointer, _ taken: inout Set<UInt32>, _ lies: inout Int
    ) -> PluginSeriesChange? {
        let cell = wire_load_cell(slab, number)
        switch kind {
        case .counter, .upDownCounter: return readTotal(cell, &lies)
        case .gauge: return readGauge(cell, &lies)
        case .histogram: return readHistogram(cell, slab, &taken, &lies)
        }
    }

    /// What must be taken back when the process ends.
    var takenBack: PluginSeriesChange? {
        guard kind == .upDownCounter, whole != 0 || fraction != 0 else { return nil }
        return .added(whole: -whole, fraction: -fraction)
    }

    private mutating func readTotal(
        _ cell: wire_metric_cell, _ lies: inout Int
    ) -> PluginSeriesChange? {
        let mayFall = kind == .upDownCounter
        var change: (whole: Int64, fraction: Double) = (0, 0)
        if cell.whole.magnitude <= Self.countLimit, mayFall || cell.whole >= whole {
            change.whole = cell.whole - whole
            whole = cell.whole
        } else {
            lies += 1
        }
        let sum = wire_double(cell.fraction)
        if let came = Self.difference(sum, fraction), mayFall || came >= 0 {
            change.fraction = came
            fraction = sum
        } else {
            lies += 1
        }
        return change == (0, 0) ? nil : .added(whole: change.whole, fraction: change.fraction)
    }

    private mutating func readGauge(
        _ cell: wire_metric_cell, _ lies: inout Int
    ) -> PluginSeriesChange? {
        guard cell.whole != 0 else { return nil }
        let value = wire_double(cell.fraction)
        guard value.isFinite else {
            lies += 1
            return nil
        }
        guard !hasValue || value != fraction else { return nil }
        (hasValue, fraction) = (true, value)
        return .set(value)
    }

    private mutating func readHistogram(
        _ cell: wire_metric_cell, _ slab: UnsafeRawPointer, _ taken: inout Set<UInt32>,
        _ lies: inout Int
    ) -> PluginSeriesChange? {
        var came = PluginObservations()
        came.zeros = Self.rise(&zeros, cell.zeros, &room, &lies)
        came.unsorted = Self.rise(&unsorted, cell.unsorted, &room, &lies)
        for index in 0..<WIRE_METRICS_DIRECTORY {
            guard let key = claim(index, slab, &taken, &lies) else { continue }
            let buckets = readPage(index, key, slab, &lies)
            if key & Self.signBit == 0 {
                came.positive += buckets
            } else {
                came.negative += buckets
            }
        }
        came.positive.sort { $0.index < $1.index }
        came.negative.sort { $0.index < $1.index }
        let sum = wire_double(cell.fraction)
        if let difference = Self.difference(sum, fraction) {
            came.sum = difference
            fraction = sum
        } else {
            lies += 1
        }
        guard came.count > 0 || came.sum != 0 else { return nil }
        let (least, greatest) = (
            -wire_metric_unrank(cell.least), wire_metric_unrank(cell.greatest)
        )
        if cell.least != 0, cell.greatest != 0, least.isFinite, greatest.isFinite,
            least <= greatest
        {
            came.range = least...greatest
        }
        return .observed(came)
    }

    /// In a page's key.
    private static let signBit: UInt32 = 1 << 11
    /// Exponents of normal numbers, as a double has them. IEEE 754.
    private static let exponents: ClosedRange<UInt32> = 1...2_046

    /// The key of the page in a place of the directory, which stays for ever what it was at first; `nil`: there is
    /// none.
    private mutating func claim(
        _ index: UInt32, _ slab: UnsafeRawPointer, _ taken: inout Set<UInt32>, _ lies: inout Int
    ) -> UInt32? {
        let entry = wire_load_entry(slab, number, index)
        if let page = pages[index] {
            if page.entry != entry { lies += 1 }
            return wire_entry_key(page.entry)
        }
        guard entry != 0 else { return nil }
        let (key, page) = (wire_entry_key(entry), wire_entry_page(entry))
        guard page < WIRE_METRICS_PAGES, key <= Self.signBit | Self.exponents.upperBound,
            Self.exponents.contains(key & ~Self.signBit),
            !pages.values.contains(where: { wire_entry_key($0.entry) == key }),
            taken.insert(page).inserted
        else {
            lies += 1
            return nil
        }
        pages[index] = Page(
            entry: entry, counts: [UInt64](repeating: 0, count: Int(WIRE_METRICS_BUCKETS)))
        return key
    }

    private mutating func readPage(
        _ index: UInt32, _ key: UInt32, _ slab: UnsafeRawPointer, _ lies: inout Int
    ) -> [PluginObservations.Bucket] {
        guard var page = pages.removeValue(forKey: index) else { return [] }
        var came: [PluginObservations.Bucket] = []
        for bucket in 0..<WIRE_METRICS_BUCKETS {
            let count = wire_load_bucket(slab, wire_entry_page(page.entry), bucket)
            let rise = Self.rise(&page.counts[Int(bucket)], count, &room, &lies)
            if rise > 0 {
                let index = wire_bucket_base(key) + Int32(bucket)
                came.append(PluginObservations.Bucket(index: index, count: rise))
            }
        }
        pages[index] = page
        return came
    }

    /// By how much a count has risen since it was `before`, which it then is.
    private static func rise(
        _ before: inout UInt64, _ count: UInt64, _ room: inout UInt64, _ lies: inout Int
    ) -> UInt64 {
        guard count >= before, count - before <= room else {
            lies += 1
            return 0
        }
        let rise = count - before
        before = count
        room -= rise
        return rise
    }

    /// `nil`: not finite.
    private static func difference(_ sum: Double, _ before: Double) -> Double? {
        let difference = sum - before
        return sum.isFinite && difference.isFinite ? difference : nil
    }
}
