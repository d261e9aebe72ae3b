// WorkerServices+Asks.swift — what a worker asks of the host and waits for: storage, tools of other plugins, room for
// large payloads. Everything is copied before it is checked. Next: Router.swift.

import CLinux
import CWire
import Glibc
import NocturneCore
import NocturneStorage
import Synchronization

extension WorkerServices {
    private struct Ask {
        let slot: UInt32
        let generation: UInt32
        let kind: UInt32
        let callSlot: UInt32
        let callGeneration: UInt32
        let payload: [UInt8]
    }

    func takeAsks(_ link: WorkerLink) {
        let asked = wire_load(wire_asked(link.memory.up))
        state.withLock { $0.asked = asked }
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
            beginTool(link, ask)
        case WIRE_ASK_CHECKPOINT:
            saveCheckpoint(link, ask)
        case WIRE_ASK_METRIC:
            let (status, bytes) = declareMetric(link, ask.payload)
            reply(link, ask, status, bytes)
        case WIRE_ASK_METRICS_READ: readMetrics(link, ask)
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
            if let error = link.send(room, to: ask.slot, ask.generation, WIRE_FILE_ASK) {
                throw error
            }
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
        // First, or the slot's next ask, which may come at once, would be passed over.
        state.withLock { $0.busy[Int(ask.slot)] = false }
        wire_put_answer(link.memory.down, ask.slot, &answer, ask.generation)
        _ = clinux_futex_wake(wire_answer_state(link.memory.down, ask.slot))
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
                guard let kind = StoredValue.Kind(rawValue: Int(kind)) else {
                    return (UInt32(EINVAL), [])
                }
                if kind == .json, (try? JSONParser.parse(value)) == nil {
                    return (UInt32(EINVAL), [])
                }
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

    /// Has a checkpoint stored by the engine whose task it is. A flood of them waits, and its plugin with it.
    private func saveCheckpoint(_ link: WorkerLink, _ ask: Ask) {
        guard ask.payload.count >= 8,
            let listener = link.listener(
                of: ask.payload.withUnsafeBytes { $0.loadUnaligned(as: TaskNumber.self) })
        else { return reply(link, ask, UInt32(EPERM), []) }
        Task {
            while !state.withLock({ $0.checkpointTokens.take(now: EventBus.now()) }) {
                try? await Task.sleep(for: .milliseconds(50))
            }
            let value = await host.router.workingOn(ask.payload.count) {
                try? JSONParser.parse(Array(ask.payload[8...]))
            }
            guard let value else { return reply(link, ask, UInt32(EINVAL), []) }
            let status =
                switch await listener.save(value) {
                case .saved: Int32(0)
                case .tooLarge: EMSGSIZE
                case .claimLost: ECANCELED
                case .failed: EIO
                }
            reply(link, ask, UInt32(status), [])
        }
    }

    /// Has the plugin's own metrics read by whoever collects them.
    private func readMetrics(_ link: WorkerLink, _ ask: Ask) {
        guard let sink = host.router.slabs.sink else { return reply(link, ask, UInt32(ENOSYS), []) }
        guard ask.payload.count <= PluginSeries.nameLimit + 1 else {
            return reply(link, ask, UInt32(EMSGSIZE), [])
        }
        let name = String(decoding: ask.payload.prefix { $0 != 0 }, as: UTF8.self)
        Task {
            let metrics = await sink.metrics(of: plugin, named: name.isEmpty ? nil : name)
            guard let bytes = metrics?.serialized() else {
                return reply(link, ask, UInt32(ENOENT), [])
            }
            let isTooLarge = bytes.count > Int(WIRE_PAYLOAD_MAX)
            reply(link, ask, isTooLarge ? UInt32(EMSGSIZE) : 0, isTooLarge ? [] : bytes)
        }
    }

    /// Calls a tool in a task of its own: the other plugin may take its time. It ends with the call it is made for.
    private func beginTool(_ link: WorkerLink, _ ask: Ask) {
        guard let parent = link.context(slot: ask.callSlot, generation: ask.callGeneration) else {
            return reply(link, ask, UInt32(EINVAL), [])
        }
        let cancellation = Cancellation()
        let isWanted = link.beginNested(
            ask.slot, slot: ask.callSlot, generation: ask.callGeneration,
            cancel: cancellation.cancel)
        guard isWanted else {
            let why = "nobody waits for the call any more"
            return reply(link, ask, WIRE_ANSWER_TOOL + CallStatus.cancelled, Array(why.utf8))
        }
        cancellation.attach(
            Task {
                let (status, bytes) = await callTool(link, ask, for: parent)
                // Before the answer: after it the worker may use the slot again.
                link.endNested(ask.slot, slot: ask.callSlot, generation: ask.callGeneration)
                reply(link, ask, status, bytes)
            })
    }

    private func callTool(
        _ link: WorkerLink, _ ask: Ask, for parent: WireCall
    ) async -> (status: UInt32, bytes: [UInt8]) {
        guard let end = ask.payload.firstIndex(of: 0) else { return (UInt32(EINVAL), []) }
        let name = String(decoding: ask.payload[..<end], as: UTF8.self)
        let input = await host.router.workingOn(ask.payload.count) {
            CallInput(text: Array(ask.payload[(end + 1)...]))
        }
        var context = parent.context ?? CallContext()
        let caller = Router.NestedCaller(
            plugin: plugin,
            key: CallGraph.CallKey(
                worker: ObjectIdentifier(link), slot: ask.callSlot, generation: ask.callGeneration),
            deadline: parent.deadline, parent: context.node)
        context.depth += 1
        do throws(CallError) {
            let result = try await host.router.call(
                .tool, name, input, context: context, caller: caller)
            return (WIRE_ANSWER_TOOL + CallStatus.ok, result.serialized())
        } catch {
            let status =
                switch error {
                case .cancelled: CallStatus.cancelled
                case .invalidInput: CallStatus.invalidInput
                default: error.isRetryable ? CallStatus.retry : CallStatus.failed
                }
            return (WIRE_ANSWER_TOOL + status, Array(error.description.utf8.prefix(500)))
        }
    }
}

/// Cancels a task that may not have been made yet.
private final class Cancellation: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        var isCancelled = false
    }
    private let state = Mutex(State())

    func attach(_ task: Task<Void, Never>) {
        let isCancelled = state.withLock { state in
            state.task = task
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    @Sendable func cancel() {
        let task = state.withLock { state in
            state.isCancelled = true
            return state.task
        }
        task?.cancel()
    }
}
