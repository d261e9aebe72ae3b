// StrategyInput.swift — what a strategy is told. Its JSON is what strategy plugins read. Next: StrategyCommand.swift.

public import NocturneCore

/// What a strategy is told when an execution begins.
public struct StrategyStart: Sendable, Hashable {
    /// The session.
    public var session: SessionID
    /// What is wanted. If it says `decompose`, the strategy asks for a plan first.
    public var goal: Goal
    /// The agents, in the order in which they joined.
    public var roster: [AgentDescriptor]
    /// Who leads; `nil` only if nobody can.
    public var leader: AgentID?
    /// For choices that would otherwise be arbitrary.
    public var seed: UInt64
    /// Whether a failed work is something to go on from. If not, the first failure ends the execution.
    public var isFaultTolerant: Bool

    /// A start.
    public init(
        session: SessionID, goal: Goal, roster: [AgentDescriptor], leader: AgentID? = nil,
        seed: UInt64 = 0, isFaultTolerant: Bool = true
    ) {
        self.session = session
        self.goal = goal
        self.roster = roster
        self.leader = leader
        self.seed = seed
        self.isFaultTolerant = isFaultTolerant
    }
}

/// What a strategy is told. JSON: an object whose `type` is the name of the case.
public enum StrategyInput: Sendable, Hashable {
    /// The execution begins; always first, once. `{"session", "goal", "roster", "leader", "seed", "faultTolerant"}`
    case started(StrategyStart)
    /// An agent joined. `{"agent": {…}}`
    case agentJoined(AgentDescriptor)
    /// An agent left; its works go to others by themselves. `{"agent", "reason"}`
    case agentLeft(AgentID, reason: String)
    /// Another agent leads, or nobody can. `{"leader"}`
    case leaderChanged(AgentID?)
    /// An attempt at a work began. `{"work", "agent", "attempt"}`
    case workStarted(WorkID, by: AgentID, attempt: Int)
    /// A work ended for good; once for each work. `{"end": {…}}`
    case workEnded(WorkEnd)
    /// There is a valid plan. `{"request", "plan", "agent"}`
    case planReceived(request: WorkID, Plan, by: AgentID)
    /// There is none. `{"request", "failure"}`
    case planFailed(request: WorkID, PlanFailure)
    /// An agent, or a person (`from` is `nil`), says something to the strategy. `{"from", "payload"}`
    case message(from: AgentID?, JSONValue)
    /// A timer is due. `{"timer"}`
    case timerFired(String)
    /// A question was answered, or its time was up and this is the default. `{"question", "value", "isDefault"}`
    case answered(question: String, JSONValue, isDefault: Bool)
    /// Four fifths of a limit are used up. `{"limit"}`
    case budgetWarning(BudgetLimit)
    /// A limit is reached: nothing more is started, but one work that says `isWrapUp`. `{"limit"}`
    case wrapUp(BudgetLimit)
    /// The session pauses: nothing is started until it goes on; commands are kept.
    case paused
    /// The session goes on.
    case resumed
    /// Nothing is going on: no work, no plan, no timer, no question.
    case quiescent
}

extension StrategyInput {
    /// The name of the case: `type` in JSON.
    public var type: String {
        switch self {
        case .started: "started"
        case .agentJoined: "agentJoined"
        case .agentLeft: "agentLeft"
        case .leaderChanged: "leaderChanged"
        case .workStarted: "workStarted"
        case .workEnded: "workEnded"
        case .planReceived: "planReceived"
        case .planFailed: "planFailed"
        case .message: "message"
        case .timerFired: "timerFired"
        case .answered: "answered"
        case .budgetWarning: "budgetWarning"
        case .wrapUp: "wrapUp"
        case .paused: "paused"
        case .resumed: "resumed"
        case .quiescent: "quiescent"
        }
    }

