// Execution.swift — one goal being carried out: its works, its strategy, its account. Next: SessionCore.swift.

internal import NocturneCore

/// One goal being carried out.
struct Execution: Sendable {
    /// From 1 in a session; a part of idempotency keys.
    let number: Int
    let goal: Goal
    let started: Duration
    var driver: StrategyDriver
    var ledger: BudgetLedger
    /// In the order in which they were asked for.
    var records: [WorkRecord] = []
    var index: [WorkID: Int] = [:]
    var lanes = WorkLanes()
    /// The works of attempts that are under way.
    var running: [Epoch: Int] = [:]
    var questions: [String: Question] = [:]
    /// What the strategy has not been told yet.
    var inbox: [StrategyInput] = []
    /// The step that is being made elsewhere.
    var outstandingStep: StepRequest?
    /// Requests for a plan that have not been answered.
    var openPlans: [Int] = []
    /// Whether a work waits for what others have reserved.
    var isWaitingForBudget = false
    /// Works that have not ended.
    var openWorks = 0
    var openTimers = 0
    var totalWeight = 0.0
    var endedWeight = 0.0
    var expectedWeight = 0.0
    var endedWorks = 0
    /// The limit that was reached: nothing more is started but one last turn.
    var exhausted: BudgetLimit?
    var isWrapUpTaken = false
    /// Whether the strategy was told that nothing is going on, and did nothing yet.
    var isQuiescenceTold = false
    var hasFallenBack = false
    /// Timers that fell due in a pause.
    var heldTimers: [TimerKey] = []

    init(_ goal: Goal, number: Int, at now: Duration, driver: StrategyDriver) {
        self.number = number
        self.goal = goal
        self.driver = driver
        started = now
        ledger = BudgetLedger(goal.budget)
    }

    /// How far it is.
    var progress: SessionProgress {
        let total = max(totalWeight, expectedWeight)
        return SessionProgress(
            fraction: total > 0 ? min(endedWeight / total, 1) : 0, ended: endedWorks,
            works: records.count)
    }

    /// The results of what succeeded, by the names of the works; plans apart.
    var results: JSONValue {
        var results = JSONObject()
        for record in records where record.planning == nil {
            results.set(record.work.id.description, record.end?.answer?.value)
        }
        return .object(results)
    }
}
