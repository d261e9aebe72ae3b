// TaskError.swift — why something that was asked of tasks was not done. Next: TaskStore.swift.

public import NocturneCore

/// Why something that was asked of tasks was not done.
public enum TaskError: ReportableError, Hashable {
    /// A name that is empty, too long, or has control characters.
    case invalidName(_ what: String, String)
    /// More bytes, or more things, than there may be.
    case tooLarge(_ what: String, Int, _ limit: Int)
    /// A moment or a duration that makes no sense.
    case invalidTime(_ what: String, _ allowed: String)
    /// A text that is no schedule.
    case invalidSchedule(ScheduleError)
    /// A value that has no form in JSON, or JSON that does not fit a type.
    case notEncodable(_ what: String, _ why: String)
    /// No such task, or not any more.
    case notFound(TaskID)
    /// No such schedule.
    case noSchedule(String)
    /// No such queue: it was not set up, and no task stood in it.
    case noQueue(String)
    /// What was asked cannot be done in the task's state.
    case wrongState(TaskID, TaskState, _ verb: String)
    /// A task that ended cannot begin anew: a newer one has its unique key, and there may be only one.
    case uniqueKeyHeld(String, by: TaskID)
    /// A task of a graph, other than its first, has a unique or idempotency key.
    case keyInGraph(_ reference: String)
    /// The tasks of a graph that wait for each other, in a ring.
    case cycle([String])
    /// A task of a graph waits for one that is not in it.
    case unknownReference(String, by: String)
    /// Two tasks of a graph have the same reference.
    case repeatedReference(String)
    /// The claim was lost: somebody else runs the task, or nobody does.
    case claimLost(TaskID)
    /// The task ended badly.
    case failed(TaskID, TaskFailure)
    /// The task was cancelled.
    case cancelled(TaskID)
    /// The task did not run, because of what became of others.
    case skipped(TaskID)
    /// The manager was shut down.
    case shutDown
    /// The store could not do it.
    case store(_ reason: String)
    /// Another process has the store.
    case storeInUse(_ reason: String)

    /// What failed, on what, and what to do.
    public var description: String {
        switch self {
        case .invalidName(let what, let name):
            "the \(what) name \(quoted(name)) is not allowed: 1 to \(NewTask.longestNameBytes) bytes"
                + " without control characters"
        case .tooLarge(let what, let size, let limit):
            "\(what) has \(size), the limit is \(limit)"
        case .invalidTime(let what, let allowed): "\(what) must be \(allowed)"
        case .invalidSchedule(let error): "\(error)"
        case .notEncodable(let what, let why): "\(what) cannot be read or written as JSON: \(why)"
        case .notFound(let id): "there is no task \(id), or it was removed after it ended"
        case .noSchedule(let name): "there is no schedule \(quoted(name))"
        case .noQueue(let name): "there is no queue \(quoted(name))"
        case .wrongState(let id, let state, let verb): "cannot \(verb) task \(id): it is \(state)"
        case .uniqueKeyHeld(let key, let holder):
            "task \(holder) has the unique key \(quoted(key)) now: cancel it first, or leave it to that one"
        case .keyInGraph(let reference):
            "task \(quoted(reference)) has a unique or idempotency key: only the first task of a graph"
                + " may, for all of it"
        case .cycle(let ring):
            "these tasks wait for each other: \(ring.joined(separator: " → "))"
        case .unknownReference(let name, let task):
            "task \(quoted(task)) waits for \(quoted(name)), which is not in the graph"
        case .repeatedReference(let name): "two tasks of the graph are named \(quoted(name))"
        case .claimLost(let id): "task \(id) is not run by this worker any more"
        case .failed(let id, let failure): "task \(id) failed: \(failure)"
        case .cancelled(let id): "task \(id) was cancelled"
        case .skipped(let id): "task \(id) was skipped"
        case .shutDown: "the task manager was shut down"
        case .store(let reason): "the task store failed: \(reason)"
        case .storeInUse(let reason): "the task store cannot be opened: \(reason)"
        }
    }

    /// Stable name of the kind.
    public var code: String {
        switch self {
        case .invalidName: "invalidName"
        case .tooLarge: "tooLarge"
        case .invalidTime: "invalidTime"
        case .invalidSchedule: "invalidSchedule"
        case .notEncodable: "notEncodable"
        case .notFound: "unknownTask"
        case .noSchedule: "unknownSchedule"
        case .noQueue: "unknownQueue"
        case .wrongState: "wrongState"
        case .cycle: "cycle"
        case .unknownReference: "unknownReference"
        case .repeatedReference: "repeatedReference"
        case .claimLost: "claimLost"
        case .failed: "taskFailed"
        case .cancelled: "taskCancelled"
        case .skipped: "taskSkipped"
        case .shutDown: "shutDown"
        case .store: "storeFailed"
        case .storeInUse: "storeInUse"
        case .uniqueKeyHeld: "uniqueKeyHeld"
        case .keyInGraph: "keyInGraph"
        }
    }

    /// None: a task is nobody's.
    public var plugin: PluginID? { nil }

    /// Whether the same request may succeed later with nothing changed.
    public var isRetryable: Bool {
        switch self {
        case .storeInUse, .shutDown: true
        default: false
        }
    }

    /// 65: what was asked for cannot be. 75: worth another try. 70: everything else.
    public var exitStatus: Int32 {
        switch self {
        case .storeInUse, .shutDown: 75
        case .store, .claimLost, .failed, .cancelled, .skipped: 70
        default: 65
        }
    }
}
