// PipelineStrategy.swift — items stream through stages; each stage takes an item as soon as it is there. Next:
// PipelineStages.swift.

public import NocturneCore

/// Items that stream through stages.
///
/// The items are the elements of the goal's `items`; without them the goal's payload is the only one. The stages are
/// those of the parameters; with `decompose` the subtasks of the plan, in an order that respects their dependencies;
/// else each agent that takes work is one, in the order in which they joined.
///
/// Parameters, all optional:
/// - `stages`: `[{"name", "text", "requires", "agent", "concurrency", "capacity", "attempts", "schema", "loops",
///   "loopTo"}]`. At most `concurrency` items are in a stage at once, and `capacity` wait before it: while they do, the
///   stage before it takes no further item; both are 16 if not said. A result that does not match `schema` sends the
///   item to the stage `loopTo`, or through the same one again, at most `loops` times (1), after which it counts as
///   failed.
/// - `order`: `preserve` (the default: items stay in order from stage to stage and in the results) or `asCompleted`.
/// - `failure`: what becomes of an item that failed for good: `deadLetter` (the default: it is put aside, with the
///   stage and the cause), `skip` (it goes on as it came into the stage) or `abort` (the pipeline ends).
///
/// The value: `{"results": […], "deadLetters": [{"index", "item", "stage", "error"}]}`. A work's payload is `{"item",
/// "index"}`.
public struct PipelineStrategy: Strategy {
    /// `pipeline`
    public static let name = "pipeline"

    enum Order: String, CaseIterable { case preserve, asCompleted }
    enum FailureMode: String, CaseIterable { case deadLetter, skip, abort }

    private let order: Order
    private let failureMode: FailureMode
    private var stages: [PipelineStage]
    private var goal = Goal("")
    private var items: [PipelineItem] = []
    private var places: [WorkID: Int] = [:]
    private var leftCount = 0
    /// Places of items in the order in which they came out.
    private var finished: [Int] = []
    private var deadLetters: [JSONValue] = []
    /// Before this one all items have come out or were put aside.
    private var oldest = 0
    private var isClosing = false
    private var isFinished = false

    /// Reads its parameters.
    public init(parameters: JSONValue) throws(CoordinationError) {
        let fields = try JSONFields(parameters: parameters)
        try fields.only("stages", "order", "failure")
        order = try fields.choice("order", Order.preserve)
        failureMode = try fields.choice("failure", FailureMode.deadLetter)
        stages = try fields.list("stages", PipelineStage.init(json:at:))
        try PipelineStage.check(stages, in: fields)
    }

    /// Takes in what happened.
    public mutating func step(_ input: StrategyInput) -> [StrategyCommand] {
        guard !isFinished else { return [] }
        switch input {
        case .started(let start):
            goal = start.goal
            if goal.decompose, stages.isEmpty {
                return [.plan(PlanRequest("plan", text: goal.description, payload: goal.payload))]
            }
            if stages.isEmpty {
                stages = start.roster.filter(\.role.takesWork).map(PipelineStage.init(of:))
            }
            return begin()
        case .planReceived(_, let plan, _):
            stages = PipelineStage.stages(of: plan)
            return begin()
        case .planFailed(_, let failure): return finish(failure.outcome)
        case .workEnded(let end): return take(end)
        case .wrapUp:
            isClosing = true
            return []
        default: return []
        }
    }

    // MARK: - The way of an item

    private mutating func begin() -> [StrategyCommand] {
        let values = goal.payload["items"]?.array ?? [goal.payload]
        items = values.map { PipelineItem(value: $0) }
        leftCount = items.count
        guard !items.isEmpty, !stages.isEmpty else {
            finished = Array(items.indices)
            leftCount = 0
            return end() ?? []
        }
        return [.expect(weight: Double(items.count * stages.count))] + flow()
    }

    /// Starts what there is room for, the last stage first, so that room goes forward.
    private mutating func flow() -> [StrategyCommand] {
        var commands: [StrategyCommand] = []
        for stage in stages.indices.reversed() {
            while let item = next(for: stage) { commands.append(.assign(start(item, in: stage))) }
        }
        return commands
    }

    /// The item that a stage takes next, if it takes one.
    private mutating func next(for stage: Int) -> Int? {
        guard stages[stage].running < stages[stage].concurrency,
            let item = stage == 0 ? firstUnstarted() : stages[stage].waiting.first
        else { return nil }
        if order == .preserve, !stages[stage].isInOrder(item, at: stage, items) { return nil }
        // The oldest item goes on whether or not there is room behind the stage: all the others may wait for it.
        guard item == oldest || hasRoom(behind: stage) else { return nil }
        return item
    }

