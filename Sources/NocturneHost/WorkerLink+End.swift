// WorkerLink+End.swift — cancellation, deadlines, memory files and the end of a worker's calls. Next: Worker.swift.

import CLinux
import CWire
import Glibc
import Synchronization

extension WorkerLink {
    /// The caller went away: the worker is told, the slot stays taken until its reply or its deadline.
    func cancel(_ ticket: Ticket) {
        let waiter = state.withLock { state -> Waiter? in
            guard state.slots[ticket.slot].generation == ticket.generation,
                let waiter = state.slots[ticket.slot].waiter
            else { return nil }
            state.slots[ticket.slot].waiter = nil
            tellCancelled(ticket.slot, state)
            return waiter
        }
        waiter?(.cancelled)
    }

    func tellCancelled(_ index: Int, _ state: State) {
        wire_set_bit(wire_cancelled(memory.down), UInt32(index))
        var message = wire_slot_message()
        message.magic = WIRE_MAGIC
        message.message = WIRE_MESSAGE_CANCEL
        message.slot = UInt32(index)
        message.generation = state.slots[index].generation
        // A full socket loses only the courtesy: the bit above says the same.
        _ = clinux_send(control, &message, UInt64(MemoryLayout.size(ofValue: message)), nil, 0)
    }

    func expire(now: Int64) -> Int64? {
        var overdue: [(Waiter?, WireCall)] = []
        let next: Int64? = state.withLock { state in
            var next = Int64.max
            for index in state.slots.indices {
                guard state.slots[index].isWaitedFor, let call = state.slots[index].call else { continue }
                if call.deadline > now {
                    next = min(next, call.deadline)
                } else {
                    overdue.append((state.slots[index].waiter, call))
                    state.slots[index].waiter = nil
                    state.slots[index].call?.deadline = .max
                }
            }
            state.watchedUntil = next
            return next == .max ? nil : next
        }
        for (waiter, call) in overdue {
            onMisconduct(.overdue(call: call.name, milliseconds: call.milliseconds))
            waiter?(.overdue)
        }
        return next
    }

    func postpone(by gap: Int64) {
        state.withLock { state in
            for index in state.slots.indices {
                guard let deadline = state.slots[index].call?.deadline, deadline < .max - gap else {
                    continue
                }
                state.slots[index].call?.deadline = deadline + gap
            }
        }
    }

    /// Fails all calls in flight and all that come. The memory stays mapped while a caller still looks at it.
    func close(_ end: WorkerEnd) {
        let waiters = state.withLock { state -> [Waiter] in
            guard state.end == nil else { return [] }
            state.end = end
            return state.slots.indices.compactMap { index in
                guard state.slots[index].call != nil else { return nil }
                let waiter = state.slots[index].waiter
                release(index, &state)
                return waiter
            }
        }
        for waiter in waiters { waiter(.ended(end)) }
    }

    /// Calls in flight, abandoned ones too.
    var inFlight: Int {
        state.withLock { $0.slots.count - $0.free.count }
    }

    /// The call that runs in a slot, if slot and generation name one.
    func context(slot: UInt32, generation: UInt32) -> WireCall? {
        state.withLock { state in
            guard slot < WIRE_CALL_SLOTS, state.slots[Int(slot)].generation == generation else {
                return nil
            }
            return state.slots[Int(slot)].call
        }
    }

    /// Makes room for a reply over 64 KiB, as the worker asked. Returns an errno, 0 when it is on its way.
    func makeRoom(slot: UInt32, generation: UInt32, size: UInt64) -> UInt32 {
        guard size > 0, size <= UInt64(WIRE_PAYLOAD_MAX) else { return UInt32(EMSGSIZE) }
        guard slot < WIRE_CALL_SLOTS else { return UInt32(EINVAL) }
        do throws(SystemError) {
            let file = try MemoryFile("nocturne-reply", size: Int(size))
            return state.withLock { state in
                guard state.slots[Int(slot)].generation == generation,
                    state.slots[Int(slot)].call != nil, state.slots[Int(slot)].replyFile == nil
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
        var message = wire_slot_message()
        message.magic = WIRE_MAGIC
        message.message = WIRE_MESSAGE_FILE
        message.slot = slot
        message.generation = generation
        message.size = UInt64(file.size)
        message.is_reply = purpose
        var descriptor = file.descriptor
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
