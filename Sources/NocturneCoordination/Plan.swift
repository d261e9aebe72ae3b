// Plan.swift — a goal split into subtasks, as data: what a planner answers. Next: PlanValidation.swift.

public import NocturneCore

/// A part of a plan.
public struct Subtask: Sendable, Hashable {
    /// Its name within the plan.
    public var id: String
    /// What is to be done.
    public var text: String
    /// What it is about, as data.
    public var payload: JSONValue
    /// Capabilities that whoever does it must have.
    public var requires: [String]
    /// Subtasks that must have succeeded before; it is given their results.
    public var after: [String]
    /// Who should do it; `nil`: whoever fits.
    public var agent: AgentID?
    /// What it counts for in the progress.
    public var weight: Double
    /// Tokens that it will use, as far as known.
    public var tokens: Int64?

    /// A part that anyone who fits may do.
    public init(
        _ id: String, text: String, payload: JSONValue = .null, requires: [String] = [],
        after: [String] = [], agent: AgentID? = nil, weight: Double = 1, tokens: Int64? = nil
    ) {
        self.id = id
        self.text = text
        self.payload = payload
        self.requires = requires
        self.after = after
        self.agent = agent
        self.weight = weight
        self.tokens = tokens
    }

    /// `{"id", "text", "payload", "requires", "after", "agent", "weight", "tokens"}`
    public var json: JSONValue {
        var object: JSONObject = ["id": .string(id), "text": .string(text)]
        if !payload.isNull { object["payload"] = payload }
        if !requires.isEmpty { object["requires"] = requires.jsonTexts }
        if !after.isEmpty { object["after"] = after.jsonTexts }
        object.set("agent", agent.map { .string($0.description) })
        if weight != 1 { object["weight"] = JSONValue(weight) }
        object.set("tokens", tokens.map { JSONValue($0) })
        return .object(object)
    }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        self.init(
            try fields.string("id"), text: try fields.string("text"),
            payload: fields["payload"] ?? .null, requires: try fields.strings("requires"),
            after: try fields.strings("after"), agent: try fields.agent("agent"),
            weight: try fields.number("weight") ?? 1, tokens: try fields.integer("tokens"))
        if weight < 0 { throw fields.malformed("weight", expected: "a number of at least 0") }
        if let tokens, tokens < 0 {
            throw fields.malformed("tokens", expected: "an integer of at least 0")
        }
    }
}

/// A goal split into subtasks.
public struct Plan: Sendable, Hashable {
    /// The parts, in the order in which they were declared.
    public var subtasks: [Subtask]

    /// A plan of those parts. Whether it can be carried out is for the session to say.
    public init(_ subtasks: [Subtask]) { self.subtasks = subtasks }

    /// `{"subtasks": […]}`
    public var json: JSONValue { ["subtasks": .array(subtasks.map(\.json))] }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        guard fields["subtasks"] != nil else {
            throw fields.malformed("subtasks", expected: "an array of subtasks")
        }
        subtasks = try fields.list("subtasks", Subtask.init(json:at:))
    }
}

/// Something that is wrong with a plan; its planner is told.
public struct PlanProblem: Sendable, Hashable, CustomStringConvertible {
    /// The kinds of problem.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// It is not the JSON of a plan.
        case malformed
        /// It has no subtask.
        case empty
        /// It has more subtasks than allowed.
        case tooMany
        /// Two subtasks have the same name.
        case duplicate
        /// A subtask comes after one that is not there.
        case unknownDependency
        /// Subtasks wait for each other.
        case cycle
        /// Chains of subtasks, or delegations within each other, are too long.
        case tooDeep
        /// Too many subtasks wait for the same one, or one waits for too many.
        case tooWide
        /// Nobody in the session has a capability.
        case unknownCapability
        /// An agent is not in the session, or takes no work.
        case unknownAgent
        /// A subtask would go back to an agent that is waiting for it.
        case delegationCycle
        /// The parts need more than is left of the budget.
        case overBudget
    }

    /// The kind.
    public let kind: Kind
    /// The subtask it is about, if it is one.
    public let subtask: String?
    /// What is wrong, and what would be right.
    public let message: String

    init(_ kind: Kind, of subtask: String? = nil, _ message: String) {
        self.kind = kind
        self.subtask = subtask
        self.message = message
    }

    /// What is wrong, and where.
    public var description: String { subtask.map { "\($0): \(message)" } ?? message }

    /// `{"kind", "subtask", "message"}`
    public var json: JSONValue {
        var object: JSONObject = ["kind": .string(kind.rawValue), "message": .string(message)]
        object.set("subtask", subtask.map { .string($0) })
        return .object(object)
    }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        guard let kind = Kind(rawValue: try fields.string("kind")) else {
            throw fields.malformed("kind", expected: "a kind of problem")
        }
        self.init(
            kind, of: try fields.string(ifAny: "subtask"), try fields.string("message"))
    }
}

/// Why there is no plan.
public enum PlanFailure: Sendable, Hashable, CustomStringConvertible {
    /// Nobody can be asked.
    case noPlanner(String)
    /// Every answer had problems; these are the last one's.
    case invalid(attempts: Int, [PlanProblem])
    /// Whoever was asked gave no answer.
    case unanswered(WorkFailure)

    /// Why, in a sentence.
    public var description: String {
        switch self {
        case .noPlanner(let reason): "nobody can be asked for a plan: \(reason)"
        case .invalid(let attempts, let problems):
            "\(attempts) plans were invalid; the last one: "
                + problems.map(\.description).joined(separator: "; ")
        case .unanswered(let failure): "the planner gave no plan: \(failure)"
        }
    }

    var json: JSONValue {
        switch self {
        case .noPlanner(let reason): ["reason": "noPlanner", "message": .string(reason)]
        case .invalid(let attempts, let problems):
            [
                "reason": "invalidPlan", "attempts": JSONValue(attempts),
                "problems": .array(problems.map(\.json)),
            ]
        case .unanswered(let failure): ["reason": "unanswered", "failure": failure.json]
        }
    }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        switch try fields.string("reason") {
        case "noPlanner": self = .noPlanner(try fields.string("message"))
        case "invalidPlan":
            self = .invalid(
                attempts: try fields.count("attempts"),
                try fields.list("problems", PlanProblem.init(json:at:)))
        case "unanswered":
            self = .unanswered(
                try WorkFailure(json: fields["failure"] ?? .null, at: path + ".failure"))
        default: throw fields.malformed("reason", expected: "noPlanner, invalidPlan or unanswered")
        }
    }
}
