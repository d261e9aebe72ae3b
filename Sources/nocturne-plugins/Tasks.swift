// Tasks.swift — `tasks`: background tasks, one file for each of its commands. Next: TasksAdd.swift.

internal import ArgumentParser
internal import Nocturne

struct Tasks: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Background tasks: add, look, steer.",
        subcommands: [
            TasksAdd.self, TasksList.self, TasksShow.self, TasksCancel.self, TasksPause.self,
            TasksResume.self, TasksRetry.self, TasksStats.self, TasksClear.self, TasksGraph.self,
            TasksSchedules.self, TasksQueues.self,
        ])
}

/// The one argument of the commands about a single task.
struct TaskArgument: ParsableArguments {
    @Argument(help: "The task's id, as `tasks list` shows it.")
    var id: String

    /// The task's route.
    var route: String { "/v1/tasks/\(PercentEncoding.encode(id))" }
}

struct TasksCancel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End a task; one that runs is asked to stop.")
    @OptionGroup var task: TaskArgument
    @OptionGroup var host: HostOptions

    func run() throws { try host.show("POST", task.route + "/cancel") { [TaskText.line($0)] } }
}

struct TasksPause: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Hold a task; one that runs is held at its next pause point.")
    @OptionGroup var task: TaskArgument
    @OptionGroup var host: HostOptions

    func run() throws { try host.show("POST", task.route + "/pause") { [TaskText.line($0)] } }
}

struct TasksResume: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let a held task go on.")
    @OptionGroup var task: TaskArgument
    @OptionGroup var host: HostOptions

    func run() throws { try host.show("POST", task.route + "/resume") { [TaskText.line($0)] } }
}

struct TasksStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "How many tasks are where, and what they came to.")
    @OptionGroup var host: HostOptions

    func run() throws { try host.show("GET", "/v1/tasks/statistics", as: TaskText.statistics) }
}
