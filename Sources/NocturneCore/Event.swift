// Event.swift — something that happened, as it is told to listeners in this process, to plugins and on the wire.
// Next: EventBus.swift.

/// Something that happened in one of Nocturne's parts.
///
/// Names and payload fields are those of the mission's seed (`plugin:log {pluginId, level, message}`). Two parts may
/// use the same name, so an event also says its ``source``.
public struct Event: Sendable, Hashable {
    /// Rises by one with each event of a bus; never reused while the bus lives. Starts at 1.
    public let id: UInt64
    /// Milliseconds since 1970-01-01 UTC, by the wall clock.
    public let timeMilliseconds: Int64
    /// The part it comes from: `plugins`, or `plugin/ID` for an event that a plugin emitted.
    public let source: String
    /// What happened, for example `plugin:enabled`.
    public let name: String
    /// The fields of this kind of event.
    public let payload: JSONObject

    /// Makes an event. Only a bus gives out ids.
    public init(
        id: UInt64, timeMilliseconds: Int64, source: String, name: String, payload: JSONObject
    ) {
        self.id = id
        self.timeMilliseconds = timeMilliseconds
        self.source = source
        self.name = name
        self.payload = payload
    }

    /// The event as JSON: `{"id", "time", "source", "name", "payload"}`.
    public var json: JSONValue {
        [
            "id": .number(JSONNumber(Int64(clamping: id))),
            "time": .number(JSONNumber(timeMilliseconds)),
            "source": .string(source),
            "name": .string(name),
            "payload": .object(payload),
        ]
    }

    /// Whether `pattern` selects this event: an exact name, `*`, a prefix such as `plugin:*`, each optionally after a
    /// source and a slash (`tasks/task:completed`).
    public func matches(_ pattern: String) -> Bool {
        var rest = pattern[...]
        if let slash = rest.lastIndex(of: "/") {
            guard rest[..<slash] == source[...] else { return false }
            rest = rest[rest.index(after: slash)...]
        }
        if rest.last == "*" { return name.hasPrefix(rest.dropLast()) }
        return rest == name[...]
    }
}
