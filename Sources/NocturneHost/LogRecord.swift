// LogRecord.swift — one line of a plugin's log. Next: PluginLog.swift.

public import NocturneCore

/// One record of a plugin's log, or one line that it wrote to its standard output or error.
public struct LogRecord: Sendable, Hashable {
    /// Milliseconds since 1970-01-01 UTC.
    public let timeMilliseconds: Int64
    /// `debug`, `info`, `warning` or `error`.
    public let level: String
    /// Text as the plugin gave it: it may hold control characters.
    public let message: String
    /// The record's keys and values.
    public let fields: JSONObject
    /// `log`, `stdout`, `stderr`, or `host` for what the host says about the plugin.
    public let stream: String

    init(
        timeMilliseconds: Int64, level: String, message: String, fields: JSONObject = [:],
        stream: String
    ) {
        self.timeMilliseconds = timeMilliseconds
        self.level = level
        self.message = message
        self.fields = fields
        self.stream = stream
    }

    init?(json: JSONValue) {
        guard let time = json["time"]?.int, let level = json["level"]?.string,
            let message = json["message"]?.string, let stream = json["stream"]?.string
        else { return nil }
        self.init(
            timeMilliseconds: time, level: level, message: message,
            fields: json["fields"]?.object ?? [:], stream: stream)
    }

    /// `{"time", "level", "message", "fields", "stream"}`
    public var json: JSONValue {
        [
            "time": .number(JSONNumber(timeMilliseconds)), "level": .string(level),
            "message": .string(message), "fields": .object(fields), "stream": .string(stream),
        ]
    }
}
