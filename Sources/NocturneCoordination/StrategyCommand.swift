// StrategyCommand.swift — what a strategy wants done. Its JSON is what strategy plugins write. Next: Goal.swift.

public import NocturneCore

/// Whom a message is for.
public enum Recipient: Sendable, Hashable {
    /// One agent.
    case agent(AgentID)
    /// All agents of the session.
    case everyone
    /// All who subscribed to a topic.
    case topic(String)
}

/// A plan that a strategy asks for. The session sees to it that what the strategy is given can be carried out.
public struct PlanRequest: Sendable, Hashable {
    /// Its name, new within the execution, like that of a work: asking for a plan is one.
    public var id: WorkID
    /// Who is asked; `nil`: the goal's planner, else the leader.
    public var planner: AgentID?
    /// What shall be planned.
    public var text: String
    /// What it is about, and what is known so far.
    public var payload: JSONValue
    /// Agents that wait for what is planned, and therefore cannot be given any of it.
    public var ancestors: [AgentID]

    /// A request.
    public init(
        _ id: WorkID, by planner: AgentID? = nil, text: String, payload: JSONValue = .null,
        ancestors: [AgentID] = []
    ) {
        self.id = id
        self.planner = planner
        self.text = text
        self.payload = payload
        self.ancestors = ancestors
    }
}

/// Something that a strategy asks a person.
public struct Question: Sendable, Hashable {
    /// Its name, new within the execution.
    public var id: String
    /// What is asked.
    public var text: String
    /// The answers that are possible; empty: any.
    public var options: [String]
    /// How long it waits for an answer.
    public var deadline: Duration
    /// What counts as the answer then.
    public var defaultAnswer: JSONValue

    /// A question.
    public init(
        _ id: String, text: String, options: [String] = [], deadline: Duration,
        defaultAnswer: JSONValue
    ) {
        self.id = id
        self.text = text
        self.options = options
        self.deadline = max(deadline, .zero)
        self.defaultAnswer = defaultAnswer
    }

    var json: JSONValue {
        var object: JSONObject = ["id": .string(id), "text": .string(text)]
        if !options.isEmpty { object["options"] = options.jsonTexts }
        object["deadline"] = deadline.json
        object["default"] = defaultAnswer
        return .object(object)
    }
}

/// What a strategy wants done. JSON: an object whose `type` is the name of the case.
///
/// A command that makes no sense (an id that is taken, a work that is unknown) fails the execution:
/// `failed(strategyFailed)` says which.
public enum StrategyCommand: Sendable, Hashable {
    /// Have a work done. `{"work": {…}}`
    case assign(Work)
    /// Have a running work done by somebody else as well; the first result counts. Nothing happens if nobody is free or
    /// the work is not running. `{"work"}`
    case hedge(WorkID)
    /// Take a work back; it ends as cancelled, if it has not ended. `{"work"}`
    case cancel(WorkID)
    /// Ask for a plan. `{"request", "planner", "text", "payload", "ancestors"}`
    case plan(PlanRequest)
    /// Check a delegation that came as an answer, and answer as if it had been asked for. `{"request", "plan", "agent",
    /// "ancestors"}`
    case validate(request: WorkID, plan: JSONValue, by: AgentID, ancestors: [AgentID])
    /// Send a message. `{"to" or "topic" or neither for everyone, "payload"}`
    case send(Recipient, JSONValue)
    /// Set a timer, or set it anew. `{"timer", "after"}` in milliseconds
    case setTimer(String, after: Duration)
    /// Forget a timer. `{"timer"}`
    case cancelTimer(String)
    /// Ask a person. `{"question": {"id", "text", "options", "deadline", "default"}}`
    case ask(Question)
    /// Say how much all works will weigh together, so that progress is right before all are assigned. `{"weight"}`
    case expect(weight: Double)
    /// End the execution. `{"outcome": {…}}`
    case finish(OutcomeProposal)
    /// Write into the timeline why something is as it is. `{"text"}`
    case note(String)
}

