// WorkerLink+End.swift — cancellation, deadlines, memory files and the end of a worker's calls. Next: Worker.swift.

import CLinux
import CWire
import Glibc
import Synchronization

extension WorkerLink {
    /// The caller went away: the worker is told, the slot stays taken until its reply or its deadline.
    func cancel(_ ticket: Ticket) {
        let (waiter, actions) = state.withLock { state -> (Waiter?, [Action]) in
            guard owns(ticket, state), let waiter = state.slots[ticket.slot].waiter else {
                return (nil, [])
            }
            if let grace = state.slots[ticket.slot].call?.stopGrace {
                return (nil, stop(ticket.slot, within: grace, &state))
            }
            state.slots[ticket.slot].waiter = nil
            return (waiter, abandon(ticket.slot, &state))
        }
        for action in actions { action() }
        waiter?(.cancelled(ticket))
    }

    /// Tells the worker that nobody waits any more. Returns what must be done outside the lock.
    func abandon(_ index: Int, _ state: inout State) -> [Action] {
        state.slots[index].isAbandoned = true
        wire_set_bit(wire_cancelled(memory.down), UInt32(index))
        var message = wire_slot_message()
        message.magic = WIRE_MAGIC
        message.message = WIRE_MESSAGE_CANCEL
        message.slot = UInt32(index)
        message.generation = state.slots[index].generation
        // A full socket loses only the courtesy: the bit above says the same.
        _ = clinux_send(control, &message, UInt64(MemoryLayout.size(ofValue: message)), nil, 0)
        return Array(state.slots[index].nested.values)
    }

    /// Asks the plugin to stop a call, and waits for its answer no longer than `grace` nanoseconds. Returns what must
    /// be done outside the lock.
    func stop(_ index: Int, within grace: Int64, _ state: inout State) -> [Action] {
        guard let call = state.slots[index].call, !state.slots[index].isAbandoned else { return [] }
        let end = min(call.deadline, clinux_now() + grace)
        if end < call.deadline {
            state.slots[index].call?.deadline = end
            state.slots[index].call?.killAt = end
            state.slots[index].call?.name = "\(call.name), which was asked to stop,"
            state.slots[index].call?.milliseconds = Int(grace / 1_000_000)
        }
        let actions = abandon(index, &state)
        guard end < state.watchedUntil else { return actions }
        state.watchedUntil = end
        return actions + [{ self.reactor.watch(self, deadline: end) }]
    }

    /// Calls `action` when the slot of an abandoned call is free again: now, if it is already.
    func whenOver(_ ticket: Ticket, _ action: @escaping Action) {
        let isOver = state.withLock { state in
            guard owns(ticket, state) else { return true }
            state.slots[ticket.slot].whenOver = action
            return false
        }
        if isOver { action() }
    }

    /// Has `cancel` called when the call in a slot is cancelled or over, until ``endNested(_:slot:generation:)``.
    ///
    /// - Returns: `false` if there is no such call, or nobody waits for it any more.
    func beginNested(
        _ service: UInt32, slot: UInt32, generation: UInt32, cancel: @escaping Action
    ) -> Bool {
        state.withLock { state in
            guard slot < UInt32(state.slots.count), state.slots[Int(slot)].generation == generation,
                state.slots[Int(slot)].call != nil, !state.slots[Int(slot)].isAbandoned
            else { return false }
            state.slots[Int(slot)].nested[service] = cancel
            return true
        }
    }

    /// The nested call is over.
    func endNested(_ service: UInt32, slot: UInt32, generation: UInt32) {
        state.withLock { state in
            guard slot < UInt32(state.slots.count), state.slots[Int(slot)].generation == generation
            else { return }
            state.slots[Int(slot)].nested[service] = nil
        }
    }

    func expire(now: Int64) -> Int64? {
        var overdue: [(Waiter?, WireCall)] = []
        var gaveUp: [(waiter: Waiter, ticket: Ticket)] = []
        var actions: [Action] = []
        let next: Int64? = state.withLock { state in
            var next = Int64.max
            for index in state.slots.indices where state.slots[index].isWaitedFor {
                guard let call = state.slots[index].call else { continue }
                let killAt = call.killAt ?? call.deadline
                let waiter = state.slots[index].waiter
                if killAt <= now {
                    state.condemned = .overdue(call: call.name, milliseconds: call.milliseconds)
                    overdue.append((waiter, call))
                    state.slots[index].waiter = nil
                    state.slots[index].call?.killAt = .max
                    state.slots[index].call?.deadline = .max
                } else if let waiter, call.deadline <= now {
                    let generation = state.slots[index].generation
                    gaveUp.append(
                        (waiter, Ticket(slot: index, generation: generation, maySpin: false)))
                    state.slots[index].waiter = nil
                    actions += abandon(index, &state)
                    next = min(next, killAt)
                } else {
                    next = min(next, waiter == nil ? killAt : call.deadline)
                }
            }
            state.watchedUntil = next
            return next == .max ? nil : next
        }
        for (waiter, call) in overdue {
            onMisconduct(.overdue(call: call.name, milliseconds: call.milliseconds))
            waiter?(.overdue)
        }
        for action in actions { action() }
        for (waiter, ticket) in gaveUp { waiter(.gaveUp(ticket)) }
        return next
    }

