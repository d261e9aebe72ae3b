// StreamEndpoints.swift — events and logs: whole, or as server-sent events that follow what
// happens. Next: OpenAPI.swift.

internal import Hummingbird
internal import NIOCore
internal import NocturneCore
internal import NocturneHost

extension Endpoint {
    /// Records of a log that are shown unless a caller asks for another number.
    static let defaultLogRecords: Int64 = 1_000

    /// Routes that can stream.
    static let streams: [Endpoint] = [
        Endpoint(
            method: .get, path: "/v1/events", name: "followEvents",
            summary:
                "What happens, as server-sent events. `id` is the event's; an event of type "
                + "`gap` says how many were missed. The header "
                + "Last-Event-ID means the same as `since`.",
            query: [
                QueryParameter(
                    name: "since", kind: .number(minimum: 0),
                    meaning: "First the remembered events with a greater id. Absent: only new ones."
                ),
                QueryParameter(
                    name: "match", kind: .text,
                    meaning:
                        "A name or a prefix such as `plugin:*`, optionally after a source and a slash."
                ),
            ],
            output: .events(schema: Schema.event), answer: followEvents),
        Endpoint(
            method: .get, path: "/v1/plugins/{id}/logs", name: "getLogs",
            summary:
                "A plugin's log and what it wrote to its standard output and error, oldest first.",
            query: [
                QueryParameter(
                    name: "last", kind: .number(minimum: 0),
                    meaning: "Only the latest so many records; \(defaultLogRecords) unless told."),
                QueryParameter(
                    name: "follow", kind: .flag,
                    meaning: "Stream the records as server-sent events, and go on with new ones."),
            ],
            output: .json(schema: Schema.list(of: Schema.logRecord)), answer: showLogs),
    ]

    @Sendable
    private static func followEvents(_ exchange: Exchange) async throws -> Reply {
        var since = try exchange.number("since")
        if since == nil, let text = exchange.lastEventID {
            guard let id = Int64(text), id >= 0 else {
                throw RequestError.invalidParameter(
                    name: "Last-Event-ID", found: text, expected: "the id of an event")
            }
            since = id
        }
        // Subscribed before the response begins: a caller that has seen its head misses nothing.
        let deliveries = exchange.host.events.events(
            matching: exchange.text("match") ?? "*", since: since.map { UInt64($0) })
        return .events(opening: [], deliveries) {
            { delivery in
                switch delivery {
                case .event(let event): serverSentEvent(event.json, id: event.id)
                case .gap(let missed): gapEvent(missed)
                }
            }
        }
    }

    @Sendable
    private static func showLogs(_ exchange: Exchange) async throws -> Reply {
        let id = try exchange.pluginID
        let last = Int(try exchange.number("last") ?? defaultLogRecords)
        guard try exchange.flag("follow") else {
            return .json(.array(try await exchange.host.logRecords(of: id, last: last)))
        }
        let bus = exchange.host.events
        let deliveries = bus.events(matching: "plugins/plugin:log", since: bus.latestID)
        let records = try await exchange.host.logRecords(of: id, last: last)
        return .events(opening: records.map { serverSentEvent($0) }, deliveries) {
            // A record that came between the two lines above is in both: it is told once.
            var overlap = LogOverlap(records)
            return { delivery in
                switch delivery {
                case .event(let event):
                    guard event.payload["pluginId"]?.string == id.description,
                        !overlap.includes(event)
                    else { return nil }
                    return serverSentEvent(logRecord(of: event))
                case .gap(let missed):
                    return gapEvent(missed)
                }
            }
        }
    }

    /// A `plugin:log` event in the shape of a record of the log.
    static func logRecord(of event: Event) -> JSONValue {
        [
            "time": event.payload["time"] ?? JSONValue(event.timeMilliseconds),
            "level": event.payload["level"] ?? "info",
            "message": event.payload["message"] ?? "",
            "fields": event.payload["fields"] ?? [:],
            "stream": event.payload["stream"] ?? "log",
        ]
    }

    /// One server-sent event (HTML Living Standard §9.2). Compact JSON has no line feed, so it is
    /// one `data` line.
    static func serverSentEvent(_ json: JSONValue, id: UInt64? = nil) -> ByteBuffer {
        var buffer = ByteBuffer()
        if let id { buffer.writeString("id: \(id)\n") }
        buffer.writeString("data: ")
        buffer.writeBytes(json.serialized())
        buffer.writeString("\n\n")
        return buffer
    }

    static func gapEvent(_ missed: Int) -> ByteBuffer {
        ByteBuffer(string: "event: gap\ndata: {\"missed\":\(missed)}\n\n")
    }
}

/// Finds the events that tell again what a log that was read meanwhile already told.
///
/// Both come in the same order, so an event is a repetition only if it equals a record that comes
/// after the last repetition.
struct LogOverlap {
    private var records: ArraySlice<JSONValue>

    init(_ records: [JSONValue]) { self.records = records[...] }

    mutating func includes(_ event: Event) -> Bool {
        guard let place = records.firstIndex(of: Endpoint.logRecord(of: event)) else {
            records = []  // Everything from here on is new.
            return false
        }
        records = records[(place + 1)...]
        return true
    }
}
