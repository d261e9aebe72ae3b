// WorkerLink.swift — the calls of one worker through shared memory. On the call path, so a lock and no actor.
// What the worker asks of the host is in WorkerServices.swift. Next: Worker.swift.

import CLinux
import CWire
import Glibc
import Synchronization

/// What the host asks of a worker.
struct WireCall: Sendable {
    var kind: UInt32
    /// Index among the declared contributions; 0 for hooks.
    var target: UInt32 = 0
    /// For errors: the tool's name, or the hook's.
    var name: String
    /// The caller waits until then; CLOCK_MONOTONIC, ns.
    var deadline: Int64
    /// For errors.
    var milliseconds: Int
    /// A call that has no answer by then gets the process killed; `nil`: ``deadline``. Later than the deadline when the
    /// caller is in a greater hurry than the plugin must be.
    var killAt: Int64?
    /// Where it stands in a chain of plugins that call each other.
    var context: CallContext?
    /// For a task: its number, by which the worker speaks of it.
    var task: TaskNumber?
    /// For a call whose caller waits for its end also when it has cancelled it: how long, in ns, before the process is
    /// killed.
    var stopGrace: Int64?
}

/// How a call ended on the wire.
enum WireOutcome: Sendable {
    case reply(status: UInt32, bytes: [UInt8])
    /// The worker ended, or was ended, with the call in flight.
    case ended(WorkerEnd)
    /// The worker had ended before, so it never saw the call.
    case notSent(WorkerEnd)
    /// This very call passed its deadline; the worker is being killed for it.
    case overdue
    /// The caller's own deadline passed; the worker was told, the call goes on there.
    case gaveUp(WorkerLink.Ticket)
    /// The caller went away; the worker was told, the call goes on there.
    case cancelled(WorkerLink.Ticket)
    /// The payload could not be handed over.
    case failed(SystemError)
}

/// The calls of one worker.
///
/// Thread-safe. A slot is taken by ``call(_:_:)`` and given back when its reply has come, even if the caller has gone.
final class WorkerLink: DeadlineKeeper {
    /// How long a caller that is alone watches its own slot before it sleeps. 5 µs (DESIGN §6).
    private static let spinNanoseconds: Int64 = 5_000

    typealias Waiter = @Sendable (WireOutcome) -> Void
    typealias Action = @Sendable () -> Void

    struct Slot {
        var generation: UInt32 = 0
        var call: WireCall?
        var waiter: Waiter?
        /// Counts in `State.waiting`: the reply must ring the doorbell.
        var isWaitedFor = false
        /// The memory files of a large payload or a large reply.
        var requestFile: MemoryFile?
        var replyFile: MemoryFile?
        /// Its caller has gone.
        var isAbandoned = false
        /// Cancels the calls that it made of other plugins, by service slot.
        var nested: [UInt32: Action] = [:]
        /// Called when the slot is free again, if its caller has gone before.
        var whenOver: Action?

        mutating func take(_ generation: UInt32, _ call: WireCall, _ file: MemoryFile?) {
            self.generation = generation
            self.call = call
            requestFile = file
        }

