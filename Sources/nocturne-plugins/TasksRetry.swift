// TasksRetry.swift — `tasks retry`: one task again, or all that failed. Next: TasksClear.swift.

internal import ArgumentParser
internal import Nocturne

struct TasksRetry: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Try a task again that has ended badly, or all that failed."
    )

    @Argument(help: "The task's id.")
    var id: String?

    @Flag(help: "All failed tasks, or those of --queue and --kind.")
    var failed = false

    @Option(help: "With --failed: only of this queue.")
    var queue: String?

    @Option(help: "With --failed: only of this kind.")
    var kind: String?

    @OptionGroup var host: HostOptions

    func validate() throws {
        guard (id == nil) == failed else {
            throw ValidationError("Name a task, or say --failed for all that failed.")
        }
        if let id { try TaskArgument.check(id) }
        if !failed, queue != nil || kind != nil {
            throw ValidationError("--queue and --kind belong to --failed.")
        }
    }

    func run() throws {
        if let id {
            return try host.show("POST", TaskArgument.route(of: id) + "/retry") {
                [TaskText.line($0)]
            }
        }
        var body: JSONObject = [:]
        if let queue { body["queue"] = .string(queue) }
        if let kind { body["name"] = .string(kind) }
        try host.show("POST", "/v1/tasks/retry", body: .object(body)) {
            ["\(TaskText.count($0["count"], "task")) tried again"]
        }
    }
}
