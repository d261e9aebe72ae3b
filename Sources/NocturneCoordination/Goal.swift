// Goal.swift — what a session is asked to carry out. Next: Outcome.swift.

public import NocturneCore

/// What a session is asked to carry out.
public struct Goal: Sendable, Hashable {
    /// What is wanted, in words.
    public var description: String
    /// What it is about, as data; strategies say what they read of it, for example `items`.
    public var payload: JSONValue
    /// Whether it is split first: a planner is asked for subtasks. If `false`, all of it is one piece.
    public var decompose: Bool
    /// Capabilities that whoever does all of it must have.
    public var requires: [String]
    /// Who is asked for the plan; `nil`: the leader.
    public var planner: AgentID?
    /// What it may use up.
    public var budget: Budget

    /// A goal.
    public init(
        _ description: String, payload: JSONValue = .null, decompose: Bool = false,
        requires: [String] = [], planner: AgentID? = nil, budget: Budget = Budget()
    ) {
        self.description = description
        self.payload = payload
        self.decompose = decompose
        self.requires = requires
        self.planner = planner
        self.budget = budget
    }

    /// `{"description", "payload", "decompose", "requires", "planner", "budget"}`
    public var json: JSONValue {
        var object: JSONObject = ["description": .string(description)]
        if !payload.isNull { object["payload"] = payload }
        object["decompose"] = .bool(decompose)
        if !requires.isEmpty { object["requires"] = requires.jsonTexts }
        object.set("planner", planner.map { .string($0.description) })
        if budget != Budget() { object["budget"] = budget.json }
        return .object(object)
    }

    /// Reads what ``json`` wrote, or what a person did: only `description` must be there.
    public init(json: JSONValue) throws(CoordinationError) { try self.init(json: json, at: "goal") }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        self.init(
            try fields.string("description"), payload: fields["payload"] ?? .null,
            decompose: try fields.flag("decompose") ?? false,
            requires: try fields.strings("requires"), planner: try fields.agent("planner"),
            budget: try Budget(json: fields["budget"], at: path + ".budget"))
    }
}

/// What an execution may use up; `nil`: as much as it likes.
public struct Budget: Sendable, Hashable {
    /// Attempts at works that may be started.
    public var works: Int?
    /// Messages that may be sent.
    public var messages: Int?
    /// Tokens.
    public var tokens: Int64?
    /// Cost, in the unit of the session's agents.
    public var cost: Double?
    /// Time from the start to the end, pauses included.
    public var time: Duration?
    /// Tokens that are reserved for a work that does not say how many it will use.
    public var tokensPerWork: Int64

    /// A budget with those limits.
    public init(
        works: Int? = nil, messages: Int? = nil, tokens: Int64? = nil, cost: Double? = nil,
        time: Duration? = nil, tokensPerWork: Int64 = 0
    ) {
        self.works = works.map { max($0, 0) }
        self.messages = messages.map { max($0, 0) }
        self.tokens = tokens.map { max($0, 0) }
        self.cost = cost.map { $0.isFinite ? max($0, 0) : 0 }
        self.time = time.map { max($0, .zero) }
        self.tokensPerWork = max(tokensPerWork, 0)
    }

    /// `{"works", "messages", "tokens", "cost", "time", "tokensPerWork"}`; time in milliseconds.
    public var json: JSONValue {
        var object: JSONObject = [:]
        object.set("works", works.map { JSONValue($0) })
        object.set("messages", messages.map { JSONValue($0) })
        object.set("tokens", tokens.map { JSONValue($0) })
        object.set("cost", cost.flatMap { JSONValue($0) })
        object.set("time", time?.json)
        if tokensPerWork > 0 { object["tokensPerWork"] = JSONValue(tokensPerWork) }
        return .object(object)
    }

    init(json: JSONValue?, at path: String) throws(CoordinationError) {
        guard let json, !json.isNull else {
            self.init()
            return
        }
        let fields = try JSONFields(json, at: path)
        self.init(
            works: try fields.count(ifAny: "works"), messages: try fields.count(ifAny: "messages"),
            tokens: try fields.integer("tokens"), cost: try fields.number("cost"),
            time: try fields.duration("time"),
            tokensPerWork: try fields.integer("tokensPerWork") ?? 0)
    }
}

/// A limit of a ``Budget``.
public enum BudgetLimit: String, Sendable, Hashable, CaseIterable {
    /// Attempts at works.
    case works
    /// Messages.
    case messages
    /// Tokens.
    case tokens
    /// Cost.
    case cost
    /// Time.
    case time
}
