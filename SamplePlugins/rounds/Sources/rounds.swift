// rounds.swift — a coordination strategy and an agent for it: what one agent makes the next one goes on with, for as
// many rounds as the parameters say. The whole plugin is this file, manifest.json and Package.swift.

import NocturnePlugin

/// What the strategy remembers between its steps; all that it decides follows from this and what happens.
struct Rounds: Codable, Sendable {
    let rounds: Int
    var agents: [String] = []
    var goal = ""
    var turn = 0
    var story: JSON = []

    init(parameters: JSON) throws(PluginError) {
        rounds = parameters["rounds"]?.integer ?? 1
        guard (1...100).contains(rounds) else {
            throw .invalidInput("`rounds` is a number of 1 ... 100")
        }
    }

    /// The next turn, or the end.
    mutating func next() -> [JSON] {
        guard !agents.isEmpty else {
            return [["type": "finish", "outcome": ["status": "partial", "value": story]]]
        }
        guard turn < rounds * agents.count else {
            return [["type": "finish", "outcome": ["status": "completed", "value": story]]]
        }
        defer { turn += 1 }
        return [
            [
                "type": "assign",
                "work": [
                    "id": JSON("turn-\(turn)"), "text": JSON(goal), "payload": ["story": story],
                    "agent": JSON(agents[turn % agents.count]),
                ],
            ]
        ]
    }

    mutating func take(_ input: JSON) -> [JSON] {
        switch input["type"]?.string {
        case "started":
            goal = input["goal"]?["description"]?.string ?? ""
            agents = (input["roster"]?.array ?? []).compactMap { $0["id"]?.string }
            return next()
        case "agentJoined":
            if let id = input["agent"]?["id"]?.string { agents.append(id) }
            return []
        case "agentLeft":
            agents.removeAll { $0 == input["agent"]?.string }
            return []
        case "workEnded":
            // A turn that came to nothing is passed over.
            if let said = input["end"]?["answer"]?["value"] {
                story = JSON((story.array ?? []) + [said])
            }
            return next()
        default: return []
        }
    }
}

let plugin = Plugin(
    strategies: [
        "rounds": Strategy({ try Rounds(parameters: $0) }) { state, input in state.take(input) }
    ],
    agents: [
        "teller": Agent { work in
            let story = work.payload["story"]?.array ?? []
            let before = story.last?.string.map { "after \"\($0)\", " } ?? ""
            return AgentAnswer(
                JSON("\(before)sentence \(story.count + 1) of \(work.text)"), tokens: 10)
        }
    ]
)
