// TasksList.swift — `tasks list`: tasks, the newest first, once or as they go on. Next: TaskText.swift.

internal import ArgumentParser
internal import Glibc
internal import Nocturne

struct TasksList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List tasks, the newest first.")

    @OptionGroup var filter: TaskFilterOptions

    @Option(help: "Only runs of this schedule.")
    var schedule: String?

    @Option(help: ArgumentHelp("Only of this graph.", valueName: "id"))
    var graph: String?

    @Option(help: "So many at most.")
    var limit = 50

    @Option(help: ArgumentHelp("Only those added before this one.", valueName: "id"))
    var before: String?

    @Flag(help: "Show them again and again, with live progress, until interrupted.")
    var watch = false

    @OptionGroup var host: HostOptions

    /// Between two looks.
    private static let watchMicroseconds: UInt32 = 500_000

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit is at least 1.") }
        if watch, host.json {
            throw ValidationError("--watch is for people; programs follow `events --json`.")
        }
    }

    func run() throws {
        guard watch else {
            return try host.show("GET", target) { TaskText.table($0.array ?? []) }
        }
        var live = LiveLines()
        while true {
            let tasks = try host.parse(try host.send("GET", target)).array ?? []
            live.draw(TaskText.table(tasks, within: LiveLines.width).prefix(LiveLines.rows))
            usleep(Self.watchMicroseconds)
        }
    }

    private var target: String {
        var query = filter.query
        if let schedule { query.append(("schedule", schedule)) }
        if let graph { query.append(("graph", graph)) }
        if let before { query.append(("before", before)) }
        query.append(("limit", "\(limit)"))
        let text = query.map { "\($0.0)=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
        return "/v1/tasks?" + text
    }
}

/// Which tasks are meant.
struct TaskFilterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Only in this state: " + TaskState.allCases.map(\.description).joined(separator: ", ")
                + ". May be repeated.", valueName: "state"))
    var state: [String] = []

    @Option(help: "Only of this queue.")
    var queue: String?

    @Option(help: "Only of this kind.")
    var kind: String?

    var query: [(String, String)] {
        var query: [(String, String)] = []
        if !state.isEmpty { query.append(("state", state.joined(separator: ","))) }
        if let queue { query.append(("queue", queue)) }
        if let kind { query.append(("name", kind)) }
        return query
    }
}
