// Message.swift — what agents say to each other, and why it did not arrive. Next: Mailbox.swift.

public import NocturneCore

/// The name of a message within its session.
public struct MessageID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Greater for what was sent later.
    public let number: Int64

    /// A message by its number.
    public init(_ number: Int64) { self.number = number }

    /// The number in decimal.
    public var description: String { "\(number)" }

    /// The order of sending.
    public static func < (left: MessageID, right: MessageID) -> Bool { left.number < right.number }
}

/// What one agent, or a person, says to one or many. It never changes and is not copied: a broadcast to a thousand
/// agents is one message.
public final class Message: Sendable {
    /// Its name.
    public let id: MessageID
    /// Who says it. `nil`: a person, or the session.
    public let sender: AgentID?
    /// For whom it is.
    public let recipient: Recipient
    /// What is said.
    public let payload: JSONValue
    /// Whether the sender waits for a reply.
    public let wantsReply: Bool

    init(
        _ id: MessageID, from sender: AgentID?, to recipient: Recipient, _ payload: JSONValue,
        wantsReply: Bool = false
    ) {
        (self.id, self.sender, self.recipient) = (id, sender, recipient)
        (self.payload, self.wantsReply) = (payload, wantsReply)
    }
}

/// A message that somebody did not get.
public struct DeadLetter: Sendable {
    /// Why not.
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        /// The session has no such agent.
        case unknownAgent
        /// Nobody subscribed to the topic, or nobody else is there.
        case nobody
        /// The mailbox was full.
        case full
        /// The agent left before it got to the message.
        case left
        /// A reply for which nobody waits: not any more, or never.
        case notAwaited
    }

    /// The message.
    public let message: Message
    /// Who did not get it. `nil` if it was for nobody in particular.
    public let recipient: AgentID?
    /// Why not.
    public let reason: Reason
}

/// Why a message could not be sent, or is not answered.
public enum MessageError: ReportableError, Hashable {
    /// The session has no such agent.
    case unknownAgent(AgentID)
    /// The agent's mailbox is full, and takes nothing more until it has read something.
    case mailboxFull(AgentID, limit: Int)
    /// The agent did not reply in time.
    case noReply(AgentID, after: Duration)
    /// The agent left before it replied.
    case left(AgentID)
    /// Whoever asked was cancelled.
    case cancelled(AgentID)

    /// What failed, with whom, and what to do.
    public var description: String {
        switch self {
        case .unknownAgent(let agent): "there is no agent \(agent) to send to"
        case .mailboxFull(let agent, let limit):
            "\(agent) has \(limit) messages to read; send less, or try again"
        case .noReply(let agent, let time): "\(agent) did not reply within \(time)"
        case .left(let agent): "\(agent) left before it replied"
        case .cancelled(let agent): "a question to \(agent) was taken back"
        }
    }

    /// Stable name of the kind.
    public var code: String {
        switch self {
        case .unknownAgent: "unknownAgent"
        case .mailboxFull: "mailboxFull"
        case .noReply: "noReply"
        case .left: "agentLeft"
        case .cancelled: "cancelled"
        }
    }

    /// None: a session is nobody's.
    public var plugin: PluginID? { nil }

    /// Whether the same message may arrive later with nothing changed.
    public var isRetryable: Bool {
        switch self {
        case .mailboxFull, .noReply: true
        default: false
        }
    }

    /// 75: worth another try. 65: everything else, which is what was asked for.
    public var exitStatus: Int32 { isRetryable ? 75 : 65 }
}
