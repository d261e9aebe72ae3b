// TaskEvent.swift — what happens to tasks, typed. On the wire it is an Event with the seed's names and fields.
// Next: BackgroundTaskManager.swift.

public import NocturneCore

/// Something that happened to a task.
public enum TaskEvent: Sendable, Hashable {
    /// It was added. `task:added {taskId, name, queue, priority, state}`
    case added(TaskRecord)
    /// An attempt began. `task:started {taskId, name, attempt}`
    case started(TaskRecord)
    /// It is farther. `task:progress {taskId, progress, message}`; percent.
    case progress(TaskID, TaskProgress)
    /// It completed. `task:completed {taskId, name, result, duration}`; milliseconds of the last attempt.
    case completed(TaskRecord)
    /// It failed for good. `task:failed {taskId, name, error, kind, attempts}`
    case failed(TaskRecord)
    /// An attempt failed; it is tried again. `task:retry {taskId, name, attempt, delay, error}`; milliseconds.
    case retry(TaskRecord, delay: Duration)
    /// It was cancelled. `task:cancelled {taskId, name}`
    case cancelled(TaskRecord)

    /// The kinds, by the seed's names.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A task was added.
        case added = "task:added"
        /// An attempt began.
        case started = "task:started"
        /// A task is farther.
        case progress = "task:progress"
        /// A task completed.
        case completed = "task:completed"
        /// A task failed for good.
        case failed = "task:failed"
        /// An attempt failed and is repeated.
        case retry = "task:retry"
        /// A task was cancelled.
        case cancelled = "task:cancelled"
    }

    /// The kind of this event.
    public var kind: Kind {
        switch self {
        case .added: .added
        case .started: .started
        case .progress: .progress
        case .completed: .completed
        case .failed: .failed
        case .retry: .retry
        case .cancelled: .cancelled
        }
    }

    /// The task it is about.
    public var task: TaskID {
        switch self {
        case .progress(let id, _): id
        case .added(let record), .started(let record), .completed(let record),
            .failed(let record), .retry(let record, _), .cancelled(let record):
            record.id
        }
    }

    /// The payload on the wire.
    public var payload: JSONObject {
        var payload: JSONObject = ["taskId": .string(task.description)]
        switch self {
        case .progress(_, let progress):
            payload["progress"] = JSONValue(progress.percent) ?? .null
            payload["message"] = progress.message.map { .string($0) } ?? .null
            return payload
        case .added(let record), .started(let record), .completed(let record),
            .failed(let record), .retry(let record, _), .cancelled(let record):
            payload["name"] = .string(record.name)
            add(record, to: &payload)
        }
        return payload
    }

    private func add(_ record: TaskRecord, to payload: inout JSONObject) {
        switch self {
        case .added:
            payload["queue"] = .string(record.queue)
            payload["priority"] = .string(record.priority.description)
            payload["state"] = .string(record.state.description)
        case .started: payload["attempt"] = JSONValue(record.attempt)
        case .completed:
            payload["result"] = record.resultValue
            payload["duration"] = JSONValue(record.runDuration.wholeMilliseconds)
        case .failed:
            payload["error"] = .string(record.failure?.message ?? "")
            payload["kind"] = .string(record.failure?.kind.rawValue ?? "")
            payload["attempts"] = JSONValue(record.attempt)
        case .retry(_, let delay):
            payload["attempt"] = JSONValue(record.attempt)
            payload["delay"] = JSONValue(delay.wholeMilliseconds)
            payload["error"] = .string(record.failure?.message ?? "")
        case .progress, .cancelled: break
        }
    }
}

/// What ``BackgroundTaskManager/events`` delivers.
public enum TaskEventDelivery: Sendable, Hashable {
    /// Something happened to a task; of one task in the order in which it happened.
    case event(TaskEvent)
    /// The listener was too slow: so many events were dropped for it.
    case gap(missed: Int)
    /// The store failed. Nothing is lost: what is running goes on, its ends are kept and handed in as soon as the store
    /// answers again, which it is asked to every second. Told once, not for each try; on the bus
    /// `store:failed {error}`.
    case storeFailed(TaskError)
    /// The store answers again; on the bus `store:recovered {}`.
    case storeRecovered
}

extension TaskRecord {
    /// What it came to; `null` if it has not completed, or its result is no longer kept.
    public var resultValue: JSONValue {
        guard let result, let value = try? JSONParser.parse(result) else { return .null }
        return value
    }

    /// How long its last attempt took, if that has ended.
    public var runDuration: Duration {
        guard let started, let finished else { return .zero }
        return max(.zero, finished.since(started))
    }
}