extension StrategyCommand {
    /// The object that strategy plugins write.
    public var json: JSONValue {
        switch self {
        case .assign(let work): ["type": "assign", "work": work.json]
        case .hedge(let work): ["type": "hedge", "work": .string(work.description)]
        case .cancel(let work): ["type": "cancel", "work": .string(work.description)]
        case .plan(let request):
            [
                "type": "plan", "request": .string(request.id.description),
                "planner": request.planner.map { .string($0.description) } ?? .null,
                "text": .string(request.text), "payload": request.payload,
                "ancestors": request.ancestors.jsonTexts,
            ]
        case .validate(let request, let plan, let agent, let ancestors):
            [
                "type": "validate", "request": .string(request.description), "plan": plan,
                "agent": .string(agent.description), "ancestors": ancestors.jsonTexts,
            ]
        case .send(.agent(let agent), let payload):
            ["type": "send", "to": .string(agent.description), "payload": payload]
        case .send(.topic(let topic), let payload):
            ["type": "send", "topic": .string(topic), "payload": payload]
        case .send(.everyone, let payload): ["type": "send", "payload": payload]
        case .setTimer(let timer, let delay):
            ["type": "setTimer", "timer": .string(timer), "after": delay.json]
        case .cancelTimer(let timer): ["type": "cancelTimer", "timer": .string(timer)]
        case .ask(let question): ["type": "ask", "question": question.json]
        case .expect(let weight): ["type": "expect", "weight": JSONValue(weight) ?? 0]
        case .finish(let outcome): ["type": "finish", "outcome": outcome.json]
        case .note(let text): ["type": "note", "text": .string(text)]
        }
    }

    /// Reads what a strategy plugin wrote.
    public init(json: JSONValue) throws(CoordinationError) {
        try self.init(json: json, at: "command")
    }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        switch try fields.string("type") {
        case "assign":
            self = .assign(try Work(json: fields["work"] ?? .null, at: path + ".work"))
        case "hedge": self = .hedge(try fields.work())
        case "cancel": self = .cancel(try fields.work())
        case "plan":
            self = .plan(
                PlanRequest(
                    try fields.work("request"), by: try fields.agent("planner"),
                    text: try fields.string("text"), payload: fields["payload"] ?? .null,
                    ancestors: try fields.agents("ancestors")))
        case "validate":
            self = .validate(
                request: try fields.work("request"), plan: fields["plan"] ?? .null,
                by: try AgentID(fields.string("agent")), ancestors: try fields.agents("ancestors"))
        case "send": self = .send(try Recipient(fields), fields["payload"] ?? .null)
        case "setTimer":
            guard let delay = try fields.duration("after") else {
                throw fields.malformed("after", expected: "milliseconds")
            }
            self = .setTimer(try fields.string("timer"), after: delay)
        case "cancelTimer": self = .cancelTimer(try fields.string("timer"))
        case "ask":
            self = .ask(try Question(json: fields["question"] ?? .null, at: path + ".question"))
        case "expect":
            guard let weight = try fields.number("weight"), weight >= 0 else {
                throw fields.malformed("weight", expected: "a number of at least 0")
            }
            self = .expect(weight: weight)
        case "finish":
            self = .finish(
                try OutcomeProposal(json: fields["outcome"] ?? .null, at: path + ".outcome"))
        case "note": self = .note(try fields.string("text"))
        default: throw fields.malformed("type", expected: "a kind of command")
        }
    }
}

extension Recipient {
    fileprivate init(_ fields: JSONFields) throws(CoordinationError) {
        if let agent = try fields.agent("to") {
            self = .agent(agent)
        } else if let topic = try fields.string(ifAny: "topic") {
            self = .topic(topic)
        } else {
            self = .everyone
        }
    }
}

extension Question {
    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        guard let deadline = try fields.duration("deadline") else {
            throw fields.malformed("deadline", expected: "milliseconds")
        }
        self.init(
            try fields.string("id"), text: try fields.string("text"),
            options: try fields.strings("options"), deadline: deadline,
            defaultAnswer: fields["default"] ?? .null)
    }
}
