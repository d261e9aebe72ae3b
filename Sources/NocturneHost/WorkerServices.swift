// WorkerServices.swift — what a worker asks of the host: storage, tools of other plugins, room for large replies; and its
// log records and events. All of it is copied out of shared memory first and believed never. Next: Supervisor.swift.

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
    private struct State {
        var isScheduled = false
        var mustLookAgain = false
        var recordHead: UInt32 = 0
        var dropped: UInt32 = 0
        var eventTokens = RateLimit(burst: 500, perSecond: 200)
        var droppedEvents = 0
        var askedGenerations = [UInt32](repeating: 0, count: Int(WIRE_SERVICE_SLOTS))
        var busy = [Bool](repeating: false, count: Int(WIRE_SERVICE_SLOTS))
        /// Rooms for the payload of a slot's next ask.
        var rooms = [MemoryFile?](repeating: nil, count: Int(WIRE_SERVICE_SLOTS))
    }
    private let state = Mutex(State())
    private let plugin: PluginID
    private let host: Host

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
        for slot in 0..<Int(WIRE_SERVICE_SLOTS) where !state.busy[slot] {
            if wire_load(wire_ask_state(up, UInt32(slot))) != state.askedGenerations[slot] { return true }
        }
        return false
    }

    private func serve(_ link: WorkerLink) {
        if let problem = takeRecords(link) {
            link.onMisconduct(.protocolError(problem))
        } else {
            takeAsks(link)
        }
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
            take(bytes[(offset + 8)..<(offset + 8 + length)], kind)
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
        write(
            LogRecord(
                timeMilliseconds: EventBus.now(), level: "warning",
                message: "\(fresh) records were lost: they came faster than the host took them",
                stream: "host"))
    }

    private func take(_ record: ArraySlice<UInt8>, _ kind: UInt32) {
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
        default: break
        }
    }

    private static let levels = ["debug", "info", "warning", "error"]
    /// Bytes of an event's name. 128.
    private static let eventNameLimit = 128

    private func emit(_ name: String, _ payload: [UInt8]) {
        let prefix = "\(plugin):"
        guard name.hasPrefix(prefix), name.utf8.count <= Self.eventNameLimit,
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { return complain("an event must be named \"\(prefix)…\" in printable ASCII") }
        let (isAllowed, missed) = state.withLock { state in
            guard state.eventTokens.take(now: EventBus.now()) else {
                state.droppedEvents += 1
                return (false, 0)
            }
            defer { state.droppedEvents = 0 }
            return (true, state.droppedEvents)
        }
        guard isAllowed else { return }
        if missed > 0 { complain("\(missed) events were dropped: they came too fast") }
        do throws(JSONError) {
            let value = payload.isEmpty ? [:] : try JSONParser.parse(payload)
            let object = value.object ?? ["value": value]
            host.events.publish(source: "plugin/\(plugin)", name: name, payload: object)
        } catch {
            complain("the payload of event \(name) is not JSON: \(error)")
        }
    }

    private func complain(_ what: String) {
        write(
            LogRecord(
                timeMilliseconds: EventBus.now(), level: "warning", message: what, stream: "host"))
    }

    func output(_ bytes: ArraySlice<UInt8>, stream: String) {
        publish(host.log.append(bytes, stream: stream, time: EventBus.now()))
    }

    private func write(_ record: LogRecord) { publish(host.log.append(record)) }

    private func publish(_ written: [LogRecord]) {
        for record in written { host.publish(.log(plugin, record)) }
    }

    // MARK: - Asks

    private struct Ask {
        let slot: UInt32
        let generation: UInt32
        let kind: UInt32
        let callSlot: UInt32
        let callGeneration: UInt32
        let payload: [UInt8]
    }

    private func takeAsks(_ link: WorkerLink) {
        for slot in 0..<WIRE_SERVICE_SLOTS {
            let generation = wire_load(wire_ask_state(link.memory.up, slot))
            let isNew = state.withLock { state in
                guard !state.busy[Int(slot)], state.askedGenerations[Int(slot)] != generation else {
                    return false
                }
                state.busy[Int(slot)] = true
                state.askedGenerations[Int(slot)] = generation
                return true
            }
            guard isNew else { continue }
            var ask = wire_ask()
            wire_copy(&ask, wire_ask_at(link.memory.up, slot), MemoryLayout<wire_ask>.size)
            let count = Int(ask.length)
            let payload: [UInt8]
            switch UInt32(ask.flags) {
            case WIRE_INLINED where count <= Int(WIRE_INLINE):
                payload = withUnsafeBytes(of: &ask.bytes) { [UInt8]($0.prefix(count)) }
            case WIRE_IN_BLOCK where count <= Int(WIRE_BLOCK):
                payload = WireMemory.copy(wire_service_block(link.memory.up, slot), count)
            case WIRE_IN_FILE where count <= state.withLock({ $0.rooms[Int(slot)]?.size ?? 0 }):
                let room = state.withLock { state in
                    defer { state.rooms[Int(slot)] = nil }
                    return state.rooms[Int(slot)]
                }
                payload = room.map { WireMemory.copy($0.address, count) } ?? []
            default:
                return link.onMisconduct(
                    .protocolError("an ask of \(count) bytes with flags \(ask.flags)"))
            }
            answer(
                link,
                Ask(
                    slot: slot, generation: generation, kind: UInt32(ask.kind),
                    callSlot: ask.call_slot, callGeneration: ask.call_generation, payload: payload))
        }
    }

    private func answer(_ link: WorkerLink, _ ask: Ask) {
        switch ask.kind {
        case WIRE_ASK_STORAGE_GET, WIRE_ASK_STORAGE_SET, WIRE_ASK_STORAGE_REMOVE,
            WIRE_ASK_STORAGE_KEYS:
            let (status, bytes) = storage(ask)
            reply(link, ask, status, bytes)
        case WIRE_ASK_BUFFER:
            reply(link, ask, makeRoom(link, ask), [])
        case WIRE_ASK_CALL_TOOL:
            // A task of its own: the other plugin may take its time.
            Task { await callTool(link, ask) }
        default: reply(link, ask, UInt32(ENOSYS), [])
        }
    }

    /// Room for a large reply, or for the slot's next ask. Returns an errno.
    private func makeRoom(_ link: WorkerLink, _ ask: Ask) -> UInt32 {
        guard ask.payload.count == 8 else { return UInt32(EINVAL) }
        let size = ask.payload.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
        guard ask.callSlot == WIRE_NO_CALL else {
            return link.makeRoom(slot: ask.callSlot, generation: ask.callGeneration, size: size)
        }
        guard size > 0, size <= UInt64(WIRE_PAYLOAD_MAX) else { return UInt32(EMSGSIZE) }
        do throws(SystemError) {
            let room = try MemoryFile("nocturne-ask", size: Int(size))
            if let error = link.send(room, to: ask.slot, ask.generation, WIRE_FILE_ASK) { throw error }
            state.withLock { $0.rooms[Int(ask.slot)] = room }
            return 0
        } catch {
            return UInt32(error.errno)
        }
    }

    /// A memory file with an answer that fits no block; `nil` if it cannot be handed over.
    private func sendFile(_ link: WorkerLink, _ ask: Ask, _ bytes: [UInt8]) -> SystemError? {
        do throws(SystemError) {
            let file = try MemoryFile("nocturne-answer", size: bytes.count)
            bytes.withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(start: file.address, count: file.size)
                    .copyMemory(from: bytes)
            }
            return link.send(file, to: ask.slot, ask.generation, WIRE_FILE_ANSWER)
        } catch {
            return error
        }
    }

    private func reply(_ link: WorkerLink, _ ask: Ask, _ status: UInt32, _ bytes: [UInt8]) {
        var answer = wire_answer()
        answer.status = status
        var bytes = bytes
        let isLarge = bytes.count > Int(WIRE_BLOCK)
        if isLarge, let error = sendFile(link, ask, bytes) {
            answer.status = UInt32(error.errno)
            bytes = []
        }
        answer.length = UInt32(bytes.count)
        bytes.withUnsafeBytes { bytes in
            if isLarge {
                answer.flags = UInt16(bytes.isEmpty ? WIRE_INLINED : WIRE_IN_FILE)
            } else if bytes.count <= Int(WIRE_INLINE) {
                answer.flags = UInt16(WIRE_INLINED)
                withUnsafeMutableBytes(of: &answer.bytes) { $0.copyMemory(from: bytes) }
            } else {
                answer.flags = UInt16(WIRE_IN_BLOCK)
                UnsafeMutableRawBufferPointer(
                    start: wire_service_block(link.memory.down, ask.slot), count: Int(WIRE_BLOCK)
                ).copyMemory(from: bytes)
            }
        }
        wire_put_answer(link.memory.down, ask.slot, &answer, ask.generation)
        state.withLock { $0.busy[Int(ask.slot)] = false }
        _ = clinux_futex_wake(wire_answer_state(link.memory.down, ask.slot))
        rung(link)  // the next ask of this slot may have come meanwhile
    }

    private func storage(_ ask: Ask) -> (UInt32, [UInt8]) {
        var payload = ask.payload[...]
        var kind: UInt32 = 0
        if ask.kind == WIRE_ASK_STORAGE_SET {
            guard payload.count >= 4 else { return (UInt32(EINVAL), []) }
            kind = payload.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
            payload = payload.dropFirst(4)
        }
        guard let end = payload.firstIndex(of: 0) else { return (UInt32(EINVAL), []) }
        let key = Array(payload[..<end])
        let value = Array(payload[payload.index(after: end)...])
        do throws(StoreError) {
            switch ask.kind {
            case WIRE_ASK_STORAGE_GET:
                guard let stored = try host.store.storageGet(plugin, key) else {
                    return (UInt32(ENOENT), [])
                }
                return (0, stored.bytes)
            case WIRE_ASK_STORAGE_SET:
                guard let kind = StoredValue.Kind(rawValue: Int(kind)) else { return (UInt32(EINVAL), []) }
                if kind == .json, (try? JSONParser.parse(value)) == nil { return (UInt32(EINVAL), []) }
                try host.store.storageSet(plugin, key, StoredValue(kind, value))
                return (0, [])
            case WIRE_ASK_STORAGE_REMOVE:
                return (try host.store.storageDelete(plugin, key) ? 0 : UInt32(ENOENT), [])
            default:
                let keys = try host.store.storageKeys(plugin, prefix: key)
                return (0, JSONValue(keys).serialized())
            }
        } catch {
            complain("storage: \(error)")
            return (Self.errno(of: error), [])
        }
    }

    private static func errno(of error: StoreError) -> UInt32 {
        switch error {
        case .keyLength, .valueTooLarge: UInt32(EMSGSIZE)
        case .keyNotText: UInt32(EINVAL)
        case .tooManyKeys, .storageFull: UInt32(EDQUOT)
        default: UInt32(EIO)
        }
    }

    private func callTool(_ link: WorkerLink, _ ask: Ask) async {
        guard let end = ask.payload.firstIndex(of: 0) else {
            return reply(link, ask, UInt32(EINVAL), [])
        }
        let name = String(decoding: ask.payload[..<end], as: UTF8.self)
        let input = Array(ask.payload[(end + 1)...])
        guard let parent = link.context(slot: ask.callSlot, generation: ask.callGeneration) else {
            return reply(link, ask, UInt32(EINVAL), [])
        }
        var context = parent.context ?? CallContext()
        let caller = Router.NestedCaller(
            plugin: plugin,
            key: CallGraph.CallKey(
                worker: ObjectIdentifier(link), slot: ask.callSlot, generation: ask.callGeneration),
            deadline: parent.deadline, parent: context.node)
        context.depth += 1
        do throws(CallError) {
            let result = try await host.router.call(.tool, name, input, context: context, caller: caller)
            reply(link, ask, WIRE_ANSWER_TOOL + CallStatus.ok, result.serialized())
        } catch {
            let status =
                switch error {
                case .cancelled: CallStatus.cancelled
                case .invalidInput: CallStatus.invalidInput
                default: error.isRetryable ? CallStatus.retry : CallStatus.failed
                }
            reply(link, ask, WIRE_ANSWER_TOOL + status, Array(error.description.utf8.prefix(500)))
        }
    }
}