        /// Back to what it was before ``take(_:_:_:)``, but for the generation. Returns what must be done outside the
        /// lock.
        mutating func free() -> [Action] {
            call = nil
            waiter = nil
            isWaitedFor = false
            requestFile = nil
            replyFile = nil
            isAbandoned = false
            guard !nested.isEmpty || whenOver != nil else { return [] }
            defer { (nested, whenOver) = ([:], nil) }
            return Array(nested.values) + (whenOver.map { [$0] } ?? [])
        }
    }
    struct State {
        /// Grows to the number of calls that were ever in flight at once, at most WIRE_CALL_SLOTS.
        var slots: [Slot] = []
        /// Free ones among them, the last used on top: its memory is warm.
        var free: [UInt8] = []
        var tail: UInt32 = 0
        var ringsSent: UInt32 = 0
        var waiting = 0
        /// The reactor looks here at this time at the latest.
        var watchedUntil = Int64.max
        var end: WorkerEnd?
        /// It is being killed for this, so nothing is sent to it any more.
        var condemned: WorkerEnd?
        /// Tasks that run here, or will.
        var tasks: [TaskNumber: LinkedTask] = [:]
        /// Why tasks are to leave this worker, in words; `nil`: they need not.
        var leaving: String?
    }
    let state = Mutex(State())
    private let returned = Atomic<Int64>(0)
    /// When the latest call returned to its caller; CLOCK_MONOTONIC, ns.
    var latestReturn: Int64 { returned.load(ordering: .relaxed) }
    let memory: WireMemory
    let reactor: Reactor
    /// Write end of the worker's doorbell, and our end of its control socket. Closed with the last reference, because a
    /// caller may use them until it has returned.
    let doorbell: Int32, control: Int32
    /// Called when the worker must be killed: a call is overdue, or it broke the rules.
    let onMisconduct: @Sendable (WorkerEnd) -> Void

    init(
        memory: WireMemory, reactor: Reactor, doorbell: Int32, control: Int32,
        onMisconduct: @escaping @Sendable (WorkerEnd) -> Void
    ) {
        self.memory = memory
        self.reactor = reactor
        self.doorbell = doorbell
        self.control = control
        self.onMisconduct = onMisconduct
    }

    deinit {
        Glibc.close(doorbell)
        Glibc.close(control)
    }

