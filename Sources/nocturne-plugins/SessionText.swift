// SessionText.swift — sessions, their timelines and their events as people read them. Next: Table.swift.

internal import Nocturne

/// Text for people. Whatever comes from agents is made safe for a terminal.
enum SessionText {
    private static func text(_ value: JSONValue?) -> String {
        switch value {
        case .string(let text)?: Printable.line(text)
        case nil, .null?: "-"
        case let value?: Printable.line("\(value)")
        }
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }

    /// How a session stands, in one line.
    static func line(_ session: JSONValue) -> String {
        var line = "\(text(session["id"])): \(text(session["state"]))"
        if let agents = session["agents"]?.array {
            line += ", \(count(agents.count, "agent"))"
        }
        if let status = session["outcome"]?["status"]?.string { line += ", last \(status)" }
        for question in session["questions"]?.array ?? [] {
            line += "; asks \(text(question["id"])): \(text(question["text"]))"
        }
        return line
    }

    /// Sessions as a table.
    static func table(_ sessions: [JSONValue]) -> [String] {
        guard !sessions.isEmpty else { return ["no sessions"] }
        var table = Table("ID", "STATE", "STRATEGY", "AGENTS", "PROGRESS", "OUTCOME", "GOAL")
        for session in sessions {
            let progress = session["progress"]?["progress"]?.double.map {
                "\(Int($0.rounded())) %"
            }
            table.add(
                .init(text(session["id"])),
                .init(text(session["state"]), color: color(session["state"])),
                .init(text(session["strategy"])),
                .init(session["agents"]?.array.map { "\($0.count)" } ?? "-"),
                .init(progress ?? "-"), .init(text(session["outcome"]?["status"])),
                .init(text(session["goal"])))
        }
        return table.lines()
    }

    private static func color(_ state: JSONValue?) -> Table.Color? {
        switch state?.string {
        case "executing", "paused": .yellow
        case "idle": .green
        default: nil
        }
    }

    /// All of one session.
    static func details(_ session: JSONValue) -> [String] {
        var lines: [String] = []
        for key in ["id", "goal", "strategy", "state", "leader", "progress"] {
            guard let value = session[key], !value.isNull else { continue }
            lines.append("\(key.padded(to: 13))\(text(value))")
        }
        for agent in session["agents"]?.array ?? [] {
            let skills = (agent["capabilities"]?.array ?? []).compactMap { $0["name"]?.string }
            let origin =
                agent["agent"].map { " (agent \(text($0)))" }
                ?? agent["command"].map { " (command \(text($0)))" } ?? ""
            let able = skills.isEmpty ? "" : ": \(Printable.line(skills.joined(separator: ", ")))"
            lines.append(
                "agent        \(text(agent["id"])), \(text(agent["role"]))\(origin)\(able)")
        }
        for question in session["questions"]?.array ?? [] {
            lines.append("asks         \(text(question["id"])): \(text(question["text"]))")
        }
        guard let outcome = session["outcome"], !outcome.isNull else { return lines }
        for key in ["status", "reason", "explanation", "value", "usage", "duration"] {
            guard let value = outcome[key], !value.isNull else { continue }
            lines.append("\((key == "status" ? "outcome" : key).padded(to: 13))\(text(value))")
        }
        for work in outcome["works"]?.array ?? [] {
            let end = work["failure"]?["message"] ?? work["answer"]?["value"]
            lines.append(
                "work         \(text(work["work"])): \(text(work["result"])) by \(text(work["agent"])): \(text(end))"
            )
        }
        return lines
    }

