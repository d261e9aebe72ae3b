// RecordCache.swift — which series a thread recorded under which name and labels lately, so that it takes no lock to
// find it again. Next: Registry+Recording.swift.

internal import CMetrics

/// What one thread recorded lately. It belongs to the slab that the thread has, and goes to the next one with it.
final class RecordCache {
    /// What is remembered; one more forgets one that falls on its place. 36 kB per thread that records by names.
    static let size = 512
    /// Calls that are remembered. 26 kB.
    static let callCount = 256

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

    /// A total that was added to under strings that were the same words in memory, as those of a line of a program are
    /// each time. To find it again no text is read and no reference counted, which threads would wait for each other to
    /// do.
    struct Call {
        /// Of the words; 0 if there are none.
        var hash: UInt64 = 0
        /// The hash of the last that was not found here. What comes but once shall not drive out what comes again.
        var missed: UInt64 = 0
        var words = CallWords(name: (0, 0), labels: nil, bytes: 0)
        var kind = MetricKind.counter
        var slot: UInt32 = 0
        var generation: UInt64 = 0
        /// As long as they are here, no other strings can be where they are, and the slot is the series'.
        var kept: (name: String, labels: Labels, series: Series)?
    }

    /// All of them. Never freed: it lives as long as the slab, which is as long as the process.
    private let entries: UnsafeMutablePointer<Entry>
    private let calls: UnsafeMutablePointer<Call>

    private init() {
        entries = .allocate(capacity: Self.size)
        entries.initialize(repeating: Entry(), count: Self.size)
        calls = .allocate(capacity: Self.callCount)
        calls.initialize(repeating: Call(), count: Self.callCount)
    }

    /// Where a call is or would be.
    @inline(__always)
    func call(_ hash: UInt64) -> UnsafeMutablePointer<Call> {
        calls + Int(truncatingIfNeeded: hash >> 1) & (Self.callCount - 1)
    }

    /// Remembers a call when it comes for the second time.
    func remember(
        _ name: String, _ labels: Labels, _ series: Series, _ kind: MetricKind, generation: UInt64
    ) {
        labels.withWords(name) { words in
            let hash = words.hash, call = call(hash)
            guard call.pointee.missed == hash else {
                call.pointee.missed = hash
                return
            }
            call.pointee = Call(
                hash: hash, words: words, kind: kind, slot: series.slot, generation: generation,
                kept: (name, labels, series))
        }
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

/// A name and labels as they are in memory: two words for each string.
struct CallWords {
    let name: (UInt64, UInt64)
    let labels: UnsafeRawPointer?, bytes: Int

    @inline(__always)
    var hash: UInt64 { cmetrics_hash_words(name.0, name.1, labels, bytes / 8) }

    @inline(__always)
    static func == (left: CallWords, right: CallWords) -> Bool {
        left.name == right.name && left.bytes == right.bytes
            && cmetrics_is_same_words(left.labels, right.labels, left.bytes / 8)
    }
}

extension Labels {
    /// Calls `body` with the words of a name and these labels, which are good until it returns.
    @inline(__always)
    func withWords<Result>(_ name: String, _ body: (CallWords) -> Result) -> Result {
        let name = unsafeBitCast(name, to: (UInt64, UInt64).self)
        return elements.withUnsafeBytes {
            body(CallWords(name: name, labels: $0.baseAddress, bytes: $0.count))
        }
    }
}