    /// The object that strategy plugins read.
    public var json: JSONValue {
        var object: JSONObject = ["type": .string(type)]
        switch self {
        case .started(let start): start.write(to: &object)
        case .agentJoined(let agent): object["agent"] = agent.json
        case .agentLeft(let agent, let reason):
            object["agent"] = .string(agent.description)
            object["reason"] = .string(reason)
        case .leaderChanged(let leader):
            object["leader"] = leader.map { .string($0.description) } ?? .null
        case .workStarted(let work, let agent, let attempt):
            object["work"] = .string(work.description)
            object["agent"] = .string(agent.description)
            object["attempt"] = JSONValue(attempt)
        case .workEnded(let end): object["end"] = end.json
        case .planReceived(let request, let plan, let agent):
            object["request"] = .string(request.description)
            object["plan"] = plan.json
            object["agent"] = .string(agent.description)
        case .planFailed(let request, let failure):
            object["request"] = .string(request.description)
            object["failure"] = failure.json
        case .message(let sender, let payload):
            object["from"] = sender.map { .string($0.description) } ?? .null
            object["payload"] = payload
        case .timerFired(let timer): object["timer"] = .string(timer)
        case .answered(let question, let value, let isDefault):
            object["question"] = .string(question)
            object["value"] = value
            object["isDefault"] = .bool(isDefault)
        case .budgetWarning(let limit), .wrapUp(let limit):
            object["limit"] = .string(limit.rawValue)
        case .paused, .resumed, .quiescent: break
        }
        return .object(object)
    }

    /// Reads what ``json`` wrote.
    public init(json: JSONValue) throws(CoordinationError) {
        let fields = try JSONFields(json, at: "input")
        switch try fields.string("type") {
        case "started": self = .started(try StrategyStart(fields))
        case "agentJoined":
            self = .agentJoined(
                try AgentDescriptor(json: fields["agent"] ?? .null, at: "input.agent"))
        case "agentLeft":
            self = .agentLeft(
                try AgentID(fields.string("agent")), reason: try fields.string("reason"))
        case "leaderChanged": self = .leaderChanged(try fields.agent("leader"))
        case "workStarted":
            self = .workStarted(
                try fields.work(), by: try AgentID(fields.string("agent")),
                attempt: try fields.count("attempt"))
        case "workEnded":
            self = .workEnded(try WorkEnd(json: fields["end"] ?? .null, at: "input.end"))
        case "planReceived":
            self = .planReceived(
                request: try fields.work("request"),
                try Plan(json: fields["plan"] ?? .null, at: "input.plan"),
                by: try AgentID(fields.string("agent")))
        case "planFailed":
            self = .planFailed(
                request: try fields.work("request"),
                try PlanFailure(json: fields["failure"] ?? .null, at: "input.failure"))
        case "message":
            self = .message(from: try fields.agent("from"), fields["payload"] ?? .null)
        case "timerFired": self = .timerFired(try fields.string("timer"))
        case "answered":
            self = .answered(
                question: try fields.string("question"), fields["value"] ?? .null,
                isDefault: try fields.flag("isDefault") ?? false)
        case "budgetWarning": self = .budgetWarning(try BudgetLimit(fields))
        case "wrapUp": self = .wrapUp(try BudgetLimit(fields))
        case "paused": self = .paused
        case "resumed": self = .resumed
        case "quiescent": self = .quiescent
        default: throw fields.malformed("type", expected: "a kind of input")
        }
    }
}

extension StrategyStart {
    fileprivate func write(to object: inout JSONObject) {
        object["session"] = .string(session.description)
        object["goal"] = goal.json
        object["roster"] = .array(roster.map(\.json))
        object["leader"] = leader.map { .string($0.description) } ?? .null
        // As a text, because not every reader has 64 bits.
        object["seed"] = .string("\(seed)")
        object["faultTolerant"] = .bool(isFaultTolerant)
    }

    fileprivate init(_ fields: JSONFields) throws(CoordinationError) {
        guard let seed = UInt64(try fields.string("seed")) else {
            throw fields.malformed("seed", expected: "an integer in a string")
        }
        self.init(
            session: try SessionID(fields.string("session")),
            goal: try Goal(json: fields["goal"] ?? .null, at: "input.goal"),
            roster: try fields.list("roster", AgentDescriptor.init(json:at:)),
            leader: try fields.agent("leader"), seed: seed,
            isFaultTolerant: try fields.flag("faultTolerant") ?? true)
    }
}

extension BudgetLimit {
    fileprivate init(_ fields: JSONFields) throws(CoordinationError) {
        guard let limit = BudgetLimit(rawValue: try fields.string("limit")) else {
            throw fields.malformed("limit", expected: "a limit of a budget")
        }
        self = limit
    }
}
