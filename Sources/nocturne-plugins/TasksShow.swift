// TasksShow.swift — `tasks show`: all of one task, its attempts and logs. Next: TaskText.swift.

internal import ArgumentParser
internal import Nocturne

struct TasksShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one task, with its attempts and what they logged.")

    @OptionGroup var task: TaskArgument

    @Flag(help: "First wait for its end, and show its progress meanwhile.")
    var wait = false

    @OptionGroup var host: HostOptions

    func run() throws {
        guard wait else { return try host.show("GET", task.route, as: TaskText.details) }
        let (bytes, json) = try TaskFollower(task.id, on: host).waitForEnd()
        if host.json {
            Terminal.say(json: bytes)
        } else {
            for line in TaskText.details(json) { Terminal.say(line) }
        }
        if let end = TaskEnded(json) { throw end }
    }
}
