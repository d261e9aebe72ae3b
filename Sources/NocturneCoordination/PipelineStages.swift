// PipelineStages.swift — the stages of a pipeline and the items in it. Next: HierarchicalStrategy.swift.

internal import NocturneCore

/// An item and how far it is.
struct PipelineItem: Sendable {
    var value: JSONValue
    /// Where it is, or was last.
    var stage = 0
    /// The stages that it has been in.
    var reached = 0
    /// How often it was started, and sent back.
    var visits = 0
    var loops = 0
    var isOut = false
}

/// A stage and what is in it and before it.
struct PipelineStage: Sendable {
    /// Items in a stage, and before it, if nobody says otherwise.
    static let usualCapacity = 16

    var name: String
    var text = ""
    var requires: [String] = []
    var agent: AgentID?
    var concurrency = usualCapacity
    var capacity = usualCapacity
    var attempts: Int?
    var loops = 1
    var loopTo: String?
    var schema: JSONSchema?

    /// Items that wait before it, the first in the order of items first.
    var waiting: [Int] = []
    var running = 0
    /// The first item that never was in it; only of the first stage.
    var fresh = 0
    /// The first item that has neither been in it nor is out: those after it wait if the order is kept.
    private var inOrder = 0

    init(name: String) { self.name = name }

    /// An agent as a stage.
    init(of agent: AgentDescriptor) {
        self.init(name: agent.id.description)
        self.agent = agent.id
        concurrency = agent.concurrency
    }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        try fields.only(
            "name", "text", "requires", "agent", "concurrency", "capacity", "attempts", "schema",
            "loops", "loopTo")
        self.init(name: try fields.string("name"))
        text = try fields.string(ifAny: "text") ?? ""
        requires = try fields.strings("requires")
        agent = try fields.agent("agent")
        concurrency = try fields.count(ifAny: "concurrency") ?? Self.usualCapacity
        capacity = try fields.count(ifAny: "capacity") ?? Self.usualCapacity
        attempts = try fields.count(ifAny: "attempts")
        loops = try fields.count(ifAny: "loops") ?? 1
        loopTo = try fields.string(ifAny: "loopTo")
        if concurrency == 0 || capacity == 0 {
            throw fields.malformed(
                concurrency == 0 ? "concurrency" : "capacity", expected: "an integer of at least 1")
        }
        guard let schema = fields["schema"] else { return }
        do {
            self.schema = try JSONSchema(compiling: schema)
        } catch {
            throw .malformed(path + ".schema", expected: "a JSON schema", found: "\(error)")
        }
    }

    /// Checks that names are names and mean one stage each.
    static func check(_ stages: [PipelineStage], in fields: JSONFields) throws(CoordinationError) {
        let names = Set(stages.map(\.name))
        guard names.count == stages.count else {
            throw fields.malformed("stages", expected: "stages with names of their own")
        }
        for stage in stages {
            _ = try Name.check(stage.name, of: "stage")
            if let target = stage.loopTo, !names.contains(target) {
                throw fields.malformed("stages", expected: "`loopTo` to be the name of a stage")
            }
        }
    }

    /// The subtasks of a plan as stages: each after those that it comes after, else in the order of the plan.
    static func stages(of plan: Plan) -> [PipelineStage] {
        var stages: [PipelineStage] = [], done: Set<String> = [], rest = plan.subtasks
        while let index = rest.firstIndex(where: { $0.after.allSatisfy(done.contains) }) {
            let subtask = rest.remove(at: index)
            done.insert(subtask.id)
            var stage = PipelineStage(name: subtask.id)
            stage.text = subtask.text
            stage.requires = subtask.requires
            stage.agent = subtask.agent
            stages.append(stage)
        }
        return stages
    }

    /// Puts an item before it, in its order.
    mutating func insert(_ item: Int) {
        waiting.insert(item, at: waiting.firstIndex { $0 > item } ?? waiting.count)
    }

    /// Whether an item may enter without overtaking another one, which only those do that are sent back.
    mutating func isInOrder(_ item: Int, at stage: Int, _ items: [PipelineItem]) -> Bool {
        while inOrder < items.count, items[inOrder].isOut || items[inOrder].reached > stage {
            inOrder += 1
        }
        return item <= inOrder
    }

    /// What is wrong with a result; `nil` if it may pass.
    func problem(of value: JSONValue) -> String? {
        do {
            try schema?.validate(value)
            return nil
        } catch {
            return "\(error)"
        }
    }
}
