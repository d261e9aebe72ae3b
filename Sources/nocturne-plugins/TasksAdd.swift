// TasksAdd.swift — `tasks add`: one task, now, later, or again and again. Next: TaskFollower.swift.

internal import ArgumentParser
internal import Nocturne

struct TasksAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a task, now, for later, or on a schedule.",
        discussion:
            "A task of a kind that nobody runs yet waits for it. With --cron the schedule of the same name is "
            + "replaced; `tasks schedules` shows and steers them.")

    @Argument(help: "The kind: the name of the handler that runs it.")
    var kind: String

    @Option(help: ArgumentHelp("Its input; - reads standard input.", valueName: "json"))
    var input: String?

    @Option(
        help: ArgumentHelp(
            PriorityClass.allCases.map(\.description).joined(separator: ", ") + ".",
            valueName: "priority"))
    var priority: String?

    @Option(help: "The queue it stands in.")
    var queue: String?

    @Option(
        help: ArgumentHelp(
            "Not before this moment: 2026-01-31T02:30:00Z or with an offset.", valueName: "time"))
    var at: String?

    @Option(
        name: .customLong("in"),
        help: ArgumentHelp("Not before so much time: 250ms, 10s, 5m, 1h, 7d.", valueName: "time"))
    var delay: String?

    @Option(
        help: ArgumentHelp(
            "Again and again: five cron fields (six with seconds first), @daily, @every 1h.",
            valueName: "expression"))
    var cron: String?

    @Option(help: ArgumentHelp("Of --cron: whose clocks, as Europe/Berlin.", valueName: "zone"))
    var zone: String?

    @Option(help: ArgumentHelp("Of --cron: the schedule's name (default: the kind)."))
    var name: String?

    @Option(help: "How often it is tried again after a failure.")
    var retries: Int?

    @Option(help: ArgumentHelp("How long an attempt may take.", valueName: "time"))
    var timeout: String?

    @Option(help: "Of tasks with the same key one runs at a time.")
    var key: String?

    @Option(help: "Not added while one of the same kind with the same key has not ended.")
    var unique: String?

    @Flag(help: "Wait for its end, show its progress, and print its result.")
    var wait = false

    @OptionGroup var host: HostOptions

    func validate() throws {
        let times = [at, delay, cron].compactMap { $0 }
        if times.count > 1 { throw ValidationError("--at, --in and --cron exclude each other.") }
        if cron == nil, zone != nil || name != nil {
            throw ValidationError("--zone and --name belong to --cron.")
        }
        if cron != nil, wait { throw ValidationError("--wait is for one task, not for --cron.") }
        if cron != nil, unique != nil {
            throw ValidationError(
                "--unique is not for --cron: runs of a schedule do not overlap anyway.")
        }
    }

    func run() throws {
        if let cron { return try addSchedule(cron) }
        let answer = try host.send("POST", "/v1/tasks", body: try task().serialized())
        let added = try host.parse(answer)
        warn(added)
        guard let id = added["id"]?.string else { throw UnexpectedAnswer(answer) }
        if wait { return try TaskFollower(id, on: host).waitForResult() }
        if host.json {
            Terminal.say(json: answer)
        } else {
            Terminal.say(TaskText.added(added, kind: kind))
        }
    }

    private func task() throws -> JSONValue {
        var task: JSONObject = ["name": .string(kind), "input": try parsedInput()]
        for (key, value) in [
            ("priority", priority), ("queue", queue), ("at", at), ("in", delay),
            ("timeout", timeout), ("key", key), ("unique", unique),
        ] {
            if let value { task[key] = .string(value) }
        }
        if let retries { task["retries"] = JSONValue(retries) }
        return .object(task)
    }

    private func parsedInput() throws -> JSONValue {
        guard let input else { return .null }
        let bytes = input == "-" ? try Terminal.readInput() : Array(input.utf8)
        do throws(JSONError) {
            return try JSONParser.parse(bytes)
        } catch {
            throw UsageError(
                description: "the input is not accepted: \(error); a text needs quotes: '\"text\"'",
                exitStatus: 65)
        }
    }

    private func addSchedule(_ cron: String) throws {
        var schedule: JSONObject = ["schedule": .string(cron), "task": try task()]
        if let zone { schedule["zone"] = .string(zone) }
        let route = "/v1/schedules/\(PercentEncoding.encode(name ?? kind))"
        let answer = try host.send(
            "PUT", route, body: JSONValue.object(schedule).serialized())
        let added = try host.parse(answer)
        warn(added)
        if host.json {
            Terminal.say(json: answer)
        } else {
            for line in TaskText.schedule(added) { Terminal.say(line) }
        }
    }

    private func warn(_ added: JSONValue) {
        guard added["waitsForHandler"]?.bool == true else { return }
        Terminal.complain(
            "nocturne-plugins: nobody runs \(Printable.line("\"\(kind)\"")) yet: its tasks wait until a plugin does"
        )
    }
}
