// Outcome.swift — what an execution came to. What was finished is always in it. Next: CoordinationError.swift.

public import NocturneCore

/// How an execution ended.
public enum OutcomeStatus: Sendable, Hashable, CustomStringConvertible {
    /// The goal was reached.
    case completed
    /// Some of it was.
    case partial
    /// It was not, and why.
    case failed(FailureReason)
    /// Somebody ended it.
    case cancelled
    /// A limit of the budget was reached.
    case budgetExhausted(BudgetLimit)
    /// It was decided against: a vote, a veto, a reviewer.
    case rejected

    /// Why an execution failed.
    public enum FailureReason: String, Sendable, Hashable, CaseIterable {
        /// Planners gave only plans that cannot be carried out.
        case invalidPlan
        /// Nobody could be asked for a plan.
        case noPlanner
        /// A work failed, and the strategy goes no further without it.
        case workFailed
        /// Nobody in the session can do what is needed.
        case unassignable
        /// Too few took part in a decision.
        case noQuorum
        /// A decision was not reached.
        case noDecision
        /// Nothing was going on any more, and there was no result.
        case quiescentWithoutResult
        /// Rounds passed without anything new.
        case stalled
        /// The strategy itself failed: too slow, crashed, or said what makes no sense.
        case strategyFailed
    }

    /// The status in one word, with the reason of a failure: `failed(invalidPlan)`.
    public var description: String {
        switch self {
        case .failed(let reason): "failed(\(reason.rawValue))"
        case .budgetExhausted(let limit): "budgetExhausted(\(limit.rawValue))"
        default: name
        }
    }

    /// The status in one word: `completed`, `partial`, `failed`, `cancelled`, `budgetExhausted`, `rejected`.
    public var name: String {
        switch self {
        case .completed: "completed"
        case .partial: "partial"
        case .failed: "failed"
        case .cancelled: "cancelled"
        case .budgetExhausted: "budgetExhausted"
        case .rejected: "rejected"
        }
    }

    var reason: String? {
        switch self {
        case .failed(let reason): reason.rawValue
        case .budgetExhausted(let limit): limit.rawValue
        default: nil
        }
    }

    init(name: String, reason: String?, in fields: JSONFields) throws(CoordinationError) {
        switch name {
        case "completed": self = .completed
        case "partial": self = .partial
        case "cancelled": self = .cancelled
        case "rejected": self = .rejected
        case "failed":
            guard let reason = FailureReason(rawValue: reason ?? "") else {
                throw fields.malformed(
                    "reason",
                    expected: FailureReason.allCases.map(\.rawValue).joined(separator: ", "))
            }
            self = .failed(reason)
        case "budgetExhausted":
            guard let limit = BudgetLimit(rawValue: reason ?? "") else {
                throw fields.malformed(
                    "reason", expected: BudgetLimit.allCases.map(\.rawValue).joined(separator: ", ")
                )
            }
            self = .budgetExhausted(limit)
        default: throw fields.malformed("status", expected: "a status of an outcome")
        }
    }
}

/// Somebody who was of another mind than the outcome.
public struct Dissent: Sendable, Hashable {
    /// Who.
    public let agent: AgentID
    /// What they wanted, or have against it.
    public let opinion: JSONValue

    /// A dissent.
    public init(_ agent: AgentID, _ opinion: JSONValue) {
        self.agent = agent
        self.opinion = opinion
    }

    /// `{"agent", "opinion"}`
    public var json: JSONValue { ["agent": .string(agent.description), "opinion": opinion] }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        self.init(try AgentID(fields.string("agent")), fields["opinion"] ?? .null)
    }
}

/// What a strategy says that an execution came to. The session adds the works and what was used.
public struct OutcomeProposal: Sendable, Hashable {
    /// How it ended.
    public var status: OutcomeStatus
    /// What it came to.
    public var value: JSONValue
    /// Why so, for people.
    public var explanation: String
    /// Who was of another mind.
    public var dissent: [Dissent]

    /// A proposal.
    public init(
        _ status: OutcomeStatus, value: JSONValue = .null, explanation: String = "",
        dissent: [Dissent] = []
    ) {
        self.status = status
        self.value = value
        self.explanation = explanation
        self.dissent = dissent
    }

    /// `{"status", "reason", "value", "explanation", "dissent"}`
    public var json: JSONValue { .object(object) }

    var object: JSONObject {
        var object: JSONObject = ["status": .string(status.name)]
        object.set("reason", status.reason.map { .string($0) })
        object["value"] = value
        if !explanation.isEmpty { object["explanation"] = .string(explanation) }
        if !dissent.isEmpty { object["dissent"] = .array(dissent.map(\.json)) }
        return object
    }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        self.init(
            try OutcomeStatus(
                name: fields.string("status"), reason: fields.string(ifAny: "reason"), in: fields),
            value: fields["value"] ?? .null,
            explanation: try fields.string(ifAny: "explanation") ?? "",
            dissent: try fields.list("dissent", Dissent.init(json:at:)))
    }
}

/// What an execution came to. Whatever the status, the results of finished works are in it.
public struct Outcome: Sendable, Hashable {
    /// How it ended.
    public let status: OutcomeStatus
    /// What it came to.
    public let value: JSONValue
    /// Why so, for people.
    public let explanation: String
    /// Who was of another mind.
    public let dissent: [Dissent]
    /// Every work, in the order in which the strategy asked for them, and how it ended.
    public let works: [WorkEnd]
    /// What was used.
    public let usage: Usage
    /// From the start to the end, pauses included.
    public let duration: Duration

    /// The works that failed, and why.
    public var errors: [(work: WorkID, failure: WorkFailure)] {
        works.compactMap { end in end.failure.map { (end.work, $0) } }
    }

    /// The result of one work; `nil` if it did not succeed.
    public func result(of work: WorkID) -> JSONValue? {
        works.first { $0.work == work }?.answer?.value
    }

    /// `{"status", "reason", "value", "explanation", "dissent", "works", "usage", "duration"}`
    public var json: JSONValue {
        var object = OutcomeProposal(
            status, value: value, explanation: explanation, dissent: dissent
        ).object
        object["works"] = .array(works.map(\.json))
        object["usage"] = usage.json
        object["duration"] = duration.json
        return .object(object)
    }
}
