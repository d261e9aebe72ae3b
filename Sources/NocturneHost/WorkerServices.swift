// WorkerServices.swift — what a worker asks of the host: storage, tools of other plugins, room for large replies; and
// its log records and events. All of it is copied out of shared memory first and believed never.
// Answers to what it asks are in WorkerServices+Asks.swift.

import CLinux
import CWire
import Glibc
import NocturneCore
import NocturneStorage
import Synchronization

/// Looks after what a worker says beside its replies.
protocol WorkerServicing: AnyObject, Sendable {
    /// The worker rang its doorbell. On the reactor's thread.
    func rung(_ link: WorkerLink)
    /// It wrote to its standard output or error. On the I/O thread.
    func output(_ bytes: ArraySlice<UInt8>, stream: String)
    /// Takes what it has written into the record ring. On the I/O thread.
    func takeRecords(of link: WorkerLink)
    /// Its process is gone and all its output was given. On the I/O thread.
    func finished(_ link: WorkerLink)
}

extension WorkerServicing {
    func takeRecords(of link: WorkerLink) {}
    func finished(_ link: WorkerLink) {}
}

/// The host's services for one worker. Work is done on the I/O thread, one piece at a time.
final class WorkerServices: WorkerServicing {
    /// What the services need of the host.
    struct Host: Sendable {
        let io: Reactor
        let store: HostStore
        let events: EventBus
        let router: Router
        let log: PluginLog
        /// Publishes what was written to a plugin's log.
        let publish: @Sendable (PluginEvent) -> Void
    }
    struct State {
        var isScheduled = false
        var mustLookAgain = false
        var recordHead: UInt32 = 0
        var dropped: UInt32 = 0
        var eventTokens = RateLimit(burst: 500, perSecond: 200)
        var droppedEvents = 0
        /// Each is a write to the store of tasks.
        var checkpointTokens = RateLimit(burst: 50, perSecond: 20)
        var asked: UInt32 = 0
        var askedGenerations = [UInt32](repeating: 0, count: Int(WIRE_SERVICE_SLOTS))
        var busy = [Bool](repeating: false, count: Int(WIRE_SERVICE_SLOTS))
        /// Rooms for the payload of a slot's next ask.
        var rooms = [MemoryFile?](repeating: nil, count: Int(WIRE_SERVICE_SLOTS))
        /// What its plugin measures; `nil`: nothing.
        var slab: MetricSlab?
        var isOver = false
    }
    let state = Mutex(State())
    let plugin: PluginID
    let host: Host

    init(_ plugin: PluginID, host: Host) {
        self.plugin = plugin
        self.host = host
    }

    func rung(_ link: WorkerLink) {
        let mustSchedule = state.withLock { state in
            guard hasNews(link, state) else { return false }
            if state.isScheduled {
                state.mustLookAgain = true
                return false
            }
            state.isScheduled = true
            return true
        }
        if mustSchedule { host.io.async { self.serve(link) } }
    }

    private func hasNews(_ link: WorkerLink, _ state: State) -> Bool {
        let up = link.memory.up
        if wire_load(wire_record_tail(up)) != state.recordHead { return true }
        if wire_load(wire_record_dropped(up)) != state.dropped { return true }
        return wire_load(wire_asked(up)) != state.asked
    }

    private func serve(_ link: WorkerLink) {
        if let problem = takeRecords(link) {
            // Never again, so `isScheduled` stays: the ring claims it as long as its memory is mapped, which is longer
            // than the process lives.
            return link.onMisconduct(.protocolError(problem))
        }
        takeAsks(link)
        let again = state.withLock { state in
            let again = state.mustLookAgain || hasNews(link, state)
            state.mustLookAgain = false
            state.isScheduled = again
            return again
        }
        // Through the queue, so that one busy plugin does not keep the thread from others.
        if again { host.io.async { self.serve(link) } }
    }

    // MARK: - Records

    func takeRecords(of link: WorkerLink) {
        if let problem = takeRecords(link) { link.onMisconduct(.protocolError(problem)) }
    }