    /// Calls and waits for the outcome. Cancelling the task tells the worker and returns ``WireOutcome/cancelled(_:)``
    /// at once.
    func call(_ call: WireCall, _ payload: [UInt8]) async -> WireOutcome {
        let ticket: Ticket
        switch begin(call, payload) {
        case .failure(let outcome): return outcome
        case .success(let begun): ticket = begun
        }
        defer { noteReturn() }
        if ticket.maySpin, let outcome = spin(ticket) { return outcome }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                suspend(ticket) { continuation.resume(returning: $0) }
            }
        } onCancel: {
            cancel(ticket)
        }
    }

    /// The same for a thread that may block; never the reactor's, never a task's.
    func callBlocking(_ call: WireCall, _ payload: [UInt8]) -> WireOutcome {
        let ticket: Ticket
        switch begin(call, payload) {
        case .failure(let outcome): return outcome
        case .success(let begun): ticket = begun
        }
        defer { noteReturn() }
        if ticket.maySpin, let outcome = spin(ticket) { return outcome }
        let result = BlockingResult<WireOutcome>()
        suspend(ticket) { result.fulfill($0) }
        return result.wait()
    }

    /// One use of a slot.
    struct Ticket: Sendable {
        let slot: Int
        let generation: UInt32
        let maySpin: Bool
    }
    private enum Begun {
        case success(Ticket)
        case failure(WireOutcome)
    }

    private func begin(_ call: WireCall, _ payload: [UInt8]) -> Begun {
        var file: MemoryFile?
        if payload.count > Int(WIRE_BLOCK) {
            do throws(SystemError) {
                let made = try MemoryFile("nocturne-payload", size: payload.count)
                payload.withUnsafeBytes { bytes in
                    UnsafeMutableRawBufferPointer(start: made.address, count: made.size)
                        .copyMemory(from: bytes)
                }
                file = made
            } catch {
                return .failure(.failed(error))
            }
        }
        let (result, mustRing): (Begun, Bool) = state.withLock { state in
            if let end = state.end ?? state.condemned { return (.failure(.notSent(end)), false) }
            // Admission keeps calls under the slots' number, so this is a busy host, not a busy plugin.
            guard let index = Self.takeSlot(&state) else {
                let error = SystemError(action: "find a free call slot", errno: EBUSY)
                return (.failure(.failed(error)), false)
            }
            let generation = max(1, state.slots[index].generation &+ 1)
            state.slots[index].take(generation, call, file)
            if let file, let error = send(file, to: UInt32(index), generation, WIRE_FILE_REQUEST) {
                _ = release(index, &state)
                return (.failure(.failed(error)), false)
            }
            writeRequest(call, payload, index, generation, inFile: file != nil)
            if call.task != nil { showPause(index, &state) }
            let mustRing = publish(index, &state)
            let isAlone = state.slots.count - state.free.count == 1
            let ticket = Ticket(
                slot: index, generation: generation, maySpin: isAlone && !mustRing)
            return (.success(ticket), mustRing)
        }
        if mustRing {
            var byte: UInt8 = 1
            _ = write(doorbell, &byte, 1)  // a full pipe has wake-ups enough in it
        }
        return result
    }

    private static func takeSlot(_ state: inout State) -> Int? {
        if let index = state.free.popLast() { return Int(index) }
        guard state.slots.count < Int(WIRE_CALL_SLOTS) else { return nil }
        state.slots.append(Slot())
        return state.slots.count - 1
    }

    private func writeRequest(
        _ call: WireCall, _ payload: [UInt8], _ index: Int, _ generation: UInt32, inFile: Bool
    ) {
        let slot = UInt32(index)
        var request = wire_request()
        request.generation = generation
        request.kind = UInt16(call.kind)
        request.target = call.target
        request.length = UInt32(payload.count)
        request.deadline = call.deadline == .max ? 0 : call.deadline
        payload.withUnsafeBytes { bytes in
            if inFile {
                request.flags = UInt16(WIRE_IN_FILE)
            } else if bytes.count <= Int(WIRE_INLINE) {
                request.flags = UInt16(WIRE_INLINED)
                withUnsafeMutableBytes(of: &request.bytes) { $0.copyMemory(from: bytes) }
            } else {
                request.flags = UInt16(WIRE_IN_BLOCK)
                UnsafeMutableRawBufferPointer(
                    start: wire_call_block(memory.down, slot), count: Int(WIRE_BLOCK)
                ).copyMemory(from: bytes)
            }
        }
        wire_request_at(memory.down, slot).pointee = request
        wire_clear_bit(wire_cancelled(memory.down), slot)
    }

    /// Puts the slot into the worker's queue. Returns whether its doorbell must be rung.
    private func publish(_ index: Int, _ state: inout State) -> Bool {
        wire_queue_put(memory.down, state.tail, UInt8(index))
        wire_set_gap(memory.down, clinux_now() - returned.load(ordering: .relaxed))
        state.tail &+= 1
        wire_store_fence(wire_tail(memory.down), state.tail)
        // Hints of the worker's; a lie leaves its own calls lying until their deadline.
        guard wire_load(wire_sleepers(memory.up)) != 0, wire_load(wire_pollers(memory.up)) == 0
        else { return false }
        // One wake-up under way is enough: the thread that it wakes looks at the whole queue.
        let wakes = wire_load(wire_wakes(memory.up))
        guard Int32(bitPattern: state.ringsSent &- wakes) <= 0 else { return false }
        state.ringsSent = wakes &+ 1
        return true
    }

    /// The worker watches for the next call if callers come back soon.
    private func noteReturn() { returned.store(clinux_now(), ordering: .relaxed) }

    private func hasReply(_ index: Int, _ generation: UInt32) -> Bool {
        wire_load(wire_reply_state(memory.up, UInt32(index))) == generation
    }

    private func spin(_ ticket: Ticket) -> WireOutcome? {
        let limit = clinux_now() + Self.spinNanoseconds
        repeat {
            for _ in 0..<32 {
                if hasReply(ticket.slot, ticket.generation) {
                    let done = state.withLock { state in
                        owns(ticket, state) ? collect(ticket.slot, &state) : nil
                    }
                    for action in done?.actions ?? [] { action() }
                    return done?.outcome
                }
                wire_pause()
            }
            sched_yield()  // the worker may wait for this very CPU
        } while clinux_now() < limit
        return nil
    }

    func owns(_ ticket: Ticket, _ state: State) -> Bool {
        state.slots[ticket.slot].generation == ticket.generation
            && state.slots[ticket.slot].call != nil
    }

    private func suspend(_ ticket: Ticket, _ waiter: @escaping Waiter) {
        var watchUntil: Int64?
        var stopping: [Action] = []
        let done: Done? = state.withLock { state in
            let index = ticket.slot
            guard owns(ticket, state) else { return Done(.ended(state.end ?? .vanished)) }
            state.slots[index].isWaitedFor = true
            state.waiting += 1
            if state.waiting == 1 { wire_store_fence(wire_waiting(memory.down), 1) }
            if hasReply(index, ticket.generation) { return collect(index, &state) }
            if let deadline = state.slots[index].call?.deadline, deadline < state.watchedUntil {
                state.watchedUntil = deadline
                watchUntil = deadline
            }
            // Under the lock: a cancellation that comes now finds the waiter, one that came earlier is seen.
            if Task.isCancelled {
                guard let grace = state.slots[index].call?.stopGrace else {
                    return Done(.cancelled(ticket), abandon(index, &state))
                }
                stopping = stop(index, within: grace, &state)
            }
            state.slots[index].waiter = waiter
            return nil
        }
        for action in stopping { action() }
        if let watchUntil { reactor.watch(self, deadline: watchUntil) }
        guard let done else { return }
        for action in done.actions { action() }
        waiter(done.outcome)
    }

    /// Looks at all slots whose callers sleep. Called on the reactor's thread when the worker has rung.
    func collectReplies() {
        var done: [(waiter: Waiter?, done: Done)] = []
        state.withLock { state in
            guard state.waiting > 0 else { return }
            for index in state.slots.indices where state.slots[index].isWaitedFor {
                guard hasReply(index, state.slots[index].generation) else { continue }
                let waiter = state.slots[index].waiter
                done.append((waiter, collect(index, &state)))
            }
        }
        for (waiter, done) in done {
            for action in done.actions { action() }
            waiter?(done.outcome)
        }
    }

    /// How a call ended, and what must be done outside the lock.
    private struct Done {
        let outcome: WireOutcome
        let actions: [Action]

        init(_ outcome: WireOutcome, _ actions: [Action] = []) {
            self.outcome = outcome
            self.actions = actions
        }
    }

    /// Copies the reply, checks the copy, frees the slot. A reply that breaks the rules ends the worker.
    private func collect(_ index: Int, _ state: inout State) -> Done {
        var reply = wire_reply()
        wire_copy(&reply, wire_reply_at(memory.up, UInt32(index)), MemoryLayout<wire_reply>.size)
        let count = Int(reply.length)
        let file = state.slots[index].replyFile
        let actions = release(index, &state)
        let bytes: [UInt8]
        switch UInt32(reply.flags) {
        case WIRE_INLINED where count <= Int(WIRE_INLINE):
            bytes = withUnsafeBytes(of: &reply.bytes) { [UInt8]($0.prefix(count)) }
        case WIRE_IN_BLOCK where count <= Int(WIRE_BLOCK):
            bytes = WireMemory.copy(wire_call_block(memory.up, UInt32(index)), count)
        case WIRE_IN_FILE where file != nil && count <= file?.size ?? 0:
            bytes = file.map { WireMemory.copy($0.address, count) } ?? []
        default:
            let end = WorkerEnd.protocolError("a reply of \(count) bytes with flags \(reply.flags)")
            state.condemned = end
            onMisconduct(end)
            return Done(.ended(end), actions)
        }
        return Done(.reply(status: reply.status, bytes: bytes), actions)
    }

    /// Frees a slot. Returns what must be done outside the lock.
    func release(_ index: Int, _ state: inout State) -> [Action] {
        if state.slots[index].isWaitedFor {
            state.waiting -= 1
            if state.waiting == 0 { wire_store(wire_waiting(memory.down), 0) }
        }
        state.free.append(UInt8(index))
        return state.slots[index].free()
    }
}
