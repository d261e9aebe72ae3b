// Mailbox.swift — the messages that one agent has not read. A lock and an array, and a job only while something is in
// it: an agent that waits costs no task. Next: Messages.swift.

internal import Synchronization

/// What happens to a message for a full mailbox.
public enum MailboxOverflow: String, Sendable, Hashable, CaseIterable {
    /// It is refused, and its sender told.
    case refuse
    /// It takes the place of the oldest one, which becomes a dead letter.
    case dropOldest
    /// It becomes a dead letter.
    case dropNewest
}

/// The messages that one agent has not read. The agent gets them one at a time, in the order in which they came.
final class Mailbox: Sendable {
    private struct State {
        /// From ``head`` on those that are not read; before it `nil`.
        var messages: [Message?] = []
        var head = 0
        /// Whether a job runs that will see what is put in.
        var isDrained = false
        var isClosed = false

        mutating func removeFirst() -> Message? {
            guard head < messages.count else { return nil }
            let first = messages[head]
            messages[head] = nil
            head += 1
            if head == messages.count {
                messages.removeAll(keepingCapacity: messages.capacity <= Mailbox.idleSlots)
                head = 0
            } else if head > Mailbox.turn, 2 * head > messages.count {
                messages.removeFirst(head)
                head = 0
            }
            return first
        }
    }

    /// What became of a message.
    enum Delivery {
        case accepted
        /// It is in, and this one is out.
        case displaced(Message)
        case full
        case closed
    }

    /// Slots that an empty mailbox keeps.
    private static let idleSlots = 64
    /// Messages that a job hands over before it lets others run.
    private static let turn = 1_024

    let owner: AgentID
    private let capacity: Int
    private let overflow: MailboxOverflow
    private let receive: @Sendable (Message) async -> Void
    private let state = Mutex(State())

    init(
        of owner: AgentID, capacity: Int, overflow: MailboxOverflow,
        receive: @escaping @Sendable (Message) async -> Void
    ) {
        (self.owner, self.capacity, self.overflow) = (owner, capacity, overflow)
        self.receive = receive
    }

    func deliver(_ message: Message) -> Delivery {
        let (delivery, startsJob) = state.withLock { state -> (Delivery, Bool) in
            if state.isClosed { return (.closed, false) }
            var delivery = Delivery.accepted
            if state.messages.count - state.head >= capacity {
                guard overflow == .dropOldest, let oldest = state.removeFirst() else {
                    return (.full, false)
                }
                delivery = .displaced(oldest)
            }
            state.messages.append(message)
            defer { state.isDrained = true }
            return (delivery, !state.isDrained)
        }
        // Detached: it is nobody's child, and would only copy the sender's task-local values.
        if startsJob { Task.detached { await self.drain() } }
        return delivery
    }

    /// Takes no more, and returns what was not read.
    func close() -> [Message] {
        state.withLock { state in
            state.isClosed = true
            let unread = state.messages[state.head...].compactMap(\.self)
            (state.messages, state.head) = ([], 0)
            return unread
        }
    }

    private func drain() async {
        var handed = 0
        while let message = next() {
            await receive(message)
            handed += 1
            if handed.isMultiple(of: Self.turn) { await Task.yield() }
        }
    }

    private func next() -> Message? {
        state.withLock { state in
            let message = state.removeFirst()
            if message == nil { state.isDrained = false }
            return message
        }
    }
}
