// WorkerServices+Metrics.swift — a worker declares what its plugin measures; the first time, it gets the memory for it.
// Next: MetricSlab.swift.

import CLinux
import CWire
import Glibc
import NocturneCore
import Synchronization

extension WorkerServices {
    /// Answers an ask for a series with its number, or an errno.
    func declareMetric(_ link: WorkerLink, _ payload: [UInt8]) -> (status: UInt32, bytes: [UInt8]) {
        guard let sink = host.router.slabs.sink else { return (UInt32(ENOSYS), []) }
        guard let series = PluginSeries(wire: payload) else { return (UInt32(EINVAL), []) }
        let slab: MetricSlab
        do throws(SystemError) {
            slab = try self.slab(of: link)
        } catch {
            complain("what it measures is not recorded: \(error)")
            return (UInt32(error.errno), [])
        }
        do throws(PluginSeriesRefusal) {
            let number = try slab.add(series.key, series.kind) { () throws(PluginSeriesRefusal) in
                try sink.series(series, of: plugin)
            }
            return (0, withUnsafeBytes(of: number) { Array($0) })
        } catch {
            let (errno, why) = Self.reason(error)
            complain("the metric \(series.name.debugDescription) is not recorded: \(why)")
            return (errno, [])
        }
    }

    private static func reason(_ refusal: PluginSeriesRefusal) -> (errno: UInt32, why: String) {
        switch refusal {
        case .invalid(let why): (UInt32(EINVAL), why)
        case .taken(let why): (UInt32(EEXIST), why)
        case .full(let why): (UInt32(ENOSPC), why)
        }
    }

    private func slab(of link: WorkerLink) throws(SystemError) -> MetricSlab {
        let (slab, isOver) = state.withLock { ($0.slab, $0.isOver) }
        if let slab { return slab }
        // What it asked for before it ended may be looked at afterwards.
        guard !isOver else { throw SystemError(action: "hand over memory", errno: ESRCH) }
        let size = Int(wire_metrics_size())
        let descriptor = try SystemError.check(
            clinux_memory_file("nocturne-metrics", UInt64(size)),
            "create a memory file of \(size) bytes")
        defer { close(descriptor) }
        let made = try MetricSlab(descriptor: descriptor)
        if let error = link.send(descriptor, size: size, to: 0, 1, WIRE_FILE_METRICS) {
            throw error
        }
        state.withLock { $0.slab = made }
        host.router.slabs.add(made, host.router.meter(of: plugin))
        return made
    }

    /// The process is gone: its slab is read for the last time.
    func closeSlab() {
        let slab = state.withLock { state in
            state.isOver = true
            return state.slab.take()
        }
        if let slab { host.router.slabs.remove(slab) }
    }
}

extension PluginSeries {
    /// Limits as in the SDK's plugin.h, in bytes.
    static let nameLimit = 200, textLimit = 1_024
    private static let labelLimit = 32

    /// A series as a worker declares it (`WIRE_ASK_METRIC`); `nil` if it is malformed.
    init?(wire bytes: [UInt8]) {
        // All that is allowed fits into a block.
        guard bytes.count >= 8, bytes.count <= Int(WIRE_BLOCK), bytes.last == 0 else { return nil }
        let (kind, labelCount) = bytes.withUnsafeBytes {
            (
                $0.loadUnaligned(as: UInt32.self),
                $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
            )
        }
        guard let kind = Kind(rawValue: kind), labelCount <= Self.labelLimit else { return nil }
        let parts = bytes[8...].dropLast().split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count == 3 + 2 * Int(labelCount) else { return nil }
        let texts = parts.compactMap { String(validating: $0, as: UTF8.self) }
        guard texts.count == parts.count, !texts[0].isEmpty,
            texts.allSatisfy({ $0.utf8.count <= Self.textLimit })
        else { return nil }
        let labels = stride(from: 3, to: texts.count, by: 2).map {
            Label(name: texts[$0], value: texts[$0 + 1])
        }
        guard ([texts[0]] + labels.map(\.name)).allSatisfy({ $0.utf8.count <= Self.nameLimit })
        else { return nil }
        self.init(kind: kind, name: texts[0], help: texts[1], unit: texts[2], labels: labels)
    }

    /// What two series differ in, byte by byte. In which order labels stand is no difference.
    var key: [UInt8] {
        let labels = labels.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let texts = [name] + labels.flatMap { [$0.name, $0.value] }
        return texts.reduce(into: [UInt8(kind.rawValue)]) { key, text in
            key += text.utf8
            key.append(0)
        }
    }
}
