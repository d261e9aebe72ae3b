// MetricSlab.swift — what one worker measures, read out of memory that it writes: each look hands out what came since
// the last one. Nothing in there is believed. Next: PluginMetricSlabs.swift.

import CLinux
import CWire
import Glibc
import NocturneCore
import Synchronization

/// The memory into which one worker records, and what has been read out of it.
///
/// The host maps it read-only and reads it word by word. A lie is counted and ignored: a count that falls, a number
/// that is none, a directory that leads nowhere. Memory is bounded by the slab's own size. Thread-safe.
final class MetricSlab: Sendable {
    private struct Series {
        let recorder: any PluginSeriesRecorder
        var reader: SeriesReader
    }
    private struct State {
        /// Numbers of series by what identifies them.
        var numbers: [[UInt8]: UInt32] = [:]
        var series: [Series] = []
        /// Pages that a histogram has, so that no other can have them too.
        var pages = Set<UInt32>()
        var isClosed = false
    }
    private let state = Mutex(State())
    private let memory: SharedView

    /// - Parameter descriptor: of a memory file of `wire_metrics_size()` bytes that cannot shrink.
    init(descriptor: Int32) throws(SystemError) {
        memory = try SharedView(descriptor, size: Int(wire_metrics_size()))
    }

    /// The number of a series, which is the one that it had if it is there already. Called by one thread at a time.
    ///
    /// - Parameters:
    ///   - key: what identifies it.
    ///   - makeRecorder: is called without a lock: it may wait for who waits for a sample.
    func add(
        _ key: [UInt8], _ kind: PluginSeries.Kind,
        _ makeRecorder: () throws(PluginSeriesRefusal) -> any PluginSeriesRecorder
    ) throws(PluginSeriesRefusal) -> UInt32 {
        let (known, count) = state.withLock { ($0.numbers[key], $0.series.count) }
        if let known { return known }
        guard count < Int(WIRE_METRICS_SERIES) else {
            throw .full("it has \(WIRE_METRICS_SERIES) series, which is the limit")
        }
        let recorder = try makeRecorder()
        return state.withLock { state in
            let number = UInt32(state.series.count)
            state.series.append(Series(recorder: recorder, reader: SeriesReader(number, kind)))
            state.numbers[key] = number
            return number
        }
    }

    /// Hands out what came since the last time. Returns how many lies were found.
    func sample() -> Int { state.withLock { $0.isClosed ? 0 : read(&$0) } }

    /// The same for the last time: the process has ended.
    func close() -> Int {
        state.withLock { state in
            guard !state.isClosed else { return 0 }
            let lies = read(&state)
            state.isClosed = true
            for series in state.series {
                if let change = series.reader.takenBack { series.recorder.record(change) }
            }
            return lies
        }
    }

    private func read(_ state: inout State) -> Int {
        var lies = 0
        for index in state.series.indices {
            let change = state.series[index].reader.read(memory.address, &state.pages, &lies)
            if let change { state.series[index].recorder.record(change) }
        }
        return lies
    }
}

/// Memory of another process's, mapped read-only.
final class SharedView: Sendable {
    nonisolated(unsafe) let address: UnsafeRawPointer
    private let size: Int

    /// Maps all of a memory file. The descriptor may be closed afterwards.
    init(_ descriptor: Int32, size: Int) throws(SystemError) {
        guard let mapped = clinux_map(descriptor, UInt64(size), 0) else {
            throw SystemError(action: "map a memory file of \(size) bytes", errno: errno)
        }
        address = UnsafeRawPointer(mapped)
        self.size = size
    }

    deinit {
        _ = clinux_unmap(UnsafeMutableRawPointer(mutating: address), UInt64(size))
    }
}
