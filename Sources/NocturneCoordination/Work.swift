// Work.swift — a piece of work, as a strategy wants it done. Next: WorkEnd.swift.

public import NocturneCore

/// What kind of thing an agent is asked for. A strategy plugin may use kinds of its own.
public struct WorkKind: Sendable, Hashable, CustomStringConvertible {
    /// The kind in one word.
    public let description: String

    /// Do it.
    public static let perform = WorkKind(made: "perform")
    /// Make a ``Plan`` of subtasks; the result is the plan's JSON.
    public static let plan = WorkKind(made: "plan")
    /// Judge a result; see ``ReviewVerdict``.
    public static let review = WorkKind(made: "review")
    /// Say what an execution came to, of the results in the payload. Also the last turn when a budget is used up.
    public static let summarize = WorkKind(made: "summarize")
    /// Make a proposal without seeing those of others.
    public static let draft = WorkKind(made: "draft")
    /// Cast a ballot on the options in the payload.
    public static let vote = WorkKind(made: "vote")
    /// Bid for a work, or decline.
    public static let bid = WorkKind(made: "bid")

    private init(made description: String) { self.description = description }

    /// A kind by its name: letters, digits, `.`, `_` and `-`.
    public init(_ text: String) throws(CoordinationError) {
        description = try Name.check(text, of: "work's kind")
    }
}

/// Who may do a work.
public enum Assignee: Sendable, Hashable {
    /// Whoever fits: what it requires, load and measured success decide.
    case anyone
    /// One in particular.
    case agent(AgentID)
    /// Whoever fits among those with a role.
    case role(Role)
}

/// A piece of work, as a strategy wants it done by one agent.
public struct Work: Sendable, Hashable {
    /// Its name, new within the execution.
    public var id: WorkID
    /// What kind of thing is asked for.
    public var kind: WorkKind
    /// What is to be done, in words.
    public var text: String
    /// What the work is about, as data.
    public var payload: JSONValue
    /// Capabilities that whoever does it must have.
    public var requires: [String]
    /// Who may do it.
    public var assignee: Assignee
    /// Agents that must not do it, for example because they did it badly.
    public var excluding: [AgentID]
    /// What it counts for in the progress, 0 or more.
    public var weight: Double
    /// How long one attempt may take; `nil`: as long as the session's policy says.
    public var timeout: Duration?
    /// How often it may be tried, 1 or more; `nil`: as often as the session's policy says.
    public var attempts: Int?
    /// Tokens that it will use, as far as known: so many are reserved before it starts.
    public var tokens: Int64?
    /// Whether it is the last turn of a session whose budget is used up, which one work may be.
    public var isWrapUp: Bool

    /// A work that anyone who fits may do.
    public init(
        _ id: WorkID, kind: WorkKind = .perform, text: String, payload: JSONValue = .null,
        requires: [String] = [], assignee: Assignee = .anyone, excluding: [AgentID] = [],
        weight: Double = 1, timeout: Duration? = nil, attempts: Int? = nil, tokens: Int64? = nil,
        isWrapUp: Bool = false
    ) {
        self.id = id
        self.kind = kind
        self.text = text
        self.payload = payload
        self.requires = requires
        self.assignee = assignee
        self.excluding = excluding
        self.weight = weight.isFinite ? max(weight, 0) : 0
        self.timeout = timeout.map { max($0, .milliseconds(1)) }
        self.attempts = attempts.map { max($0, 1) }
        self.tokens = tokens.map { max($0, 0) }
        self.isWrapUp = isWrapUp
    }
}

extension Work {
    /// `{"id", "kind", "text", "payload", "requires", "agent" or "role", "excluding", "weight", "timeout", …}`; what is
    /// as usual is left out.
    public var json: JSONValue {
        var object: JSONObject = [
            "id": .string(id.description), "kind": .string(kind.description), "text": .string(text),
        ]
        if !payload.isNull { object["payload"] = payload }
        if !requires.isEmpty { object["requires"] = requires.jsonTexts }
        switch assignee {
        case .anyone: break
        case .agent(let agent): object["agent"] = .string(agent.description)
        case .role(let role): object["role"] = .string(role.description)
        }
        if !excluding.isEmpty { object["excluding"] = excluding.jsonTexts }
        if weight != 1 { object["weight"] = JSONValue(weight) }
        object.set("timeout", timeout?.json)
        object.set("attempts", attempts.map { JSONValue($0) })
        object.set("tokens", tokens.map { JSONValue($0) })
        if isWrapUp { object["wrapUp"] = true }
        return .object(object)
    }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        var assignee = Assignee.anyone
        if let agent = try fields.agent("agent") {
            assignee = .agent(agent)
        } else if let role = try fields.string(ifAny: "role") {
            assignee = .role(try Role(role))
        }
        self.init(
            try fields.work("id"), kind: try WorkKind(fields.string(ifAny: "kind") ?? "perform"),
            text: try fields.string("text"), payload: fields["payload"] ?? .null,
            requires: try fields.strings("requires"), assignee: assignee,
            excluding: try fields.agents("excluding"), weight: try fields.number("weight") ?? 1,
            timeout: try fields.duration("timeout"), attempts: try fields.count(ifAny: "attempts"),
            tokens: try fields.integer("tokens"), isWrapUp: try fields.flag("wrapUp") ?? false)
    }
}
