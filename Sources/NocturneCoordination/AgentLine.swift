// AgentLine.swift — what is said to a program that is an agent and what it says: one JSON object per line. Next:
// SubprocessAgent.swift.

internal import NocturneCore

/// What is said to the program.
enum LineToAgent: Sendable {
    /// Do it. `{"type": "work", "id", "session", "attempt", "key", "timeout", "work": {…}}`
    case work(WorkRequest, Int)
    /// Leave it; an answer is not waited for. `{"type": "cancel", "id"}`
    case cancel(Int)
    /// Somebody says something. `{"type": "message", "id", "from", "wantsReply", "payload"}`
    case message(Message)

    var bytes: [UInt8] {
        let value: JSONValue =
            switch self {
            case .work(let request, let id):
                [
                    "type": "work", "id": .string("\(id)"),
                    "session": .string(request.session.description),
                    "attempt": JSONValue(request.attempt),
                    "key": .string(request.idempotencyKey), "timeout": request.timeout.json,
                    "work": request.work.json,
                ]
            case .cancel(let id): ["type": "cancel", "id": .string("\(id)")]
            case .message(let message):
                [
                    "type": "message", "id": .string("\(message.id)"),
                    "from": message.sender.map { .string($0.description) } ?? .null,
                    "wantsReply": .bool(message.wantsReply), "payload": message.payload,
                ]
            }
        return value.serialized()
    }
}

/// What the program says.
enum LineFromAgent: Sendable, Hashable {
    /// It is done. `{"type": "result", "id", "value", "delegate", "handOff", "usage"}`
    case result(Int, WorkAnswer)
    /// It answered with what is no answer.
    case badResult(Int, String)
    /// It failed, or refuses because nobody can do it. `{"type": "failed", "id", "message", "refused"}`
    case failed(Int, String, isRefused: Bool)
    /// It is still at it. `{"type": "heartbeat", "id"}`
    case heartbeat(Int)
    /// It says something to others. `{"type": "send", "to" or "topic" or neither for everyone, "payload"}`
    case send(Recipient, JSONValue)
    /// It says something to the session's strategy. `{"type": "tell", "payload"}`
    case tell(JSONValue)
    /// It answers a message. `{"type": "reply", "id", "payload"}`
    case reply(MessageID, JSONValue)
    /// Nothing that anybody understands, and why.
    case garbage(String)

    init(_ line: LineBuffer.Line) {
        guard case .complete(let bytes) = line else {
            self = .garbage("a line of more than \(ChildProcess.longestLine) bytes")
            return
        }
        let excerpt = quoted(String(decoding: bytes.prefix(80), as: UTF8.self))
        guard let value = try? JSONParser.parse(bytes) else {
            self = .garbage("\(excerpt), which is no JSON")
            return
        }
        do throws(CoordinationError) {
            self = try Self(value)
        } catch {
            self = .garbage("\(excerpt): \(error)")
        }
    }

    init(_ value: JSONValue) throws(CoordinationError) {
        let fields = try JSONFields(value, at: "line")
        switch try fields.string("type") {
        case "result":
            let id = try Self.id(fields)
            do throws(CoordinationError) {
                self = .result(id, try WorkAnswer(json: value, at: "result"))
            } catch {
                self = .badResult(id, "\(error)")
            }
        case "failed":
            self = .failed(
                try Self.id(fields), try fields.string(ifAny: "message") ?? "it did not say why",
                isRefused: try fields.flag("refused") ?? false)
        case "heartbeat": self = .heartbeat(try Self.id(fields))
        case "send":
            let payload = fields["payload"] ?? .null
            if let agent = try fields.agent("to") {
                self = .send(.agent(agent), payload)
            } else if let topic = try fields.string(ifAny: "topic") {
                self = .send(.topic(topic), payload)
            } else {
                self = .send(.everyone, payload)
            }
        case "tell": self = .tell(fields["payload"] ?? .null)
        case "reply":
            self = .reply(MessageID(Int64(try Self.id(fields))), fields["payload"] ?? .null)
        default:
            throw fields.malformed(
                "type", expected: "result, failed, heartbeat, send, tell or reply")
        }
    }

    private static func id(_ fields: JSONFields) throws(CoordinationError) -> Int {
        guard let number = Int(try fields.string("id")) else {
            throw fields.malformed("id", expected: "an id as it was given")
        }
        return number
    }
}
