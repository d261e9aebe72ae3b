// TasksClear.swift — `tasks clear`: removes what has ended. Next: TasksGraph.swift.

internal import ArgumentParser
internal import Nocturne

struct TasksClear: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear", abstract: "Remove completed tasks, or failed ones.")

    @Flag(help: "The failed ones instead.")
    var failed = false

    @Option(help: "Only of this queue.")
    var queue: String?

    @Option(help: "Only of this kind.")
    var kind: String?

    @OptionGroup var host: HostOptions

    func run() throws {
        let state = failed ? TaskState.failed : .completed
        var body: JSONObject = ["states": [.string(state.description)]]
        if let queue { body["queue"] = .string(queue) }
        if let kind { body["name"] = .string(kind) }
        try host.show("POST", "/v1/tasks/clear", body: .object(body)) {
            ["\(TaskText.count($0["count"], "\(state) task")) removed"]
        }
    }
}
