// AgentLine.swift — what is said to a program that is an agent and what it says: one JSON object per line. Next:
// SubprocessAgent.swift.

internal import NocturneCore

/// What is said to the program.
enum LineToAgent: Sendable {
    /// Do it. `{"type": "work", "id", "attempt", "key", "timeout", "work": {…}}`
    case work(Assignment)
    /// Leave it; an answer is not waited for. `{"type": "cancel", "id"}`
    case cancel(Epoch)
    /// Somebody says something. `{"type": "message", "from", "payload"}`
    case message(from: AgentID?, JSONValue)

    var bytes: [UInt8] {
        let value: JSONValue =
            switch self {
            case .work(let assignment):
                [
                    "type": "work", "id": .string("\(assignment.epoch)"),
                    "attempt": JSONValue(assignment.attempt),
                    "key": .string(assignment.idempotencyKey), "timeout": assignment.timeout.json,
                    "work": assignment.work.json,
                ]
            case .cancel(let epoch): ["type": "cancel", "id": .string("\(epoch)")]
            case .message(let sender, let payload):
                [
                    "type": "message", "from": sender.map { .string($0.description) } ?? .null,
                    "payload": payload,
                ]
            }
        return value.serialized()
    }
}

/// What the program says.
enum LineFromAgent: Sendable, Hashable {
    /// It is done. `{"type": "result", "id", "value", "delegate", "handOff", "usage"}`
    case result(Epoch, WorkAnswer)
    /// It answered with what is no answer.
    case badResult(Epoch, String)
    /// It failed, or refuses because nobody can do it. `{"type": "failed", "id", "message", "refused"}`
    case failed(Epoch, String, isRefused: Bool)
    /// It is still at it. `{"type": "heartbeat", "id"}`
    case heartbeat(Epoch)
    /// It says something to others. `{"type": "send", "to" or "topic" or neither for everyone, "payload"}`
    case send(Recipient, JSONValue)
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

    private init(_ value: JSONValue) throws(CoordinationError) {
        let fields = try JSONFields(value, at: "line")
        switch try fields.string("type") {
        case "result":
            let epoch = try Self.epoch(fields)
            do throws(CoordinationError) {
                self = .result(epoch, try WorkAnswer(json: value, at: "result"))
            } catch {
                self = .badResult(epoch, "\(error)")
            }
        case "failed":
            self = .failed(
                try Self.epoch(fields), try fields.string(ifAny: "message") ?? "it did not say why",
                isRefused: try fields.flag("refused") ?? false)
        case "heartbeat": self = .heartbeat(try Self.epoch(fields))
        case "send":
            let payload = fields["payload"] ?? .null
            if let agent = try fields.agent("to") {
                self = .send(.agent(agent), payload)
            } else if let topic = try fields.string(ifAny: "topic") {
                self = .send(.topic(topic), payload)
            } else {
                self = .send(.everyone, payload)
            }
        default:
            throw fields.malformed("type", expected: "result, failed, heartbeat or send")
        }
    }

    private static func epoch(_ fields: JSONFields) throws(CoordinationError) -> Epoch {
        guard let number = Int(try fields.string("id")) else {
            throw fields.malformed("id", expected: "the id of a work, as it was given")
        }
        return Epoch(number)
    }
}
