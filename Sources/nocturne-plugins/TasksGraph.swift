// TasksGraph.swift — `tasks graph`: adds tasks that wait for each other, or shows how far such are. Next:
// TasksSchedules.swift.

internal import ArgumentParser
internal import Nocturne

struct TasksGraph: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph",
        abstract: "Add tasks that wait for each other, or show how far they are.",
        discussion: """
            The file: {"tasks": [{"reference": "a", "name": KIND, "input": …}, {"reference": "b", "name": KIND, \
            "after": ["a"], "rule": "allSucceeded"}, …], "onFailure": "goOn"}. Rules: \
            \(TriggerRule.allCases.map(\.rawValue).joined(separator: ", ")).
            """)

    @Argument(help: "A file in JSON, - for standard input; or the id of a graph.")
    var graph: String

    @OptionGroup var host: HostOptions

    func run() throws {
        if TaskID(graph) != nil {
            return try host.show("GET", "/v1/graphs/\(graph)", as: TaskText.graph)
        }
        let input = graph == "-" ? try Terminal.readInput() : try Terminal.read(graph)
        let answer = try host.send("POST", "/v1/graphs", body: input)
        let added = try host.parse(answer)
        if host.json { return Terminal.say(json: answer) }
        for task in added["tasks"]?.array ?? [] {
            Terminal.say(TaskText.added(task, kind: task["reference"]?.string ?? "?"))
        }
        Terminal.say("graph \(added["graph"]?.string ?? "?")")
    }
}