    func postpone(by gap: Int64) {
        func later(_ time: Int64) -> Int64 { time < .max - gap ? time + gap : time }
        state.withLock { state in
            for index in state.slots.indices {
                guard let call = state.slots[index].call else { continue }
                state.slots[index].call?.deadline = later(call.deadline)
                state.slots[index].call?.killAt = call.killAt.map(later)
            }
        }
    }

    /// Fails all calls in flight and all that come. The memory stays mapped while a caller still looks at it.
    func close(_ end: WorkerEnd) {
        let (waiters, actions) = state.withLock { state -> ([Waiter], [Action]) in
            guard state.end == nil else { return ([], []) }
            state.end = end
            var waiters: [Waiter] = [], actions: [Action] = []
            for index in state.slots.indices where state.slots[index].call != nil {
                if let waiter = state.slots[index].waiter { waiters.append(waiter) }
                actions += release(index, &state)
            }
            return (waiters, actions)
        }
        reactor.unwatch(self)
        for action in actions { action() }
        for waiter in waiters { waiter(.ended(end)) }
    }

    /// Calls in flight, abandoned ones too.
    var inFlight: Int {
        state.withLock { $0.slots.count - $0.free.count }
    }

    /// The call that runs in a slot, if slot and generation name one.
    func context(slot: UInt32, generation: UInt32) -> WireCall? {
        state.withLock { state in
            guard slot < UInt32(state.slots.count), state.slots[Int(slot)].generation == generation
            else {
                return nil
            }
            return state.slots[Int(slot)].call
        }
    }

    /// Makes room for a reply over 64 KiB, as the worker asked, in place of what it had for it. Returns an errno, 0
    /// when it is on its way.
    func makeRoom(slot: UInt32, generation: UInt32, size: UInt64) -> UInt32 {
        guard size > 0, size <= UInt64(WIRE_PAYLOAD_MAX) else { return UInt32(EMSGSIZE) }
        guard slot < WIRE_CALL_SLOTS else { return UInt32(EINVAL) }
        do throws(SystemError) {
            let file = try MemoryFile("nocturne-reply", size: Int(size))
            return state.withLock { state in
                guard slot < UInt32(state.slots.count),
                    state.slots[Int(slot)].generation == generation,
                    state.slots[Int(slot)].call != nil
                else { return UInt32(EINVAL) }
                if let error = send(file, to: slot, generation, WIRE_FILE_REPLY) {
                    return UInt32(error.errno)
                }
                state.slots[Int(slot)].replyFile = file
                return 0
            }
        } catch {
            return UInt32(error.errno)
        }
    }

    /// Hands a memory file to the worker; `purpose` is one of WIRE_FILE_REQUEST, ….
    func send(
        _ file: MemoryFile, to slot: UInt32, _ generation: UInt32, _ purpose: UInt32
    ) -> SystemError? {
        send(file.descriptor, size: file.size, to: slot, generation, purpose)
    }

    func send(
        _ descriptor: Int32, size: Int, to slot: UInt32, _ generation: UInt32, _ purpose: UInt32
    ) -> SystemError? {
        var message = wire_slot_message()
        message.magic = WIRE_MAGIC
        message.message = WIRE_MESSAGE_FILE
        message.slot = slot
        message.generation = generation
        message.size = UInt64(size)
        message.is_reply = purpose
        var descriptor = descriptor
        let sent = clinux_send(
            control, &message, UInt64(MemoryLayout.size(ofValue: message)), &descriptor, 1)
        return sent == 0 ? nil : SystemError(action: "hand over a large payload", errno: -sent)
    }
}

/// A value that one thread waits for and another one brings.
final class BlockingResult<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    nonisolated(unsafe) private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func fulfill(_ value: Value) {
        self.value.withLock { $0 = value }
        sem_post(semaphore)
    }

    func wait() -> Value {
        while true {
            while sem_wait(semaphore) != 0 {}  // EINTR
            if let value = value.withLock({ $0 }) { return value }
        }
    }
}
