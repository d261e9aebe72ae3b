// PluginText.swift — plugins, contributions, records and events as people read them.

internal import Glibc
internal import Nocturne

/// Text for people. Whatever comes from a plugin is made safe for a terminal.
enum PluginText {
    /// How a plugin stands, in one line.
    static func line(_ info: JSONValue) -> String {
        var line = "\(text(info["id"]) ?? "(no id)")"
        if let version = text(info["version"]) { line += " \(version)" }
        line += ": \(text(info["status"]) ?? "unknown")"
        var details: [String] = []
        if let generation = info["generation"]?.int, generation > 0 {
            details.append("generation \(generation)")
        }
        if let pid = info["pid"]?.int { details.append("pid \(pid)") }
        if !details.isEmpty { line += " (\(details.joined(separator: ", ")))" }
        if let reason = sentences(info["reason"]) { line += ": \(reason)" }
        if let change = sentences(info["pendingChange"]) { line += "; pending: \(change)" }
        return line
    }

    /// All plugins as a table.
    static func table(_ plugins: [JSONValue]) -> [String] {
        guard !plugins.isEmpty else { return ["no plugins"] }
        var table = Table("ID", "VERSION", "STATUS", "GEN", "PID", "CALLS", "ERRORS", "NOTE")
        for info in plugins {
            let note = [sentences(info["reason"]), sentences(info["pendingChange"])]
            table.add(
                .init(info["id"]?.string ?? "-"), .init(info["version"]?.string ?? "-"),
                status(info), number(info["generation"]), number(info["pid"]),
                number(info["calls"]), number(info["errors"]),
                .init(note.compactMap { $0 }.joined(separator: "; ")))
        }
        return table.lines()
    }

    /// Everything about one plugin, a key and its value on each line.
    static func details(_ info: JSONValue) -> [String] {
        let keys = [
            "id", "name", "version", "status", "reason", "reasonCode", "pendingChange",
            "generation",
            "pid", "runtime", "file", "hash", "previousHash", "crashes", "calls", "errors", "tools",
            "commands", "tasks", "exporters", "strategies", "agents", "listens", "inactive",
            "layers", "degradations", "settings",
        ]
        var lines: [String] = []
        for key in keys {
            guard let value = info[key], !value.isNull, value != .array([]) else { continue }
            lines += indented(value, behind: key)
        }
        for file in info["files"]?.array ?? [] where file["reason"]?.string != nil {
            // Of the file that was to serve `pendingChange` has told it.
            if file["path"] == info["file"], info["pendingChange"]?.isNull == false { continue }
            let path = file["path"]?.string ?? "?", reason = file["reason"]?.string ?? ""
            let line = reason.hasPrefix(path) ? reason : "\(path): \(reason)"
            lines += indented(.string(line), behind: "other file")
        }
        return lines
    }

    /// What a change would lead to: a line for each step, then who objects.
    static func plan(_ plan: JSONValue) -> [String] {
        var lines = (plan["steps"]?.array ?? []).map { step in
            let versions = [step["from"]?.string, step["to"]?.string].compactMap { $0 }
            let isChange = versions.count == 2 && versions[0] != versions[1]
            let version = isChange ? versions.joined(separator: " → ") : versions.first ?? ""
            let reason = step["reason"]?.string.map { ": \(Printable.block($0))" } ?? ""
            return "\((text(step["action"]) ?? "?").padded(to: 8))\(text(step["plugin"]) ?? "?") "
                + Printable.line(version) + reason
        }
        if lines.isEmpty { lines = ["nothing would change"] }
        let objections = plan["objections"]?.array?.compactMap(\.string) ?? []
        if !objections.isEmpty {
            lines.append("refused without --cascade, because it would hurt who serves:")
            lines += objections.map { Printable.block($0) }
        }
        return lines
    }

    /// Tools or commands as a table.
    static func contributions(_ list: [JSONValue], none: String) -> [String] {
        guard !list.isEmpty else { return [none] }
        var table = Table("NAME", "PLUGIN", "DESCRIPTION")
        for item in list {
            table.add(
                .init(item["name"]?.string ?? "-"), .init(item["plugin"]?.string ?? "-"),
                .init(item["description"]?.string ?? ""))
        }
        return table.lines()
    }

    /// One record of a log.
    static func record(_ record: JSONValue) -> String {
        var line = time(record["time"]) + " " + (text(record["level"]) ?? "-").padded(to: 7) + " "
        if let stream = text(record["stream"]), stream != "log" { line += "[\(stream)] " }
        line += text(record["message"]) ?? ""
        for (key, value) in record["fields"]?.object ?? [:] {
            line += " \(Printable.line(key))=\(plain(value))"
        }
        return line
    }

    /// One event.
    static func event(_ event: JSONValue) -> String {
        let id = event["id"]?.int.map { "\($0)" } ?? "-"
        let name = "\(text(event["source"]) ?? "-")/\(text(event["name"]) ?? "-")"
        return "\(id) \(time(event["time"])) \(name) \(plain(event["payload"] ?? .null))"
    }

    // MARK: - Parts

    private static func status(_ info: JSONValue) -> Table.Cell {
        let text = info["status"]?.string ?? "-"
        switch PluginStatus(rawValue: text) {
        case .enabled: return .init(text, color: .green)
        case .failed: return .init(text, color: .red)
        case .waiting: return .init(text, color: .yellow)
        default: return .init(text)
        }
    }

    private static func number(_ value: JSONValue?) -> Table.Cell {
        .init(value?.int.map { "\($0)" } ?? "-")
    }

    private static func text(_ value: JSONValue?) -> String? { value?.string.map(Printable.line) }

    /// Width of the column of keys in ``details(_:)``.
    private static let keyWidth = 15

    /// Several lines as one.
    private static func sentences(_ value: JSONValue?) -> String? {
        value?.string.map { text in
            text.split(separator: "\n").map { Printable.line(String($0)) }.joined(separator: " ")
        }
    }

    /// A value behind its key; further lines stand below the first.
    private static func indented(_ value: JSONValue, behind key: String) -> [String] {
        guard let text = value.string else { return [key.padded(to: keyWidth) + plain(value)] }
        return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
            ($0 == 0 ? key : "").padded(to: keyWidth) + Printable.line(String($1))
        }
    }

    /// A string as it is, a list of strings with commas, anything else as JSON.
    private static func plain(_ value: JSONValue) -> String {
        if let text = value.string { return Printable.line(text) }
        if let texts = value.array?.map(\.string), !texts.contains(nil) {
            return texts.map { Printable.line($0 ?? "") }.joined(separator: ", ")
        }
        return Printable.json("\(value)")
    }

    /// The last millisecond of the year 9999, after which RFC 3339 has no times.
    private static let latestTime: Int64 = 253_402_300_799_999

    /// Milliseconds since 1970 as RFC 3339 in UTC.
    static func time(_ value: JSONValue?) -> String {
        guard let milliseconds = value?.int else { return "-" }
        var seconds = time_t(milliseconds / 1_000)
        var parts = tm()
        guard (0...latestTime).contains(milliseconds), gmtime_r(&seconds, &parts) != nil else {
            return "\(milliseconds)"
        }
        var text = [CChar](repeating: 0, count: 40)
        guard strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts) > 0 else {
            return "\(milliseconds)"
        }
        let fraction = String(1_000 + milliseconds % 1_000).dropFirst()
        return text.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            + ".\(fraction)Z"
    }
}

extension String {
    /// Spaces behind, up to `width`.
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - unicodeScalars.count))
    }
}
