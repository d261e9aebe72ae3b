// PluginLog.swift — a plugin's log on disk: across reloads and crashes, bounded, one JSON object a line.

import Glibc
import NocturneCore
import Synchronization

/// The log of one plugin id. Two files of at most ``sizeLimit`` bytes: when one is full it replaces the older one.
///
/// Records are rate-limited, because a plugin may log without end; what is dropped is counted and told. Thread-safe;
/// `append` writes a file, so it belongs on the I/O thread.
final class PluginLog: Sendable {
    /// Bytes of one file; the log holds at most twice as much. 1 MiB.
    static let sizeLimit = 1 << 20
    /// Records that may come at once, and per second afterwards.
    static let burst = 2_000
    static let ratePerSecond = 500
    /// Bytes of a line of standard output that are kept together.
    static let lineLimit = 4_096

    private struct State {
        var descriptor: Int32 = -1
        var size = 0
        var rate = RateLimit(burst: PluginLog.burst, perSecond: PluginLog.ratePerSecond)
        var dropped = 0
        var partial: [String: [UInt8]] = [:]
        var failure: Int32 = 0
    }
    private let state = Mutex(State())
    private let path: String

    private let meter: PluginMeter

    init(path: String, meter: PluginMeter) { (self.path, self.meter) = (path, meter) }

    deinit {
        state.withLock { state in
            if state.descriptor >= 0 { Glibc.close(state.descriptor) }
        }
    }

    /// Writes a record. Returns what was really written: the record, a note on dropped ones before it, or nothing.
    func append(_ record: LogRecord) -> [LogRecord] {
        state.withLock { state in
            var written: [LogRecord] = []
            guard state.rate.take(now: record.timeMilliseconds) else {
                state.dropped += 1
                meter.add(1, to: .logLinesDropped)
                return []
            }
            if let note = Self.takeNote(&state, record.timeMilliseconds) { written.append(note) }
            written.append(record)
            for record in written { write(record, &state) }
            return written
        }
    }

    /// How many records were dropped since the last one that was not.
    private static func takeNote(_ state: inout State, _ time: Int64) -> LogRecord? {
        guard state.dropped > 0 else { return nil }
        defer { state.dropped = 0 }
        return LogRecord(
            timeMilliseconds: time, level: "warning",
            message: "\(state.dropped) records were dropped: over \(ratePerSecond) a second",
            stream: "host")
    }

    /// Splits what came on a stream into lines and writes them. An unfinished line waits for its end, up to 4 KiB.
    func append(_ bytes: ArraySlice<UInt8>, stream: String, time: Int64) -> [LogRecord] {
        let lines = state.withLock { state -> [[UInt8]] in
            var buffer = state.partial[stream] ?? []
            buffer.append(contentsOf: bytes)
            var parts = buffer.split(separator: 10, omittingEmptySubsequences: false)
            let rest = parts.removeLast()
            let whole = (rest.count / Self.lineLimit) * Self.lineLimit
            if whole > 0 { parts.append(rest.prefix(whole)) }
            state.partial[stream] = Array(rest.dropFirst(whole))
            return parts.flatMap(Self.pieces)
        }
        return lines.flatMap { line in
            append(
                LogRecord(
                    timeMilliseconds: time, level: stream == "stderr" ? "warning" : "info",
                    message: String(decoding: line, as: UTF8.self),
                    stream: stream))
        }
    }

    /// A line in pieces of at most ``lineLimit`` bytes.
    private static func pieces(_ line: ArraySlice<UInt8>) -> [[UInt8]] {
        guard line.count > lineLimit else { return [Array(line)] }
        return stride(from: line.startIndex, to: line.endIndex, by: lineLimit).map { start in
            Array(line[start..<min(start + lineLimit, line.endIndex)])
        }
    }

    /// Writes the unfinished lines, and how much was dropped: the process that began them is gone.
    func flush(time: Int64) -> [LogRecord] {
        let streams = state.withLock { state in
            state.partial.filter { !$0.value.isEmpty }.keys.sorted()
        }
        let lines = streams.flatMap { append([10], stream: $0, time: time) }
        return lines
            + state.withLock { state in
                guard let note = Self.takeNote(&state, time) else { return [] }
                write(note, &state)
                return [note]
            }
    }

    /// The latest `count` records, oldest first.
    func last(_ count: Int) -> [LogRecord] {
        state.withLock { _ in
            var records: [LogRecord] = []
            for file in [path, path + ".1"] where records.count < count {
                let lines = Self.contents(of: file).split(separator: 10)
                let wanted = lines.suffix(count - records.count)
                // A line torn by a full disk or a crash is skipped; the rest is worth reading.
                let parsed = wanted.compactMap { line in
                    (try? JSONParser.parse(Array(line))).flatMap(LogRecord.init(json:))
                }
                records.insert(contentsOf: parsed, at: 0)
            }
            return records
        }
    }

    private func write(_ record: LogRecord, _ state: inout State) {
        var line = record.json.serialized()
        line.append(10)
        if state.descriptor < 0 { open(&state) }
        if state.size + line.count > Self.sizeLimit, state.size > 0 {
            Glibc.close(state.descriptor)
            rename(path, path + ".1")
            open(&state)
        }
        guard state.descriptor >= 0 else { return }
        let count = Glibc.write(state.descriptor, line, line.count)
        if count > 0 { state.size += count }
        state.failure = count == line.count ? 0 : (count < 0 ? errno : ENOSPC)
    }

    private func open(_ state: inout State) {
        state.descriptor = Glibc.open(
            path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        state.failure = state.descriptor < 0 ? errno : 0
        state.size = state.descriptor < 0 ? 0 : Int(max(0, lseek(state.descriptor, 0, SEEK_END)))
    }

    /// Gives the file back until the next record.
    func close() {
        state.withLock { state in
            if state.descriptor >= 0 { Glibc.close(state.descriptor) }
            state.descriptor = -1
        }
    }

    /// Why the last record could not be written; `nil` while the log works.
    var problem: SystemError? {
        let failure = state.withLock { $0.failure }
        return failure == 0 ? nil : SystemError(action: "write \(path)", errno: failure)
    }

    private static func contents(of path: String) -> [UInt8] {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { Glibc.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: sizeLimit + lineLimit * 4)
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
            }
            if count <= 0 { break }
            filled += count
        }
        return Array(bytes[..<filled])
    }
}