    private func takeRecords(_ link: WorkerLink) -> String? {
        let up = link.memory.up
        let head = state.withLock { $0.recordHead }
        let tail = wire_load(wire_record_tail(up))
        let count = tail &- head
        guard count <= WIRE_RING else { return "its record ring claims \(count) bytes" }
        var bytes = [UInt8](repeating: 0, count: Int(count))
        bytes.withUnsafeMutableBytes { buffer in
            let ring = UnsafeRawPointer(wire_ring(up))
            let at = Int(head % WIRE_RING)
            let first = min(buffer.count, Int(WIRE_RING) - at)
            guard let base = buffer.baseAddress, let ring, first > 0 else { return }
            wire_copy(base, ring + at, first)
            if buffer.count > first { wire_copy(base + first, ring, buffer.count - first) }
        }
        state.withLock { $0.recordHead = tail }
        // Fenced: `hasNews` looks again after it, or the worker sees it and rings.
        wire_store_fence(wire_record_head(link.memory.down), tail)
        noteDropped(up)
        var offset = 0
        while offset < bytes.count {
            guard bytes.count - offset >= 8 else { return "a torn record" }
            let (length, kind) = bytes.withUnsafeBytes { buffer in
                (
                    Int(buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self)),
                    buffer.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                )
            }
            let padded = (length + 7) & ~7
            guard length <= Int(WIRE_RECORD_MAX), padded <= bytes.count - offset - 8 else {
                return "a record of \(length) bytes"
            }
            take(bytes[(offset + 8)..<(offset + 8 + length)], kind, link)
            offset += 8 + padded
        }
        return nil
    }

    private func noteDropped(_ up: UnsafeMutableRawPointer) {
        let dropped = wire_load(wire_record_dropped(up))
        let fresh = state.withLock { state in
            let fresh = dropped &- state.dropped
            state.dropped = dropped
            return fresh
        }
        guard fresh != 0 else { return }
        host.router.meter(of: plugin).add(Int(fresh), to: .recordsDropped)
        write(
            LogRecord(
                timeMilliseconds: EventBus.now(), level: "warning",
                message: "\(fresh) records were lost: they came faster than the host took them",
                stream: "host"))
    }

    private func take(_ record: ArraySlice<UInt8>, _ kind: UInt32, _ link: WorkerLink) {
        switch kind {
        case WIRE_RECORD_LOG:
            guard record.count >= 4 else { return }
            let level = record.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
            let parts = record.dropFirst(4).split(separator: 0, omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            var fields = JSONObject()
            var index = 1
            while index + 1 < parts.count {
                fields[parts[index]] = .string(parts[index + 1])
                index += 2
            }
            write(
                LogRecord(
                    timeMilliseconds: EventBus.now(), level: Self.levels[Int(min(level, 3))],
                    message: parts.first ?? "", fields: fields, stream: "log"))
        case WIRE_RECORD_EVENT:
            guard let end = record.firstIndex(of: 0) else { return }
            emit(
                String(decoding: record[..<end], as: UTF8.self),
                Array(record[record.index(after: end)...]))
        case WIRE_RECORD_PROGRESS, WIRE_RECORD_TASK_LOG: takeWord(record, kind, link)
        case WIRE_RECORD_AGENT_LINE:
            guard record.count >= 8 else { return }
            let number = record.withUnsafeBytes { $0.loadUnaligned(as: TaskNumber.self) }
            link.hearer(of: number)?(Array(record.dropFirst(8)))
        default: break
        }
    }

    /// What a worker says of a task. One that it does not run is nobody's.
    private func takeWord(_ record: ArraySlice<UInt8>, _ kind: UInt32, _ link: WorkerLink) {
        let head = kind == WIRE_RECORD_PROGRESS ? 16 : 8
        guard record.count >= head else { return }
        let (number, percent) = record.withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(as: TaskNumber.self),
                head == 8 ? 0 : bytes.loadUnaligned(fromByteOffset: 8, as: Double.self)
            )
        }
        guard let listener = link.listener(of: number) else { return }
        let text = String(decoding: record.dropFirst(head), as: UTF8.self)
        if kind == WIRE_RECORD_PROGRESS {
            listener.updateProgress(percent, text.isEmpty ? nil : text)
        } else {
            listener.log(text)
        }
    }

    private static let levels = ["debug", "info", "warning", "error"]
    /// Bytes of an event's name. 128.
    private static let eventNameLimit = 128

    private func emit(_ name: String, _ payload: [UInt8]) {
        let prefix = "\(plugin):"
        guard name.hasPrefix(prefix), name.utf8.count <= Self.eventNameLimit,
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else {
            let shown = String(name.prefix(Self.eventNameLimit)).debugDescription
            return complain(
                "the event \(shown) was dropped: its name must be \(prefix)… in printable ASCII")
        }
        let (isAllowed, missed) = state.withLock { state in
            guard state.eventTokens.take(now: EventBus.now()) else {
                state.droppedEvents += 1
                return (false, 0)
            }
            defer { state.droppedEvents = 0 }
            return (true, state.droppedEvents)
        }
        guard isAllowed else { return host.router.meter(of: plugin).add(1, to: .eventsDropped) }
        if missed > 0 { complain("\(missed) events were dropped: they came too fast") }
        do throws(JSONError) {
            let value = payload.isEmpty ? [:] : try JSONParser.parse(payload)
            let object = value.object ?? ["value": value]
            host.events.publish(source: "plugin/\(plugin)", name: name, payload: object)
        } catch {
            complain("the payload of event \(name) is not JSON: \(error)")
        }
    }

    func complain(_ what: String) {
        write(
            LogRecord(
                timeMilliseconds: EventBus.now(), level: "warning", message: what, stream: "host"))
    }

    func output(_ bytes: ArraySlice<UInt8>, stream: String) {
        publish(host.log.append(bytes, stream: stream, time: EventBus.now()))
    }

    func finished(_ link: WorkerLink) {
        if let problem = takeRecords(link) { complain("its last records were lost: \(problem)") }
        closeSlab()
        publish(host.log.flush(time: EventBus.now()))
    }

    private func write(_ record: LogRecord) { publish(host.log.append(record)) }

    private func publish(_ written: [LogRecord]) {
        for record in written { host.publish(.log(plugin, record)) }
    }
}
