// CoordinationError.swift — why something that was asked of a coordinator cannot be. Next: Work.swift.

public import NocturneCore

/// Why something that was asked of a coordinator cannot be.
public enum CoordinationError: ReportableError, Hashable {
    /// A text is no name of a session, an agent, a role, a capability or a work.
    case invalidName(of: String, String)
    /// A field of a JSON value is missing or wrong.
    case malformed(String, expected: String, found: String)
    /// No session has that name.
    case unknownSession(SessionID)
    /// There is a session with that name.
    case sessionExists(SessionID)
    /// No agent of the session has that name.
    case unknownAgent(AgentID, SessionID)
    /// An agent of the session has that name already.
    case agentExists(AgentID, SessionID)
    /// The session has as many agents as it may.
    case tooManyAgents(SessionID, limit: Int)
    /// The session has a leader already.
    case leaderExists(AgentID, SessionID)
    /// The session has no agent that takes work.
    case noAgents(SessionID)
    /// The goal is to be split, and nobody can be asked for a plan.
    case noPlanner(SessionID, reason: String)
    /// A goal is being carried out, and a session does one at a time.
    case busy(SessionID)
    /// The session was ended.
    case ended(SessionID)
    /// The session is not in the state that this needs.
    case wrongState(SessionID, found: String, needed: String)
    /// The goal's budget does not allow it.
    case overBudget(SessionID, BudgetLimit)
    /// No strategy has that name.
    case unknownStrategy(String, known: [String])
    /// A strategy with that name is registered already.
    case strategyExists(String)
    /// A strategy cannot work with these parameters.
    case invalidParameters(strategy: String, String)
    /// Nothing was asked by that name, or it has been answered.
    case unknownQuestion(String, SessionID)
    /// An answer is none of those that were offered.
    case invalidAnswer(question: String, allowed: [String])
    /// The log of a session cannot be read or written.
    case log(SessionID, String)

    /// What failed, on what, and what would be right.
    public var description: String {
        switch self {
        case .invalidName(let thing, let text):
            "\"\(text.prefix(80))\" is no name of a \(thing): it has 1 to \(Name.maximumBytes) ASCII letters, digits, "
                + "`.`, `_` and `-`, and begins with a letter or a digit (a work's has 1 to "
                + "\(WorkID.maximumBytes) bytes of any text on one line)"
        case .malformed(let path, let expected, let found):
            "\(path): expected \(expected), found \(found)"
        case .unknownSession(let id): "there is no session \(id); see `sessions list`"
        case .sessionExists(let id):
            "there is a session \(id) already; end and delete it, or take another name"
        case .unknownAgent(let agent, let id): "session \(id) has no agent \(agent)"
        case .agentExists(let agent, let id): "session \(id) has an agent \(agent) already"
        case .tooManyAgents(let id, let limit):
            "session \(id) has \(limit) agents, as many as `maxAgents` allows; raise it or remove one"
        case .leaderExists(let agent, let id):
            "session \(id) is led by \(agent) already; remove it first, or add this agent in another role"
        case .noAgents(let id):
            "session \(id) has no agent that takes work; add one that is neither a reviewer nor an observer"
        case .noPlanner(let id, let reason): "session \(id) cannot split the goal: \(reason)"
        case .busy(let id):
            "session \(id) is carrying out a goal; wait for its end, or use another session"
        case .ended(let id): "session \(id) was ended; create another one"
        case .wrongState(let id, let found, let needed):
            "session \(id) is \(found), and would have to be \(needed)"
        case .overBudget(let id, let limit):
            "the goal of session \(id) has used up its budget of \(limit.rawValue); give the next one more"
        case .unknownStrategy(let name, let known):
            "there is no strategy \"\(name.prefix(80))\"; there are \(known.joined(separator: ", "))"
        case .strategyExists(let name): "there is a strategy \(name) already; take another name"
        case .invalidParameters(let strategy, let what): "strategy \(strategy): \(what)"
        case .unknownQuestion(let question, let id):
            "session \(id) waits for no answer to \"\(question.prefix(80))\""
        case .invalidAnswer(let question, let allowed):
            "\"\(question.prefix(80))\" is answered by one of: \(allowed.joined(separator: ", "))"
        case .log(let id, let what): "the log of session \(id): \(what)"
        }
    }
}

extension CoordinationError {
    /// Stable name of the kind.
    public var code: String {
        switch self {
        case .invalidName: "invalidName"
        case .malformed: "malformed"
        case .unknownSession: "unknownSession"
        case .sessionExists: "sessionExists"
        case .unknownAgent: "unknownAgent"
        case .agentExists: "agentExists"
        case .tooManyAgents: "tooManyAgents"
        case .leaderExists: "leaderExists"
        case .noAgents: "noAgents"
        case .noPlanner: "noPlanner"
        case .busy: "busy"
        case .ended: "sessionEnded"
        case .wrongState: "wrongState"
        case .overBudget: "overBudget"
        case .unknownStrategy: "unknownStrategy"
        case .strategyExists: "strategyExists"
        case .invalidParameters: "invalidParameters"
        case .unknownQuestion: "unknownQuestion"
        case .invalidAnswer: "invalidAnswer"
        case .log: "logFailed"
        }
    }

    /// None: a session is nobody's.
    public var plugin: PluginID? { nil }

    /// Whether the same request may succeed later with nothing changed.
    public var isRetryable: Bool {
        if case .busy = self { true } else { false }
    }

    /// 75: worth another try. 70: a log. 65: everything else, which is what was asked for.
    public var exitStatus: Int32 {
        switch self {
        case .busy: 75
        case .log: 70
        default: 65
        }
    }
}
