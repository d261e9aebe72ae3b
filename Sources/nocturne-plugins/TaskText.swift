// TaskText.swift — tasks, schedules, queues and counts as people read them. Next: Table.swift.

internal import Nocturne

/// Text for people. Whatever comes from tasks is made safe for a terminal.
enum TaskText {
    /// What became of a task that was added.
    static func added(_ added: JSONValue, kind: String) -> String {
        let id = added["id"]?.string ?? "?", state = added["state"]?.string ?? "?"
        let text = "\(id) \(Printable.line(kind)): \(state)"
        guard let duplicate = added["duplicate"]?.string else { return text }
        return text
            + " (there already, with the same \(duplicate == "uniqueKey" ? "unique" : "idempotency") key)"
    }

    /// How a task stands, in one line.
    static func line(_ task: JSONValue) -> String {
        var line = "\(text(task["id"])) \(text(task["name"])): \(state(task))"
        if let error = task["error"]?["message"]?.string { line += ": \(Printable.line(error))" }
        return line
    }

    /// The state, and what was asked of a task that runs.
    private static func state(_ task: JSONValue) -> String {
        let state = text(task["state"])
        if task["cancelRequested"]?.bool == true, state == "running" {
            return "running, to be cancelled"
        }
        if task["pauseRequested"]?.bool == true, state == "running" {
            return "running, to be paused"
        }
        return state
    }

    /// Tasks as a table.
    static func table(_ tasks: [JSONValue], within width: Int = .max) -> [String] {
        guard !tasks.isEmpty else { return ["no tasks"] }
        var table = Table("ID", "KIND", "QUEUE", "PRIORITY", "STATE", "TRIES", "SINCE", "NOTE")
        for task in tasks {
            let since = [task["finished"], task["started"], task["created"]].first {
                $0?.int != nil
            }
            table.add(
                .init(text(task["id"])), .init(text(task["name"])), .init(text(task["queue"])),
                .init(text(task["priority"])), .init(state(task), color: color(task["state"])),
                .init(number(task["attempt"])), .init(PluginText.time(since ?? nil)),
                .init(note(task)))
        }
        return table.lines(within: width)
    }

    private static func note(_ task: JSONValue) -> String {
        if task["waitsForHandler"]?.bool == true { return "waits for a plugin that runs its kind" }
        if task["state"]?.string == TaskState.running.description,
            let percent = task["progress"]?["percent"]?.double
        {
            let message = task["progress"]?["message"]?.string ?? ""
            return ProgressBar.bar(percent, width: 12) + (message.isEmpty ? "" : " " + message)
        }
        if task["state"]?.string == TaskState.scheduled.description, let due = task["due"]?.int {
            let wait = "until " + PluginText.time(JSONValue(due))
            return task["error"]?["message"]?.string.map { "\(wait), after: \($0)" } ?? wait
        }
        return task["error"]?["message"]?.string ?? ""
    }

    private static func color(_ state: JSONValue?) -> Table.Color? {
        switch state?.string.flatMap({ TaskState(name: $0) }) {
        case .completed: .green
        case .failed: .red
        case .running, .paused: .yellow
        default: nil
        }
    }

    /// All of one task, a key and its value on each line, then its attempts.
    static func details(_ task: JSONValue) -> [String] {
        let times = ["created", "due", "started", "finished", "deadline", "moment"]
        let keys = [
            "id", "name", "queue", "priority", "state", "schedule", "moment", "graph", "reference",
            "rule", "parents", "created", "due", "started", "finished", "deadline", "timeout",
            "attempt", "retries", "crashes", "key", "uniqueKey", "idempotencyKey", "input",
            "checkpoint", "result",
        ]
        var lines: [String] = []
        for key in keys {
            guard let value = task[key], !value.isNull, value != .array([]) else { continue }
            let text: String =
                if key == "state" {
                    state(task)
                } else if times.contains(key) {
                    PluginText.time(value)
                } else {
                    value.string.map(Printable.line) ?? Printable.json("\(value)")
                }
            lines.append(padded(key) + text)
        }
        if let percent = task["progress"]?["percent"]?.double {
            let message =
                task["progress"]?["message"]?.string.map { " " + Printable.line($0) } ?? ""
            lines.append(padded("progress") + ProgressBar.bar(percent) + message)
        }
        if let error = task["error"]?["message"]?.string {
            // Of one that has completed since, it is the error of an earlier attempt.
            let isOver = task["state"]?.string == TaskState.completed.description
            lines.append(padded(isOver ? "last error" : "error") + Printable.line(error))
        }
        if task["waitsForHandler"]?.bool == true {
            lines.append(
                padded("note") + "nobody runs its kind yet: it waits for a plugin that does")
        }
        for attempt in task["attempts"]?.array ?? [] {
            let error = attempt["error"]?["message"]?.string.map { ": " + Printable.line($0) } ?? ""
            let took = (attempt["ended"]?.int ?? 0) - (attempt["started"]?.int ?? 0)
            lines.append(
                "attempt \(number(attempt["number"])): \(text(attempt["outcome"])) "
                    + "\(PluginText.time(attempt["started"])), \(took) ms\(error)")
            for line in attempt["log"]?.array ?? [] { lines.append("    " + text(line)) }
        }
        return lines
    }

