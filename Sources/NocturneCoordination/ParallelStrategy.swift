// ParallelStrategy.swift — independent works at once: over items, or the same one to everybody; all, some or the best
// of them count. Next: PipelineStrategy.swift.

public import NocturneCore

/// Independent works at once.
///
/// What is done: one work for each element of the goal's `items`; with `decompose`, one for each subtask of the plan;
/// else the whole goal, to each agent that takes work and has what is required (in mode `map`: to one of them).
///
/// Parameters, all optional:
/// - `mode`: `map` and `scatter` want all results, `race` the first acceptable one, `any` the first `count` of them,
///   `best` the one with the greatest score. Without items, `map` is one work and the others go to everybody.
/// - `count`: how many `any` wants; 1 if not said.
/// - `failure`, of `map` and `scatter`: `collect` keeps what succeeded and lists the rest, `failFast` takes back the
///   others at the first failure, `quorum` needs `quorum` successes and gives up as soon as they cannot be had.
/// - `score`: the key of a result that says how good it is, `score` if not said; `minimumScore`: what is acceptable.
/// - `hedge`: whether a work that takes twice as long as 95 % of the others is given to a second agent as well. For
///   works that may be done twice.
///
/// The value: of `map` and `scatter` an array in the order of the items or agents, `null` for those that failed; of
/// `any` an array of the winners in that order; of `race` and `best` the one result.
public struct ParallelStrategy: Strategy {
    /// `parallel`
    public static let name = "parallel"
    /// Successes after which it is known how long a work takes.
    static let hedgeHistory = 5

    enum Mode: String, CaseIterable { case map, scatter, race, any, best }
    enum FailureMode: String, CaseIterable { case collect, failFast, quorum }

    private let mode: Mode
    private let failureMode: FailureMode
    private let wanted: Int
    private let quorum: Int
    private let scoreKey: String
    private let minimumScore: Double?
    private let isHedged: Bool

    private var goal = Goal("")
    private var works: [Work] = []
    private var places: [WorkID: Int] = [:]
    private var results: [JSONValue?] = []
    private var endCount = 0
    private var successCount = 0
    /// Places of acceptable results, the first one first.
    private var winners: [Int] = []
    /// How long those that succeeded took, in order.
    private var durations: [Duration] = []
    private var isFinished = false

    /// Reads its parameters.
    public init(parameters: JSONValue) throws(CoordinationError) {
        let fields = try JSONFields(parameters: parameters)
        try fields.only(
            "mode", "count", "failure", "quorum", "score", "minimumScore", "hedge")
        mode = try fields.choice("mode", Mode.map)
        failureMode = try fields.choice("failure", FailureMode.collect)
        wanted = try fields.count(ifAny: "count") ?? 1
        quorum = try fields.count(ifAny: "quorum") ?? 1
        scoreKey = try fields.string(ifAny: "score") ?? "score"
        minimumScore = try fields.number("minimumScore")
        isHedged = try fields.flag("hedge") ?? false
        if wanted == 0 { throw fields.malformed("count", expected: "an integer of at least 1") }
    }

    /// Takes in what happened.
    public mutating func step(_ input: StrategyInput) -> [StrategyCommand] {
        guard !isFinished else { return [] }
        switch input {
        case .started(let start):
            goal = start.goal
            if goal.decompose {
                return [.plan(PlanRequest("plan", text: goal.description, payload: goal.payload))]
            }
            return assign(declaredWorks(start))
        case .planReceived(_, let plan, _): return assign(plan)
        case .planFailed(_, let failure): return finish(failure.outcome)
        case .workStarted(let work, _, _): return isHedged ? watch(work) : []
        case .timerFired(let timer):
            guard let work = works.first(where: { hedgeTimer($0.id) == timer }) else { return [] }
            return [.note("\(work.id) takes longer than others did"), .hedge(work.id)]
        case .workEnded(let end): return take(end)
        default: return []
        }
    }

    // MARK: - What is done

    private func declaredWorks(_ start: StrategyStart) -> [Work] {
        if let items = goal.payload["items"]?.array {
            return items.enumerated().map { index, item in
                Work(
                    WorkID(made: "item/\(index)"), text: goal.description,
                    payload: ["item": item, "index": JSONValue(index)], requires: goal.requires)
            }
        }
        guard mode != .map else {
            return [
                Work("goal", text: goal.description, payload: goal.payload, requires: goal.requires)
            ]
        }
        return start.roster.filter { agent in
            agent.role.takesWork && goal.requires.allSatisfy { agent.score(of: $0) != nil }
        }.map { agent in
            Work(
                WorkID(made: "agent/\(agent.id)"), text: goal.description, payload: goal.payload,
                assignee: .agent(agent.id))
        }
    }

    private mutating func assign(_ plan: Plan) -> [StrategyCommand] {
        if let chained = plan.subtasks.first(where: { !$0.after.isEmpty }) {
            return finish(
                OutcomeProposal(
                    .failed(.invalidPlan),
                    explanation:
                        "\(chained.id) comes after other subtasks, and parallel works are independent; "
                        + "the hierarchical strategy has an order"))
        }
        return assign(
            plan.subtasks.map { subtask in
                Work(
                    WorkID(made: "part/\(subtask.id)"), text: subtask.text,
                    payload: subtask.payload,
                    requires: subtask.requires,
                    assignee: subtask.agent.map { .agent($0) } ?? .anyone,
                    weight: subtask.weight, tokens: subtask.tokens)
            })
    }

