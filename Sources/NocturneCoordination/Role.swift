// Role.swift — what an agent is in a session, and what it can do. Next: AgentDescriptor.swift.

public import NocturneCore

/// What an agent is in a session.
public enum Role: Sendable, Hashable, CustomStringConvertible {
    /// Plans and decides; one at a time. If it goes, the next one is appointed.
    case leader
    /// Does what is assigned.
    case worker
    /// Judges what others did; is given no other work.
    case reviewer
    /// Hears everything and is given nothing.
    case observer
    /// Any other, by name: takes work like a worker, and strategies may ask for it by its name.
    case custom(String)

    /// Reads what ``description`` shows. Names other than the four are custom roles.
    public init(_ text: String) throws(CoordinationError) {
        switch text {
        case "leader": self = .leader
        case "worker": self = .worker
        case "reviewer": self = .reviewer
        case "observer": self = .observer
        default: self = .custom(try Name.check(text, of: "role"))
        }
    }

    /// The role in one word.
    public var description: String {
        switch self {
        case .leader: "leader"
        case .worker: "worker"
        case .reviewer: "reviewer"
        case .observer: "observer"
        case .custom(let name): name
        }
    }

    /// Whether work that asks for no role in particular may go to such an agent.
    public var takesWork: Bool {
        switch self {
        case .leader, .worker, .custom: true
        case .reviewer, .observer: false
        }
    }
}

/// Something an agent can do, and how well.
public struct Capability: Sendable, Hashable {
    /// What it is, by a name that works ask for.
    public let name: String
    /// How well, from 0 (hardly) to 1 (as well as anyone).
    public let score: Double

    /// A capability. Scores outside 0 … 1 become the nearest of them.
    public init(_ name: String, score: Double = 1) throws(CoordinationError) {
        self.name = try Name.check(name, of: "capability")
        self.score = score.isNaN ? 0 : min(max(score, 0), 1)
    }

    /// `{"name", "score"}`
    public var json: JSONValue { ["name": .string(name), "score": JSONValue(score) ?? 0] }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        if let name = json.string {
            try self.init(name)
            return
        }
        let fields = try JSONFields(json, at: path)
        try self.init(fields.string("name"), score: fields.number("score") ?? 1)
    }
}