    /// Counts by queue and kind.
    static func statistics(_ statistics: JSONValue) -> [String] {
        let rows = statistics["rows"]?.array ?? []
        guard !rows.isEmpty else { return ["no tasks"] }
        let states = TaskState.allCases.map(\.description)
        var table = Table(
            columns: ["QUEUE", "KIND"] + states.map { $0.uppercased() }
                + ["RETRIED", "CRASHED", "AVERAGE"])
        func add(_ queue: String, _ kind: String, _ row: JSONValue) {
            let totals = row["totals"] ?? .null
            let attempts = totals["started"]?.int ?? 0
            let average =
                attempts > 0 ? "\((totals["runMilliseconds"]?.int ?? 0) / attempts) ms" : "-"
            table.add(
                [queue, kind] + states.map { number(row["counts"]?[$0]) } + [
                    number(totals["retried"]), number(totals["crashed"]), average,
                ])
        }
        for row in rows { add(text(row["queue"]), text(row["name"]), row) }
        if rows.count > 1 { add("all", "", statistics) }
        return table.lines()
    }

    /// How far a graph is.
    static func graph(_ graph: JSONValue) -> [String] {
        let counts = TaskState.allCases.compactMap { state -> String? in
            guard let count = graph["counts"]?[state.description]?.int, count > 0 else {
                return nil
            }
            return "\(count) \(state)"
        }
        return [
            ProgressBar.bar(graph["percent"]?.double ?? 0) + " "
                + "\(number(graph["finished"])) of \(number(graph["tasks"])) tasks have ended",
            counts.joined(separator: ", "),
        ]
    }

    /// Schedules as a table.
    static func schedules(_ schedules: [JSONValue]) -> [String] {
        guard !schedules.isEmpty else { return ["no schedules"] }
        var table = Table("NAME", "KIND", "SCHEDULE", "NEXT", "MEANING")
        for schedule in schedules {
            let isPaused = schedule["paused"]?.bool == true
            table.add(
                .init(text(schedule["name"])), .init(text(schedule["task"])),
                .init(text(schedule["schedule"])),
                isPaused
                    ? .init("paused", color: .yellow) : .init(PluginText.time(schedule["next"])),
                .init(text(schedule["meaning"])))
        }
        return table.lines()
    }

    /// One schedule, as it was added.
    static func schedule(_ schedule: JSONValue) -> [String] {
        [
            "\(text(schedule["name"])): \(text(schedule["meaning"]))",
            schedule["paused"]?.bool == true
                ? "it is paused; `tasks schedules resume \(text(schedule["name"]))` lets it go on"
                : "next: \(PluginText.time(schedule["next"]))",
        ]
    }

    /// Queues as a table.
    static func queues(_ queues: [JSONValue]) -> [String] {
        guard !queues.isEmpty else { return ["no queues"] }
        var table = Table("NAME", "LIMIT", "RATE", "STATE")
        for queue in queues {
            var rate = "-"
            if let count = queue["rate"]?["count"]?.int, let period = queue["rate"]?["per"]?.int {
                rate = "\(count)/\(DurationText.describe(.milliseconds(period)))"
                if let burst = queue["rate"]?["burst"]?.int, burst > 1 {
                    rate += ", \(burst) at once"
                }
            }
            let isPaused = queue["paused"]?.bool == true
            table.add(
                .init(text(queue["name"])), .init(number(queue["limit"])), .init(rate),
                isPaused ? .init("paused", color: .yellow) : .init("open"))
        }
        return table.lines()
    }

    /// `1 task`, `2 tasks`.
    static func count(_ value: JSONValue?, _ noun: String) -> String {
        let count = value?.int ?? 0
        return "\(count) \(noun)\(count == 1 ? "" : "s")"
    }

    // MARK: - Parts

    private static func text(_ value: JSONValue?) -> String {
        value?.string.map(Printable.line) ?? "-"
    }

    private static func number(_ value: JSONValue?) -> String { value?.int.map { "\($0)" } ?? "-" }

    private static func padded(_ key: String) -> String {
        key + String(repeating: " ", count: max(1, 15 - key.count))
    }
}
