// PluginMeasurement.swift — what the host knows of its plugins at one moment, as plain numbers, for whoever collects
// them. Next: PluginMeter.swift for where they are counted.

import Glibc
package import NocturneCore
import Synchronization

/// One plugin at one moment. Counts are since the host started, across reloads and crashes, and never fall.
package struct PluginMeasurement: Sendable {
    package let plugin: PluginID
    /// Calls of tools and commands that have ended, and those of them that failed, by the code of ``CallError``.
    package let calls: UInt64, failures: [String: UInt64]
    package let latency: CallLatency
    /// Work that holds a place in the plugin now, and calls that wait for one.
    package let inFlight: Int, waiting: Int
    /// Processes that ended by themselves or were killed for what they did, and starts after that.
    package let crashes: UInt64, restarts: UInt64
    /// Replacements by another build or by the same, and the seconds from the beginning of all these to serving.
    package let reloads: UInt64, reloadSeconds: Double
    /// Processes that were killed because the sandbox forbids what they did. What it only refuses is not known here.
    package let denials: UInt64
    /// Events of its own that came too fast, and events that its listeners did not take.
    package let eventsDropped: UInt64, eventsUndelivered: UInt64
    /// Lines of its log that came too fast, and records of any kind that the worker could not hand over in time.
    package let logLinesDropped: UInt64, recordsDropped: UInt64
    /// What cannot be true of what it measures itself, and was ignored.
    package let metricLies: UInt64
    /// Memory of its process that is resident, in bytes; `nil`: it has no process.
    package let residentBytes: UInt64?
}

/// How long calls took.
package struct CallLatency: Sendable, Hashable {
    package struct Bucket: Sendable, Hashable {
        package let index: Int32
        /// Never 0.
        package let count: UInt64
    }
    /// Bucket *i* holds seconds in (2^(i/2^scale), 2^((i+1)/2^scale)].
    package let scale: Int
    /// By rising index.
    package let buckets: [Bucket]
    /// All together.
    package let seconds: Double

    /// How many calls.
    package var count: UInt64 { buckets.reduce(0) { $0 + $1.count } }
}

extension PluginManager {
    /// All plugins that this host has known, by id. Takes some microseconds for each.
    package nonisolated func measurements() -> [PluginMeasurement] {
        router.meters.sorted { $0.key < $1.key }.map { id, meter in
            let gate = router.gate(of: id)
            return PluginMeasurement(
                id, meter, gate, residentBytes: gate?.pid.flatMap(Self.residentBytes))
        }
    }

    /// The second number of statm, which anybody may read: proc(5).
    private nonisolated static func residentBytes(of pid: Int32) -> UInt64? {
        let descriptor = open("/proc/\(pid)/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = read(descriptor, &bytes, bytes.count)
        let numbers = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(
            separator: " ")
        return numbers.dropFirst().first.flatMap { UInt64($0) }.map { $0 * UInt64(getpagesize()) }
    }
}

extension PluginMeasurement {
    fileprivate init(
        _ plugin: PluginID, _ meter: PluginMeter, _ gate: PluginGate?, residentBytes: UInt64?
    ) {
        self.plugin = plugin
        // Failures first: a call is counted before its failure is.
        failures = meter.failuresByCode
        calls = meter.count(.calls)
        latency = meter.latency
        inFlight = gate?.runningCount ?? 0
        waiting = gate?.waitingCount ?? 0
        crashes = meter.count(.crashes)
        restarts = meter.count(.restarts)
        reloads = meter.count(.reloads)
        reloadSeconds = Double(meter.count(.reloadNanoseconds)) * 1e-9
        denials = meter.count(.denials)
        eventsDropped = meter.count(.eventsDropped)
        eventsUndelivered = meter.count(.eventsUndelivered)
        logLinesDropped = meter.count(.logLinesDropped)
        recordsDropped = meter.count(.recordsDropped)
        metricLies = meter.count(.metricLies)
        self.residentBytes = residentBytes
    }
}
