// RandomGraphTests.swift — random graphs against what the words of their rules say of how each task must end.
// Next: TaskScheduleTests.swift.

import Testing

import NocturneCore
import NocturneTasks

@Suite struct RandomGraphTests {
    /// Whether a task runs, from Airflow's words for its trigger rules: they ask only how those before it ended.
    private func runs(_ rule: TriggerRule, _ parents: [TaskState]) -> Bool {
        if parents.isEmpty { return true }
        let hasFailed = parents.contains { $0 == .failed || $0 == .cancelled }
        return switch rule {
        case .allSucceeded: parents.allSatisfy { $0 == .completed }
        case .allDone, .always: true
        case .oneSucceeded: parents.contains(.completed)
        case .oneFailed: hasFailed
        case .noneFailed: !hasFailed
        }
    }

    @Test(arguments: 0..<300)
    func `every task of a graph ends as its rule says, in whatever order others end`(
        seed: UInt64
    ) throws {
        var random = SeededGenerator(seed: seed)
        var run = try GraphRun(&random)
        try run.work { _, random in random.pick([.completed, .completed, .failed, .cancelled]) }
        for (id, node) in run.nodes {
            let parents = node.parents.compactMap { run.table.task($0)?.state }
            let expected = runs(node.rule, parents) ? try #require(run.ends[id]) : .skipped
            #expect(run.table.task(id)?.state == expected, "\(node.reference), \(node.rule)")
        }
    }

    /// What is tried again until all goes well leaves nothing behind that waits, or was skipped without a reason.
    @Test(arguments: 0..<300)
    func `a graph whose failures are tried again comes to its end`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var run = try GraphRun(&random, onFailure: random.pick(GraphFailurePolicy.allCases))
        try run.work { _, random in random.pick([.completed, .failed, .cancelled]) }
        for _ in 0..<30 {
            let bad = run.nodes.keys.sorted().filter {
                [.failed, .cancelled].contains(run.table.task($0)?.state)
            }
            if bad.isEmpty { break }
            // In no particular order, and with work under way in between.
            let id = random.pick(bad)
            _ = try run.table.apply(.retry, to: id, now: run.now)
            try run.work { _, random in random.isOneIn(4) ? .failed : .completed }
        }
        for id in run.nodes.keys.sorted() {
            guard [.failed, .cancelled].contains(run.table.task(id)?.state) else { continue }
            _ = try run.table.apply(.retry, to: id, now: run.now)
        }
        try run.work { _, _ in .completed }
        for (id, node) in run.nodes {
            let state = try #require(run.table.task(id)?.state)
            #expect(state == .completed || state == .skipped)
            if state == .skipped {
                let parents = node.parents.compactMap { run.table.task($0)?.state }
                #expect(!runs(node.rule, parents), "\(node.reference), \(node.rule): \(parents)")
            }
        }
    }
}

/// A random graph, run by nobody in particular.
private struct GraphRun {
    var table = TaskTable()
    var now = UnixTime(seconds: 1_750_000_000)
    var nodes: [TaskID: GraphNode] = [:]
    var ends: [TaskID: TaskState] = [:]
    private var random: SeededGenerator

    init(_ random: inout SeededGenerator, onFailure: GraphFailurePolicy = .goOn) throws {
        self.random = SeededGenerator(seed: random.next())
        var graph = NewGraph(onFailure: onFailure)
        let order = (0..<1 + random.below(12)).map { "n\($0)" }
        for (number, name) in order.enumerated() {
            let before = order[..<number].filter { _ in random.isOneIn(3) }
            graph.add(
                name, NewTask("job"), after: before, rule: random.pick(TriggerRule.allCases))
        }
        let added = table.add(graph, parents: try graph.parents(), now: now)
        for task in added { nodes[task.id] = try #require(table.task(task.id)?.node) }
    }

    /// Runs whatever can run, and ends it in a random order.
    mutating func work(_ end: (TaskID, inout SeededGenerator) -> TaskState) throws {
        var running: [TaskRecord] = []
        while true {
            let request = ClaimRequest(
                worker: WorkerID("w"), names: ["job"], limit: random.below(4))
            running += table.claim(request, now: now).tasks
            if running.isEmpty {
                if table.statistics.count(.available) == 0 { break }
                continue
            }
            now = now.adding(milliseconds: 1)
            let task = running.remove(at: random.below(running.count))
            let state = end(task.id, &random)
            ends[task.id] = state
            let outcome: TaskEnd.Outcome =
                switch state {
                case .completed: .completed(result: "null")
                case .failed: .failed(TaskFailure(.permanent, "no"), wait: nil)
                default: .cancelled
                }
            let ended = table.finish(
                [TaskEnd(id: task.id, token: task.token, outcome: outcome)], now: now)
            try #require(ended[0] != nil)
        }
        // Nothing runs and nothing can: then nothing may wait, either.
        #expect(nodes.keys.allSatisfy { table.task($0)?.state.isFinished == true })
    }
}
