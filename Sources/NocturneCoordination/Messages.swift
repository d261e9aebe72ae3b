// Messages.swift — who gets which message in a session: one agent, all, or those who subscribed to a topic. Next:
// ConsensusStrategy.swift.

public import NocturneCore
internal import Synchronization

/// The messages of one session. Thread-safe; nothing here waits but ``ask(_:of:from:within:)``.
///
/// Two messages of one sender to one agent arrive in the order of sending, at most once each. What does not arrive is
/// a dead letter, and never just gone.
public final class Messages: Sendable {
    fileprivate struct State {
        var mailboxes: [AgentID: Mailbox] = [:]
        /// In the order of joining: everyone who gets a broadcast.
        var everyone: [Mailbox] = []
        /// In the order of subscribing.
        var topics: [String: [Mailbox]] = [:]
        var questions: [MessageID: Question] = [:]
        var lastID: Int64 = 0
    }

    fileprivate struct Question {
        let agent: AgentID
        let reply: Promise<Result<JSONValue, MessageError>>
    }

    /// Messages that an agent may leave unread, unless it is said otherwise.
    public static let defaultCapacity = 1_024

    private let state = Mutex(State())
    private let capacity: Int
    private let overflow: MailboxOverflow
    private let clock: any EngineClock
    private let onDeadLetter: @Sendable (DeadLetter) -> Void

    /// - Parameters:
    ///   - capacity: messages that an agent may leave unread, at least 1.
    ///   - overflow: what happens to more than that.
    ///   - onDeadLetter: is told of each message that somebody did not get.
    package init(
        capacity: Int = defaultCapacity, overflow: MailboxOverflow = .refuse,
        clock: any EngineClock = SystemClock(),
        onDeadLetter: @escaping @Sendable (DeadLetter) -> Void
    ) {
        (self.capacity, self.overflow) = (max(1, capacity), overflow)
        (self.clock, self.onDeadLetter) = (clock, onDeadLetter)
    }

    // MARK: - Who is there

    /// From now on `receive` is called with each message for this agent, with one at a time. An agent that is there
    /// already stays as it is.
    public func join(
        _ agent: AgentID, receive: @escaping @Sendable (Message) async -> Void
    ) {
        let mailbox = Mailbox(
            of: agent, capacity: capacity, overflow: overflow, receive: receive)
        state.withLock { state in
            guard state.mailboxes[agent] == nil else { return }
            state.mailboxes[agent] = mailbox
            state.everyone.append(mailbox)
        }
    }

    /// The agent gets nothing more. What it has not read becomes dead letters, and who waits for its reply is told.
    public func leave(_ agent: AgentID) {
        let (mailbox, questions) = state.withLock { state -> (Mailbox?, [Question]) in
            let mailbox = state.mailboxes.removeValue(forKey: agent)
            state.everyone.removeAll { $0.owner == agent }
            for topic in state.topics.keys { state.remove(agent, from: topic) }
            let asked = state.questions.filter { $0.value.agent == agent }
            for id in asked.keys { state.questions[id] = nil }
            return (mailbox, Array(asked.values))
        }
        for message in mailbox?.close() ?? [] { lose(message, agent, .left) }
        for question in questions { question.reply.fulfill(.failure(.left(agent))) }
    }

    /// The agent gets what is published on a topic, after those who subscribed before.
    public func subscribe(_ agent: AgentID, to topic: String) throws(MessageError) {
        let isThere = state.withLock { state in
            guard let mailbox = state.mailboxes[agent] else { return false }
            state.remove(agent, from: topic)
            state.topics[topic, default: []].append(mailbox)
            return true
        }
        if !isThere { throw .unknownAgent(agent) }
    }

    /// The agent gets nothing more that is published on a topic.
    public func unsubscribe(_ agent: AgentID, from topic: String) {
        state.withLock { $0.remove(agent, from: topic) }
    }

    // MARK: - Sending

    /// Sends to one, to all others in the order of joining, or to a topic's subscribers in the order of subscribing.
    ///
    /// - Returns: how many mailboxes it is in.
    /// - Throws: ``MessageError``, but only if it is for one agent; of many, dead letters tell who did not get it.
    @discardableResult
    public func send(
        _ payload: JSONValue, from sender: AgentID?, to recipient: Recipient
    ) throws(MessageError) -> Int {
        let (id, mailboxes) = state.withLock { state in
            (state.nextID(), state.mailboxes(of: recipient, from: sender))
        }
        let message = Message(id, from: sender, to: recipient, payload)
        if case .agent(let agent) = recipient {
            return try deliver(message, to: agent, mailboxes.first) ? 1 : 0
        }
        if mailboxes.isEmpty { lose(message, nil, .nobody) }
        var count = 0
        for mailbox in mailboxes {
            do throws(MessageError) {
                if try deliver(message, to: mailbox.owner, mailbox) { count += 1 }
            } catch {
                continue  // It is a dead letter.
            }
        }
        return count
    }

