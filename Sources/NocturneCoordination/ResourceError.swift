// ResourceError.swift — why something shared could not be had or changed. Next: Blackboard.swift.

public import NocturneCore

/// Why something that a session's agents share could not be had or changed.
public enum ResourceError: ReportableError, Hashable {
    /// A text that names no resource, or a number that makes no sense.
    case invalid(_ what: String, _ why: String)
    /// More than there may be of something.
    case full(_ what: String, limit: Int)
    /// Others wrote these keys since they were read.
    case conflict(keys: [String])
    /// Others have it, and the request was not to wait.
    case busy(_ name: String, holders: [ResourceHolder])
    /// It did not become free as soon as the request wanted it.
    case notInTime(_ name: String)
    /// To wait would be to wait for each other, in this ring.
    case deadlock(_ name: String, ring: [ResourceHolder])
    /// The lease was released, has expired, or was never given.
    case leaseGone(LeaseID)
    /// The lease does not allow that on this name.
    case notCovered(LeaseID, _ name: String)
    /// No semaphore has that name.
    case unknownSemaphore(String)

    /// What failed, on what, and what to do.
    public var description: String {
        switch self {
        case .invalid(let what, let why): "\(what) is not possible: \(why)"
        case .full(let what, let limit): "there are \(limit) \(what) already, the most there may be"
        case .conflict(let keys):
            "others wrote \(keys.joined(separator: ", ")) since it was read: read again and redo the work"
        case .busy(let name, let holders):
            holders.isEmpty
                ? "others wait for \(name) already"
                : "\(name) is held by \(holders.map(\.description).joined(separator: ", "))"
        case .notInTime(let name): "\(name) did not become free in time"
        case .deadlock(let name, let ring):
            "waiting for \(name) would never end, each waits for the next: "
                + (ring + ring.prefix(1)).map(\.description).joined(separator: " → ")
                + "; release something and try again"
        case .leaseGone(let id): "lease \(id) was released or has expired"
        case .notCovered(let id, let name): "lease \(id) does not allow that on \(name)"
        case .unknownSemaphore(let name): "there is no semaphore \(quoted(name))"
        }
    }

    /// Stable name of the kind.
    public var code: String {
        switch self {
        case .invalid: "invalidResource"
        case .full: "tooManyResources"
        case .conflict: "conflict"
        case .busy: "resourceBusy"
        case .notInTime: "notInTime"
        case .deadlock: "deadlock"
        case .leaseGone: "leaseGone"
        case .notCovered: "notCovered"
        case .unknownSemaphore: "unknownSemaphore"
        }
    }

    /// None: a session is nobody's.
    public var plugin: PluginID? { nil }

    /// Whether the same request may succeed later with nothing changed.
    public var isRetryable: Bool {
        switch self {
        case .busy, .notInTime, .full, .deadlock: true
        default: false
        }
    }

    /// 75: worth another try. 65: everything else, which is what was asked for.
    public var exitStatus: Int32 { isRetryable ? 75 : 65 }
}

/// Who has something or waits for it: an agent, for one of its works or for itself.
public struct ResourceHolder: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The agent.
    public let agent: AgentID
    /// The work that needs it: with its end, what it holds is released.
    public let work: WorkID?

    /// An agent, or one of its works.
    public init(_ agent: AgentID, work: WorkID? = nil) { (self.agent, self.work) = (agent, work) }

    /// `agent` or `agent (work)`
    public var description: String { work.map { "\(agent) (\($0))" } ?? agent.description }

    /// By the agents' names, then by the works'.
    public static func < (left: ResourceHolder, right: ResourceHolder) -> Bool {
        (left.agent.description, left.work?.description ?? "")
            < (right.agent.description, right.work?.description ?? "")
    }
}