    private func firstUnstarted() -> Int? {
        let waiting = stages[0].waiting.first
        let fresh = stages[0].fresh < items.count ? stages[0].fresh : nil
        guard let waiting, let fresh else { return waiting ?? fresh }
        return min(waiting, fresh)
    }

    private func hasRoom(behind stage: Int) -> Bool {
        guard stage + 1 < stages.count else { return true }
        return stages[stage + 1].waiting.count + stages[stage].running < stages[stage + 1].capacity
    }

    private mutating func start(_ item: Int, in stage: Int) -> Work {
        if stage == 0, item == stages[0].fresh {
            stages[0].fresh += 1
        } else {
            stages[stage].waiting.removeAll { $0 == item }
        }
        stages[stage].running += 1
        items[item].stage = stage
        items[item].reached = max(items[item].reached, stage + 1)
        items[item].visits += 1
        let definition = stages[stage]
        let name = "item/\(item)/\(definition.name)"
        let visits = items[item].visits
        let id = WorkID(made: visits == stage + 1 ? name : "\(name)/\(visits)")
        places[id] = item
        return Work(
            id, text: definition.text.isEmpty ? goal.description : definition.text,
            payload: ["item": items[item].value, "index": JSONValue(item)],
            requires: definition.requires,
            assignee: definition.agent.map { .agent($0) } ?? .anyone,
            attempts: definition.attempts)
    }

    private mutating func take(_ end: WorkEnd) -> [StrategyCommand] {
        guard let item = places.removeValue(forKey: end.work) else { return [] }
        let stage = items[item].stage
        stages[stage].running -= 1
        if let answer = end.answer {
            let problem = stages[stage].problem(of: answer.value)
            guard let problem else {
                items[item].value = answer.value
                return advance(item, behind: stage)
            }
            if items[item].loops < stages[stage].loops {
                items[item].loops += 1
                let target = stages[stage].loopTo.flatMap { name in
                    stages.firstIndex { $0.name == name }
                }
                stages[target ?? stage].insert(item)
                return [
                    .note(
                        "item \(item) goes through \(stages[target ?? stage].name) again: \(problem)"
                    )
                ]
                    + flow()
            }
            return fail(item, in: stage, problem)
        }
        return fail(item, in: stage, end.failure?.description ?? "it was taken back")
    }

    private mutating func fail(_ item: Int, in stage: Int, _ cause: String) -> [StrategyCommand] {
        switch isClosing ? .deadLetter : failureMode {
        case .skip: return advance(item, behind: stage)
        case .deadLetter:
            bury(item, in: stage, cause)
            return end() ?? flow()
        case .abort:
            bury(item, in: stage, cause)
            return finish(
                OutcomeProposal(
                    .failed(.workFailed), value: value,
                    explanation: "item \(item) failed in \(stages[stage].name): \(cause)"))
        }
    }

    private mutating func bury(_ item: Int, in stage: Int, _ cause: String) {
        deadLetters.append([
            "index": JSONValue(item), "item": items[item].value,
            "stage": .string(stages[stage].name), "error": .string(cause),
        ])
        leave(item)
    }

    private mutating func advance(_ item: Int, behind stage: Int) -> [StrategyCommand] {
        if stage + 1 < stages.count {
            stages[stage + 1].insert(item)
        } else {
            finished.append(item)
            leave(item)
        }
        return end() ?? flow()
    }

    private mutating func leave(_ item: Int) {
        items[item].isOut = true
        leftCount -= 1
        while oldest < items.count, items[oldest].isOut { oldest += 1 }
    }

    // MARK: - The end

    /// The end, if all items are out, or nothing more will be started.
    private mutating func end() -> [StrategyCommand]? {
        guard leftCount == 0 || isClosing && places.isEmpty else { return nil }
        let status: OutcomeStatus =
            finished.count == items.count
            ? .completed : finished.isEmpty ? .failed(.workFailed) : .partial
        return finish(
            OutcomeProposal(
                status, value: value,
                explanation:
                    "\(finished.count) of \(items.count) items came through \(stages.count) stages")
        )
    }

    private mutating func finish(_ outcome: OutcomeProposal) -> [StrategyCommand] {
        isFinished = true
        return [.finish(outcome)]
    }

    private var value: JSONValue {
        let places = order == .preserve ? finished.sorted() : finished
        return [
            "results": .array(places.map { items[$0].value }), "deadLetters": .array(deadLetters),
        ]
    }
}
