// RecordCache.swift — which series a thread recorded under which name and labels lately, so that it takes no lock to
// find it again. Next: Registry+Recording.swift.

internal import CMetrics

/// What one thread recorded lately. It belongs to the slab that the thread has, and goes to the next one with it.
final class RecordCache {
    /// What is remembered; one more forgets one that falls on its place. 36 kB per thread that records by names.
    static let size = 512

    /// A name with labels, and the series.
    struct Entry {
        var contentHash: UInt64 = 0
        /// Of the registry when it was noted; 0 if nothing was.
        var generation: UInt64 = 0
        var kind = MetricKind.counter
        var name = ""
        var labels = Labels()
        var series: Series?
    }

    /// All of them. Never freed: it lives as long as the slab, which is as long as the process.
    private let entries: UnsafeMutablePointer<Entry>

    private init() {
        entries = .allocate(capacity: Self.size)
        entries.initialize(repeating: Entry(), count: Self.size)
    }

    /// Where a name with labels is or would be.
    @inline(__always)
    func place(_ contentHash: UInt64) -> UnsafeMutablePointer<Entry> {
        entries + Int(truncatingIfNeeded: contentHash) & (Self.size - 1)
    }

    /// The caller's own; `nil` for threads that have no slab.
    @inline(__always)
    static var mine: Unmanaged<RecordCache>? {
        guard let cache = cmetrics_cache() else { return make() }
        return Unmanaged.fromOpaque(cache)
    }

    @inline(never)
    private static func make() -> Unmanaged<RecordCache>? {
        guard let slab = cmetrics_slab_of_mine() else { return nil }
        if slab.pointee.cache == nil {
            slab.pointee.cache = Unmanaged.passRetained(RecordCache()).toOpaque()
        }
        return slab.pointee.cache.map { Unmanaged.fromOpaque($0) }
    }
}
