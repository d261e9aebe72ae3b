// TaskFollower.swift — waits for the end of a task and shows how far it is. Next: ProgressBar.swift.

internal import Nocturne

/// Follows one task of a host until it has ended.
struct TaskFollower {
    private let id: String
    private let host: HostOptions
    private var route: String { "/v1/tasks/\(PercentEncoding.encode(id))" }

    init(_ id: String, on host: HostOptions) { (self.id, self.host) = (id, host) }

    /// Returns the whole task once it has ended. Meanwhile its progress is on standard error, if that is a terminal.
    ///
    /// - Throws: ``TaskOutOfSight`` if the host goes away meanwhile.
    func waitForEnd() throws -> (bytes: [UInt8], task: JSONValue) {
        do {
            return try follow()
        } catch ClientError.lost {
            throw TaskOutOfSight(task: Printable.line(id))
        }
    }

    private func follow() throws -> (bytes: [UInt8], task: JSONValue) {
        var bar = ProgressBar()
        defer { bar.remove() }
        try host.follow(route + "/events") { event in
            guard event.type != "gap", let json = try? JSONParser.parse(event.data) else { return }
            let payload = json["payload"] ?? .null
            switch json["name"]?.string {
            case "task:progress":
                bar.show(
                    percent: payload["progress"]?.double ?? 0,
                    payload["message"]?.string ?? "task \(id)")
            case "task:retry":
                bar.show(percent: 0, "failed, tries again: \(payload["error"]?.string ?? "")")
            default: break
            }
        }
        let bytes = try host.send("GET", route)
        return (bytes, try host.parse(bytes))
    }

    /// Prints the task's result and nothing else; under `--json` the whole task.
    ///
    /// - Throws: ``TaskEnded`` if it did not complete.
    func waitForResult() throws {
        let (bytes, task) = try waitForEnd()
        if host.json {
            Terminal.say(json: bytes)
        } else if task["state"]?.string == TaskState.completed.description {
            Terminal.say(json: (task["result"] ?? .null).serialized())
        }
        if let end = TaskEnded(task) { throw end }
    }
}

/// The host went away while a task was waited for. The task is safe; only its end was not seen.
struct TaskOutOfSight: ReportableError {
    let task: String
    var code: String { "connectionLost" }
    var description: String {
        "the host went away before task \(task) had ended; the task goes on with the next host, and "
            + "`tasks show \(task) --wait` waits for it there"
    }
    var plugin: PluginID? { nil }
    var isRetryable: Bool { false }
    var exitStatus: Int32 { 69 }
}

/// A task that was waited for did not complete.
struct TaskEnded: ReportableError {
    let code: String
    let description: String
    let exitStatus: Int32
    var plugin: PluginID? { nil }
    var isRetryable: Bool { false }

    /// `nil` if it did.
    init?(_ task: JSONValue) {
        let id = task["id"]?.string ?? "?", state = task["state"]?.string ?? "unknown"
        switch TaskState(name: state) {
        case .completed: return nil
        case .failed:
            code = "taskFailed"
            description =
                "task \(id) failed: \(task["error"]?["message"]?.string ?? "it is not known why"); "
                + "`tasks show \(id)` has all attempts, `tasks retry \(id)` tries again"
            exitStatus = 70
        case .cancelled, .skipped:
            code = state == "skipped" ? "taskSkipped" : "taskCancelled"
            description = "task \(id) was \(state)"
            exitStatus = 70
        default:
            code = "shutDown"
            description =
                "task \(id) is \(state): the host is stopping; the task goes on with the next one"
            exitStatus = 75
        }
    }
}

/// The host answered something that this program does not understand.
struct UnexpectedAnswer: ReportableError {
    let description: String
    var code: String { "unexpectedAnswer" }
    var plugin: PluginID? { nil }
    var isRetryable: Bool { false }
    var exitStatus: Int32 { 70 }

    init(_ answer: [UInt8]) {
        description =
            "the host's answer is not understood: "
            + Printable.line(String(decoding: answer.prefix(200), as: UTF8.self))
    }
}
