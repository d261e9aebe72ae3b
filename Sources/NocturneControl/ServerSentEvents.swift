// ServerSentEvents.swift — reads a stream of server-sent events (HTML Living Standard §9.2.6).
// Next: ControlClient.swift.

/// One event of a stream.
package struct ServerSentEvent: Sendable, Hashable {
    /// The latest `id`, `nil` before the first.
    package let id: String?
    /// `message` unless the stream says otherwise.
    package let type: String
    /// The `data` lines, joined by line feeds.
    package let data: String
}

/// Puts events together from bytes that come in any portions.
struct ServerSentEventParser {
    /// Bytes of one event: a log record is at most some KiB, an event's payload at most a payload
    /// of the wire.
    static let eventLimit = 32 << 20

    private var line: [UInt8] = []
    private var skipsLineFeed = false
    private var id: String?
    private var type = ""
    private var data: [UInt8] = []
    private var hasData = false

    /// The events that `bytes` completes.
    ///
    /// - Throws: ``ResponseError/malformed(_:)`` if one is too large.
    mutating func add(_ bytes: ArraySlice<UInt8>) throws(ResponseError) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            let isSecondHalf = skipsLineFeed && byte == 0x0A
            skipsLineFeed = byte == 0x0D
            if isSecondHalf { continue }
            guard byte == 0x0A || byte == 0x0D else {
                guard line.count + data.count < Self.eventLimit else {
                    throw .malformed("an event of more than \(Self.eventLimit) bytes")
                }
                line.append(byte)
                continue
            }
            if line.isEmpty {
                if let event = dispatch() { events.append(event) }
            } else {
                take()
            }
        }
        return events
    }

    private mutating func take() {
        defer { line.removeAll(keepingCapacity: true) }
        let name = line.prefix { $0 != UInt8(ascii: ":") }
        var value = line.dropFirst(name.count + 1)
        if value.first == 0x20 { value = value.dropFirst() }
        switch String(decoding: name, as: UTF8.self) {
        case "data":
            if hasData { data.append(0x0A) }
            data += value
            hasData = true
        case "event": type = String(decoding: value, as: UTF8.self)
        case "id" where !value.contains(0): id = String(decoding: value, as: UTF8.self)
        default: break  // Comments have an empty name; `retry` is for those who reconnect.
        }
    }

    private mutating func dispatch() -> ServerSentEvent? {
        defer {
            type = ""
            data.removeAll(keepingCapacity: true)
            hasData = false
        }
        guard hasData else { return nil }
        return ServerSentEvent(
            id: id, type: type.isEmpty ? "message" : type,
            data: String(decoding: data, as: UTF8.self))
    }
}