    /// Who can be an agent.
    static func offers(_ offers: [JSONValue]) -> [String] {
        guard !offers.isEmpty else {
            return ["no agents: no plugin has one, and no command is listed"]
        }
        var table = Table("KIND", "NAME", "PLUGIN", "CAPABILITIES", "DESCRIPTION")
        for offer in offers {
            let isCommand = offer["command"] != nil
            let skills = (offer["capabilities"]?.array ?? []).compactMap(\.string)
            table.add(
                .init(isCommand ? "command" : "agent"),
                .init(text(offer["agent"] ?? offer["command"])), .init(text(offer["plugin"])),
                .init(Printable.line(skills.joined(separator: ", "))),
                .init(text(offer["description"])))
        }
        return table.lines()
    }

    // MARK: - What happened

    /// The moments of a session, a line for each, with the time since its beginning.
    static func timeline(_ moments: [JSONValue]) -> [String] {
        let begin = moments.first?["time"]?.int ?? 0
        return moments.compactMap { moment in
            guard let what = what(moment) else { return nil }
            let age = Double((moment["time"]?.int ?? begin) - begin) / 1_000
            let thousandths = Int((age * 1_000).rounded())
            let rest = "\(thousandths % 1_000)"
            let time =
                "\(thousandths / 1_000)." + String(repeating: "0", count: 3 - rest.count) + rest
            let input = "\(moment["input"]?.int ?? 0)"
            return "\(String(repeating: " ", count: max(0, 5 - input.count)))\(input)"
                + "\(String(repeating: " ", count: max(1, 10 - time.count)))\(time) s  \(what)"
        }
    }

    /// An event of a session while it is carried out; `nil`: not worth a line.
    static func event(_ event: JSONValue, session: String) -> String? {
        guard let what = what(event) else { return nil }
        guard event["name"] == "input:required", let question = event["payload"]?["question"] else {
            return what
        }
        return "\(what); `nocturne-plugins sessions answer \(session) \(text(question["id"])) JSON`"
    }

    private static func what(_ event: JSONValue) -> String? {
        let payload = event["payload"] ?? .null
        func of(_ key: String) -> String { text(payload[key]) }
        switch event["name"]?.string {
        case "execution:progress", "agent:task:completed", "agent:started", nil: return nil
        case "session:created": return "session made, \(of("strategy")): \(of("goal"))"
        case "agent:joined": return "\(of("agentId")) joined as \(of("role"))"
        case "agent:left": return "\(of("agentId")) left: \(of("reason"))"
        case "agent:restarting": return "\(of("agentId")) crashed and is restarted"
        case "agent:rested": return "\(of("agentId")) failed too often and rests"
        case "leader:changed": return "\(of("agentId")) leads"
        case "execution:started": return "goal: \(of("description"))"
        case "task:assigned":
            let attempt = payload["attempt"]?.int ?? 1
            return "\(of("taskId")) → \(of("agentId"))"
                + (attempt > 1 ? ", attempt \(attempt)" : "") + " (\(of("why")))"
        case "task:completed": return "\(of("taskId")) ✓ \(of("agentId")): \(of("result"))"
        case "task:failed": return "\(of("taskId")) failed: \(of("error"))"
        case "task:retry": return "\(of("taskId")) failed, tries again: \(of("error"))"
        case "task:late": return "\(of("taskId")): a late result of \(of("agentId")) was refused"
        case "input:required":
            return "asks \(text(payload["question"]?["id"])): \(text(payload["question"]?["text"]))"
        case "input:received": return "\(of("question")) answered: \(of("value"))"
        case "session:note": return "note: \(of("text"))"
        case "strategy:replaced": return "\(of("strategy")) takes over: \(of("reason"))"
        case "execution:completed":
            return "outcome: \(of("status"))\(payload["reason"].map { " (\(text($0)))" } ?? "")"
        case "session:ended": return "session ended: \(of("reason"))"
        case let name?: return "\(Printable.line(name)) \(rest(payload))"
        }
    }

    /// The fields of an event that has no sentence of its own.
    private static func rest(_ payload: JSONValue) -> String {
        (payload.object ?? [:]).filter { $0.key != "sessionId" }
            .map { "\($0.key) \(text($0.value))" }.joined(separator: ", ")
    }
}
