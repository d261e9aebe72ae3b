// WorkEnd.swift — how a piece of work ended: what an agent answered, or why there is no answer. Next: Plan.swift.

public import NocturneCore

/// What was used: by one work, or by a whole session.
public struct Usage: Sendable, Hashable {
    /// Attempts that were started.
    public var works: Int
    /// Messages that were sent.
    public var messages: Int
    /// Tokens, as agents report them.
    public var tokens: Int64
    /// Cost, as agents report it, in the unit of the session's agents.
    public var cost: Double

    /// Nothing but what is said.
    public init(works: Int = 0, messages: Int = 0, tokens: Int64 = 0, cost: Double = 0) {
        self.works = max(works, 0)
        self.messages = max(messages, 0)
        self.tokens = max(tokens, 0)
        self.cost = cost.isFinite ? max(cost, 0) : 0
    }

    /// The sum of both; counts stop at their greatest value.
    public static func + (left: Usage, right: Usage) -> Usage {
        Usage(
            works: left.works + right.works, messages: left.messages + right.messages,
            tokens: left.tokens.addingReportingOverflow(right.tokens).overflow
                ? .max : left.tokens + right.tokens,
            cost: left.cost + right.cost)
    }

    /// `{"works", "messages", "tokens", "cost"}`
    public var json: JSONValue {
        [
            "works": JSONValue(works), "messages": JSONValue(messages),
            "tokens": JSONValue(tokens), "cost": JSONValue(cost) ?? 0,
        ]
    }

    init(json: JSONValue?, at path: String) throws(CoordinationError) {
        guard let json, !json.isNull else {
            self.init()
            return
        }
        let fields = try JSONFields(json, at: path)
        self.init(
            works: try fields.count(ifAny: "works") ?? 0,
            messages: try fields.count(ifAny: "messages") ?? 0,
            tokens: try fields.integer("tokens") ?? 0, cost: try fields.number("cost") ?? 0)
    }
}

/// What an agent answers to a work that it did.
public struct WorkAnswer: Sendable, Hashable {
    /// What it came to.
    public var value: JSONValue
    /// Subtasks that it wants done by others instead of doing all itself: the JSON of a ``Plan``.
    public var delegation: JSONValue?
    /// The agent that should go on with it.
    public var handOff: AgentID?
    /// Tokens and cost that it used.
    public var usage: Usage

    /// An answer.
    public init(
        _ value: JSONValue, delegating delegation: JSONValue? = nil,
        handingTo handOff: AgentID? = nil,
        usage: Usage = Usage()
    ) {
        self.value = value
        if let delegation, !delegation.isNull { self.delegation = delegation }
        self.handOff = handOff
        self.usage = usage
    }

    /// `{"value", "delegate", "handOff", "usage"}`
    public var json: JSONValue {
        var object: JSONObject = ["value": value]
        object.set("delegate", delegation)
        object.set("handOff", handOff.map { .string($0.description) })
        if usage != Usage() { object["usage"] = usage.json }
        return .object(object)
    }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        self.init(
            fields["value"] ?? .null, delegating: fields["delegate"],
            handingTo: try fields.agent("handOff"),
            usage: try Usage(json: fields["usage"], at: path + ".usage"))
    }
}

/// Why a work, or an attempt at it, came to nothing.
public struct WorkFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The agent says that it failed. Worth another attempt.
        case failed
        /// The agent says that it cannot be done, by nobody. Not tried again.
        case refused
        /// The agent died over it.
        case crashed
        /// It took longer than allowed.
        case timedOut
        /// No sign of life came from the agent for longer than its lease.
        case lost
        /// The agent left the session.
        case agentLeft
        /// The process of the session ended meanwhile.
        case interrupted
        /// Nobody in the session can do it.
        case unassignable
        /// The budget does not allow it.
        case overBudget
        /// An agent answered with what it was not asked for.
        case invalidAnswer
    }

    /// The kind.
    public let kind: Kind
    /// What happened, for people.
    public let message: String

    /// A failure.
    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The kind and what happened.
    public var description: String { "\(kind.rawValue): \(message)" }

    /// `{"kind", "message"}`
    public var json: JSONValue { ["kind": .string(kind.rawValue), "message": .string(message)] }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        guard let kind = Kind(rawValue: try fields.string("kind")) else {
            throw fields.malformed(
                "kind", expected: Kind.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self.init(kind, try fields.string("message"))
    }
}

/// How a work ended for good, after all attempts.
public struct WorkEnd: Sendable, Hashable {
    /// The ways in which it can end.
    public enum Result: Sendable, Hashable {
        /// It was done.
        case succeeded(WorkAnswer)
        /// It was not, and is not tried again.
        case failed(WorkFailure)
        /// The strategy took it back, or the session ended.
        case cancelled
    }

    /// Which work.
    public let work: WorkID
    /// How it ended.
    public let result: Result
    /// Who did it, or tried last; `nil` if nobody ever had it.
    public let agent: AgentID?
    /// How many attempts were started.
    public let attempts: Int
    /// How long the last attempt took.
    public let duration: Duration
    /// What all attempts used.
    public let usage: Usage

    /// An end.
    public init(
        _ work: WorkID, _ result: Result, by agent: AgentID? = nil, attempts: Int = 1,
        duration: Duration = .zero, usage: Usage = Usage()
    ) {
        self.work = work
        self.result = result
        self.agent = agent
        self.attempts = attempts
        self.duration = duration
        self.usage = usage
    }

    /// The answer, if it was done.
    public var answer: WorkAnswer? {
        if case .succeeded(let answer) = result { answer } else { nil }
    }

    /// Why not, if it failed.
    public var failure: WorkFailure? {
        if case .failed(let failure) = result { failure } else { nil }
    }

    /// `{"work", "result": "succeeded", "answer"}` or `{"work", "result": "failed", "failure"}` or
    /// `{"work", "result": "cancelled"}`, with `agent`, `attempts`, `duration` and `usage`.
    public var json: JSONValue {
        var object: JSONObject = ["work": .string(work.description)]
        switch result {
        case .succeeded(let answer):
            object["result"] = "succeeded"
            object["answer"] = answer.json
        case .failed(let failure):
            object["result"] = "failed"
            object["failure"] = failure.json
        case .cancelled: object["result"] = "cancelled"
        }
        object.set("agent", agent.map { .string($0.description) })
        object["attempts"] = JSONValue(attempts)
        object["duration"] = duration.json
        object["usage"] = usage.json
        return .object(object)
    }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        let result: Result
        switch try fields.string("result") {
        case "succeeded":
            result = .succeeded(
                try WorkAnswer(json: fields["answer"] ?? .null, at: path + ".answer"))
        case "failed":
            result = .failed(
                try WorkFailure(json: fields["failure"] ?? .null, at: path + ".failure"))
        case "cancelled": result = .cancelled
        default:
            throw fields.malformed("result", expected: "succeeded, failed or cancelled")
        }
        self.init(
            try fields.work(), result, by: try fields.agent("agent"),
            attempts: try fields.count(ifAny: "attempts") ?? 0,
            duration: try fields.duration("duration") ?? .zero,
            usage: try Usage(json: fields["usage"], at: path + ".usage"))
    }
}
