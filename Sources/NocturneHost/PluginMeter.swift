// PluginMeter.swift — what the host itself counts of one plugin, as it goes: on the call path, so plain atomic
// additions, no lock, no clock and no memory. Next: PluginMeasurement.swift.

import CWire
import NocturneCore
import Synchronization

/// Counts of one plugin since the host started, across its generations. Thread-safe.
final class PluginMeter: Sendable {
    /// What is counted.
    enum Count: Int, CaseIterable {
        /// Of tools and commands, however they ended.
        case calls
        case crashes, restarts
        case reloads, reloadNanoseconds
        /// Processes that were killed because the sandbox forbids what they did.
        case denials
        /// Events of the plugin's that came too fast.
        case eventsDropped
        /// Events that its listeners did not take.
        case eventsUndelivered
        /// Records that did not fit into the worker's ring: log lines, events, progress.
        case recordsDropped
        /// Log lines over the limit of lines a second.
        case logLinesDropped
        /// What cannot be true of what it measures.
        case metricLies
    }

    /// Buckets of one power of two, as a power of two: 16, so that a percentile is at most 2.2 % off.
    static let latencyScale = 4
    /// The first bucket: what is faster, 60 ns, counts in it.
    private static let firstBucket: Int32 = -24 << Int32(latencyScale)
    /// 2^-24 s to 2^12 s, which is longer than the longest deadline, 1 h. 4.6 KB.
    private static let bucketCount = 36 << latencyScale

    private let counts = InlineArray<11, Atomic<UInt64>> { _ in Atomic(0) }
    private let failures = Mutex<[String: UInt64]>([:])
    private let latencies = InlineArray<576, Atomic<UInt64>> { _ in Atomic(0) }
    private let latencyNanoseconds = Atomic<UInt64>(0)

    func add(_ amount: Int, to count: Count) {
        guard amount > 0 else { return }
        counts[count.rawValue].add(UInt64(amount), ordering: .relaxed)
    }

    func count(_ count: Count) -> UInt64 { counts[count.rawValue].load(ordering: .relaxed) }

    /// A call ended in an error with this code.
    func addFailure(_ code: String) {
        add(1, to: .calls)
        failures.withLock { $0[code, default: 0] += 1 }
    }

    var failuresByCode: [String: UInt64] { failures.withLock { $0 } }

    /// A call came back after so many nanoseconds, be it with a result or not.
    func addLatency(_ nanoseconds: Int64) {
        let nanoseconds = max(1, nanoseconds)
        let shift = Int32(6 - Self.latencyScale)
        let index = wire_bucket_index(Double(nanoseconds) * 1e-9) >> shift
        let place = min(max(0, Int(index - Self.firstBucket)), Self.bucketCount - 1)
        latencies[place].add(1, ordering: .relaxed)
        latencyNanoseconds.add(UInt64(nanoseconds), ordering: .relaxed)
    }

    /// How long calls took: those that reached the plugin, from when they were made, with their time in its queue.
    var latency: CallLatency {
        var buckets: [CallLatency.Bucket] = []
        for place in 0..<Self.bucketCount {
            let count = latencies[place].load(ordering: .relaxed)
            if count > 0 {
                let index = Self.firstBucket + Int32(place)
                buckets.append(CallLatency.Bucket(index: index, count: count))
            }
        }
        return CallLatency(
            scale: Self.latencyScale, buckets: buckets,
            seconds: Double(latencyNanoseconds.load(ordering: .relaxed)) * 1e-9)
    }
}
