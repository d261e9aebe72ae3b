// StepReply+JSON.swift — what a strategy that is elsewhere is asked, and what it answers, as bytes.
// Next: StrategyInput.swift, StrategyCommand.swift.

internal import NocturneCore

extension StepRequest {
    /// `{"parameters", "state", "inputs": […]}`
    package var bytes: [UInt8] {
        let json: JSONValue = [
            "parameters": parameters, "state": state, "inputs": .array(inputs.map(\.json)),
        ]
        return json.serialized()
    }
}

extension StepReply {
    /// Reads `{"state", "commands": […]}`; what is no such thing is a failed step, and the reason says where.
    package init(_ bytes: [UInt8], of strategy: String) {
        do {
            let fields = try JSONFields(try JSONParser.parse(bytes), at: "step")
            guard fields["commands"] != nil else {
                throw fields.malformed("commands", expected: "an array of commands")
            }
            self = .stepped(
                state: fields["state"] ?? .null,
                try fields.list("commands", StrategyCommand.init(json:at:)))
        } catch {
            self = .failed("strategy \(strategy) answered what makes no sense: \(error)")
        }
    }
}