    /// How many mailboxes a message would be for.
    func reach(of recipient: Recipient, from sender: AgentID?) -> Int {
        state.withLock { $0.mailboxes(of: recipient, from: sender).count }
    }

    /// Returns whether it is in the mailbox.
    private func deliver(
        _ message: Message, to agent: AgentID, _ mailbox: Mailbox?
    ) throws(MessageError) -> Bool {
        switch mailbox?.deliver(message) {
        case .accepted: return true
        case .displaced(let oldest):
            lose(oldest, agent, .full)
            return true
        case .full:
            lose(message, agent, .full)
            guard overflow == .refuse else { return false }
            throw .mailboxFull(agent, limit: capacity)
        case .closed:
            lose(message, agent, .left)
            throw .unknownAgent(agent)
        case nil:
            lose(message, agent, .unknownAgent)
            throw .unknownAgent(agent)
        }
    }

    private func lose(_ message: Message, _ agent: AgentID?, _ reason: DeadLetter.Reason) {
        onDeadLetter(DeadLetter(message: message, recipient: agent, reason: reason))
    }

    // MARK: - Asking

    /// Sends to one agent and waits for its ``reply(to:from:_:)``.
    public func ask(
        _ payload: JSONValue, of agent: AgentID, from sender: AgentID?, within limit: Duration
    ) async throws(MessageError) -> JSONValue {
        let reply = Promise<Result<JSONValue, MessageError>>()
        let (id, mailbox) = state.withLock { state in
            let id = state.nextID()
            state.questions[id] = Question(agent: agent, reply: reply)
            return (id, state.mailboxes[agent])
        }
        defer { state.withLock { $0.questions[id] = nil } }
        let question = Message(
            id, from: sender, to: .agent(agent), payload, wantsReply: true)
        guard try deliver(question, to: agent, mailbox) else {
            throw .mailboxFull(agent, limit: capacity)
        }
        let clock = clock
        let deadline = clock.uptime + limit
        let timer = Task {
            do {
                try await clock.sleep(until: deadline)
            } catch {
                return  // It was answered.
            }
            reply.fulfill(.failure(.noReply(agent, after: limit)))
        }
        defer { timer.cancel() }
        let result = await withTaskCancellationHandler {
            await reply.value
        } onCancel: {
            reply.fulfill(.failure(.cancelled(agent)))
        }
        return try result.get()
    }

    /// Answers a message whose sender waits. If the sender does not wait, or for somebody else, it is a dead letter.
    ///
    /// - Returns: whether it arrived.
    @discardableResult
    public func reply(to message: Message, from agent: AgentID, _ payload: JSONValue) -> Bool {
        let question = state.withLock { state -> Question? in
            guard state.questions[message.id]?.agent == agent else { return nil }
            return state.questions.removeValue(forKey: message.id)
        }
        if question?.reply.fulfill(.success(payload)) == true { return true }
        let id = state.withLock { $0.nextID() }
        let recipient = message.sender.map { Recipient.agent($0) } ?? .everyone
        lose(Message(id, from: agent, to: recipient, payload), message.sender, .notAwaited)
        return false
    }
}

extension Messages.State {
    fileprivate mutating func nextID() -> MessageID {
        lastID += 1
        return MessageID(lastID)
    }

    fileprivate mutating func remove(_ agent: AgentID, from topic: String) {
        topics[topic]?.removeAll { $0.owner == agent }
        if topics[topic]?.isEmpty == true { topics[topic] = nil }
    }

    /// A sender gets nothing of what it says to many.
    fileprivate func mailboxes(of recipient: Recipient, from sender: AgentID?) -> [Mailbox] {
        switch recipient {
        case .agent(let agent): mailboxes[agent].map { [$0] } ?? []
        case .everyone: sender == nil ? everyone : everyone.filter { $0.owner != sender }
        case .topic(let topic): (topics[topic] ?? []).filter { $0.owner != sender }
        }
    }
}
