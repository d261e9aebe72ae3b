// SessionInput+JSON.swift — inputs as a session's log has them. Next: SessionLog.swift.

internal import NocturneCore

extension SessionInput {
    /// `{"type", …}`; the type is the name of the case.
    var json: JSONValue {
        switch self {
        case .addAgent(let agent): ["type": "addAgent", "agent": agent.json]
        case .removeAgent(let agent, let reason):
            ["type": "removeAgent", "agent": .string(agent.description), "reason": .string(reason)]
        case .execute(let goal): ["type": "execute", "goal": goal.json]
        case .runEnded(let epoch, .answered(let answer)):
            ["type": "answered", "epoch": JSONValue(epoch.number), "answer": answer.json]
        case .runEnded(let epoch, .failed(let failure, let usage)):
            [
                "type": "failed", "epoch": JSONValue(epoch.number), "failure": failure.json,
                "usage": usage.json,
            ]
        case .heartbeat(let epoch): ["type": "heartbeat", "epoch": JSONValue(epoch.number)]
        case .message(let sender, let payload):
            [
                "type": "message", "from": sender.map { .string($0.description) } ?? .null,
                "payload": payload,
            ]
        case .messagesSent(let count): ["type": "messagesSent", "count": JSONValue(count)]
        case .answer(let question, let value):
            ["type": "answer", "question": .string(question), "value": value]
        case .stepped(let number, .stepped(let state, let commands)):
            [
                "type": "stepped", "step": JSONValue(number), "state": state,
                "commands": .array(commands.map(\.json)),
            ]
        case .stepped(let number, .failed(let reason)):
            ["type": "stepFailed", "step": JSONValue(number), "reason": .string(reason)]
        case .tick: ["type": "tick"]
        case .pause(let isImmediate): ["type": "pause", "immediate": .bool(isImmediate)]
        case .resume: ["type": "resume"]
        case .end(let reason): ["type": "end", "reason": .string(reason)]
        case .interrupted: ["type": "interrupted"]
        }
    }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        switch try fields.string("type") {
        case "addAgent":
            self = .addAgent(
                try AgentDescriptor(json: fields["agent"] ?? .null, at: path + ".agent"))
        case "removeAgent":
            self = .removeAgent(
                try AgentID(fields.string("agent")), reason: try fields.string("reason"))
        case "execute":
            self = .execute(try Goal(json: fields["goal"] ?? .null, at: path + ".goal"))
        case "answered":
            let answer = try WorkAnswer(json: fields["answer"] ?? .null, at: path + ".answer")
            self = .runEnded(Epoch(try fields.count("epoch")), .answered(answer))
        case "failed":
            let failure = try WorkFailure(json: fields["failure"] ?? .null, at: path + ".failure")
            let usage = try Usage(json: fields["usage"], at: path + ".usage")
            self = .runEnded(Epoch(try fields.count("epoch")), .failed(failure, usage))
        case "heartbeat": self = .heartbeat(Epoch(try fields.count("epoch")))
        case "message":
            self = .message(from: try fields.agent("from"), fields["payload"] ?? .null)
        case "messagesSent": self = .messagesSent(try fields.count("count"))
        case "answer":
            self = .answer(question: try fields.string("question"), fields["value"] ?? .null)
        case "stepped":
            let commands = try fields.list("commands", StrategyCommand.init(json:at:))
            self = .stepped(
                try fields.count("step"), .stepped(state: fields["state"] ?? .null, commands))
        case "stepFailed":
            self = .stepped(try fields.count("step"), .failed(try fields.string("reason")))
        case "tick": self = .tick
        case "pause": self = .pause(isImmediate: try fields.flag("immediate") ?? false)
        case "resume": self = .resume
        case "end": self = .end(reason: try fields.string("reason"))
        case "interrupted": self = .interrupted
        default: throw fields.malformed("type", expected: "a kind of input")
        }
    }
}