    private mutating func assign(_ works: [Work]) -> [StrategyCommand] {
        self.works = works
        results = Array(repeating: nil, count: works.count)
        for (place, work) in works.enumerated() { places[work.id] = place }
        return decide() ?? works.map { .assign($0) }
    }

    // MARK: - What became of it

    private mutating func take(_ end: WorkEnd) -> [StrategyCommand] {
        guard let place = places[end.work] else { return [] }
        endCount += 1
        var commands: [StrategyCommand] = isHedged ? [.cancelTimer(hedgeTimer(end.work))] : []
        if let answer = end.answer {
            results[place] = answer.value
            successCount += 1
            if isAcceptable(answer.value) { winners.append(place) }
            if isHedged {
                let index = durations.firstIndex { $0 > end.duration } ?? durations.count
                durations.insert(end.duration, at: index)
            }
        }
        commands += decide() ?? []
        return commands
    }

    /// The end, if it has come.
    private mutating func decide() -> [StrategyCommand]? {
        switch mode {
        case .map, .scatter: decideAll()
        case .race, .any: decideFirst()
        case .best: endCount == works.count ? finishBest() : nil
        }
    }

    private mutating func decideAll() -> [StrategyCommand]? {
        let failures = endCount - successCount
        switch failureMode {
        case .failFast where failures > 0:
            return finish(
                OutcomeProposal(
                    .failed(.workFailed), value: aggregate,
                    explanation:
                        "one of \(works.count) works failed, and the others were taken back"))
        case .quorum where works.count - failures < quorum:
            return finish(
                OutcomeProposal(
                    .failed(.noQuorum), value: aggregate,
                    explanation:
                        "\(failures) of \(works.count) works failed, \(quorum) successes are needed"
                ))
        default: break
        }
        guard endCount == works.count else { return nil }
        let isEnough = failures == 0 || failureMode == .quorum
        let status: OutcomeStatus =
            isEnough ? .completed : successCount > 0 ? .partial : .failed(.workFailed)
        return finish(
            OutcomeProposal(
                status, value: aggregate,
                explanation: "\(successCount) of \(works.count) works succeeded"))
    }

    private mutating func decideFirst() -> [StrategyCommand]? {
        let wanted = mode == .race ? 1 : wanted
        if winners.count >= wanted {
            let first = winners.prefix(wanted)
            return finish(
                OutcomeProposal(
                    .completed, value: value(of: first.sorted()),
                    explanation: "first: " + first.map { "\(works[$0].id)" }.joined(separator: ", ")
                ))
        }
        let possible = winners.count + works.count - endCount
        guard possible < wanted else { return nil }
        // Fewer than wanted cannot become enough, but what is under way may still be of use.
        guard endCount == works.count else { return nil }
        return finish(
            OutcomeProposal(
                winners.isEmpty ? .failed(successCount > 0 ? .noDecision : .workFailed) : .partial,
                value: winners.isEmpty ? .null : value(of: winners.sorted()),
                explanation:
                    "\(winners.count) of \(works.count) results are acceptable, \(wanted) are wanted"
            ))
    }

    private mutating func finishBest() -> [StrategyCommand] {
        let scored = winners.sorted().compactMap { place in
            results[place].flatMap(score).map { (place, $0) }
        }
        var best: (place: Int, score: Double)?
        for (place, score) in scored where best.map({ score > $0.score }) ?? true {
            best = (place, score)
        }
        guard let best, let value = results[best.place] else {
            return finish(
                OutcomeProposal(
                    .failed(successCount > 0 ? .noDecision : .workFailed), value: aggregate,
                    explanation:
                        "none of \(successCount) results has an acceptable number as \"\(scoreKey)\""
                ))
        }
        return finish(
            OutcomeProposal(
                .completed, value: value,
                explanation:
                    "\(works[best.place].id) is the best of \(scored.count), with \(best.score)"))
    }

    private mutating func finish(_ outcome: OutcomeProposal) -> [StrategyCommand] {
        isFinished = true
        return [.finish(outcome)]
    }

    private var aggregate: JSONValue { .array(results.map { $0 ?? .null }) }

    private func value(of places: [Int]) -> JSONValue {
        let values = places.map { results[$0] ?? .null }
        return mode == .race ? values.first ?? .null : .array(values)
    }

    private func score(_ value: JSONValue) -> Double? { value[scoreKey]?.double }

    private func isAcceptable(_ value: JSONValue) -> Bool {
        guard let minimumScore else { return true }
        return score(value).map { $0 >= minimumScore } ?? false
    }

    // MARK: - Stragglers

    private func hedgeTimer(_ work: WorkID) -> String { "hedge \(work)" }

    private func watch(_ work: WorkID) -> [StrategyCommand] {
        guard durations.count >= Self.hedgeHistory else { return [] }
        let slow = durations[min(durations.count * 95 / 100, durations.count - 1)]
        return [.setTimer(hedgeTimer(work), after: slow * 2)]
    }
}

extension PlanFailure {
    /// What an execution came to that could not even begin.
    var outcome: OutcomeProposal {
        switch self {
        case .noPlanner: OutcomeProposal(.failed(.noPlanner), explanation: description)
        case .invalid: OutcomeProposal(.failed(.invalidPlan), explanation: description)
        case .unanswered: OutcomeProposal(.failed(.workFailed), explanation: description)
        }
    }
}
