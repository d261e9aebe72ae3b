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
            \(TriggerRule.allCases.map(\.rawValue).joined(separator: ", ")) (at once).
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
        let tasks = added["tasks"]?.array ?? []
        warn(of: tasks.filter { $0["waitsForHandler"]?.bool == true })
        if host.json { return Terminal.say(json: answer) }
        for task in tasks {
            Terminal.say(TaskText.added(task, kind: task["reference"]?.string ?? "?"))
        }
        Terminal.say(added["graph"]?.string.map { "graph \($0)" } ?? "no tasks, so no graph")
    }

    private func warn(of waiting: [JSONValue]) {
        guard !waiting.isEmpty else { return }
        let names = waiting.prefix(5).map { Printable.line($0["reference"]?.string ?? "?") }
        let more = waiting.count > names.count ? " and \(waiting.count - names.count) more" : ""
        Terminal.complain(
            "nocturne-plugins: nobody runs the kind of \(names.joined(separator: ", "))\(more) yet: "
                + "they wait until a plugin does")
    }
}
