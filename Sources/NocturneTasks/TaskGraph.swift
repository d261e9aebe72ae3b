// TaskGraph.swift — tasks that wait for each other, and what becomes of them when one ends.
// Next: TaskTable+Graphs.swift.

/// When a task of a graph may start.
public enum TriggerRule: String, Sendable, Hashable, CaseIterable {
    /// All before it completed.
    case allSucceeded
    /// All before it ended, however.
    case allDone
    /// One before it completed; the others need not have ended.
    case oneSucceeded
    /// One before it failed or was cancelled; the others need not have ended.
    case oneFailed
    /// All before it ended, and none failed or was cancelled.
    case noneFailed
    /// At once, whatever becomes of those before it.
    case always

    /// Whether a task is there for the case that all goes well, and so of no use once something failed.
    var isForSuccess: Bool {
        switch self {
        case .allSucceeded, .oneSucceeded, .noneFailed: true
        case .allDone, .oneFailed, .always: false
        }
    }

    /// What follows from how those before a task ended.
    package enum Verdict: Sendable, Hashable { case wait, run, skip }

    /// - Parameters:
    ///   - total: how many tasks are before it.
    ///   - failed: how many failed or were cancelled.
    package func verdict(of total: Int, completed: Int, failed: Int, skipped: Int) -> Verdict {
        let isDone = completed + failed + skipped >= total
        switch self {
        case .allSucceeded: return failed + skipped > 0 ? .skip : isDone ? .run : .wait
        case .allDone: return isDone ? .run : .wait
        case .oneSucceeded: return completed > 0 ? .run : isDone ? .skip : .wait
        case .oneFailed: return failed > 0 ? .run : isDone ? .skip : .wait
        case .noneFailed: return failed > 0 ? .skip : isDone ? .run : .wait
        case .always: return .run
        }
    }
}

/// What becomes of a graph when one of its tasks fails.
public enum GraphFailurePolicy: String, Sendable, Hashable, CaseIterable {
    /// What does not depend on the failed task goes on.
    case goOn
    /// Everything is cancelled that is not there for such a case: tasks that start when all are done, when one failed,
    /// or always, remain.
    case cancelRest
}

/// Tasks to be added together, some of which wait for others.
///
/// Unique and idempotency keys count for a graph as a whole, so only the first of its tasks may have them: if an
/// earlier task stands for that one, nothing is added, and the answer is the earlier task alone.
public struct NewGraph: Sendable, Hashable {
    /// One task of it.
    public struct Node: Sendable, Hashable {
        /// What the others of the graph call it.
        public var reference: String
        /// The task.
        public var task: NewTask
        /// The references of those before it.
        public var after: [String]
        /// When it may start.
        public var rule: TriggerRule
    }

    /// The tasks, in any order.
    public private(set) var nodes: [Node] = []
    /// What happens when one fails.
    public var onFailure = GraphFailurePolicy.goOn

    /// As many tasks may be in a graph.
    public static let mostNodes = 100_000
    /// As many times one may wait for another.
    public static let mostEdges = 1_000_000

    /// A graph without tasks.
    public init(onFailure: GraphFailurePolicy = .goOn) { self.onFailure = onFailure }

    /// Adds a task that waits for those named in `after`.
    public mutating func add(
        _ reference: String, _ task: NewTask, after: [String] = [],
        rule: TriggerRule = .allSucceeded
    ) {
        nodes.append(Node(reference: reference, task: task, after: after, rule: rule))
    }

    /// For each task, the places of those before it.
    ///
    /// - Throws: if there are too many, or references are no names, unknown, repeated, or lead in a ring; then with the
    ///   ring.
    package func parents() throws(TaskError) -> [[Int]] {
        guard nodes.count <= Self.mostNodes else {
            throw .tooLarge("the graph, in tasks,", nodes.count, Self.mostNodes)
        }
        let edges = nodes.reduce(0) { $0 + $1.after.count }
        guard edges <= Self.mostEdges else {
            throw .tooLarge("the graph, in dependencies,", edges, Self.mostEdges)
        }
        var places: [String: Int] = [:]
        for (place, node) in nodes.enumerated() {
            try NewTask.check(name: node.reference, of: "reference")
            if place > 0, node.task.unique != nil || node.task.idempotencyKey != nil {
                throw .keyInGraph(node.reference)
            }
            guard places.updateValue(place, forKey: node.reference) == nil else {
                throw .repeatedReference(node.reference)
            }
        }
        var parents: [[Int]] = []
        for node in nodes {
            var before: [Int] = [], seen: Set<String> = []
            for name in node.after where seen.insert(name).inserted {
                guard let place = places[name] else {
                    throw .unknownReference(name, by: node.reference)
                }
                before.append(place)
            }
            parents.append(before)
        }
        if let ring = Self.ring(in: parents) { throw .cycle(ring.map { nodes[$0].reference }) }
        return parents
    }

    /// A ring, beginning and ending with the same place. Walks without recursion: a chain may have any length.
    private static func ring(in parents: [[Int]]) -> [Int]? {
        enum Mark { case new, open, done }
        var marks = [Mark](repeating: .new, count: parents.count)
        for start in parents.indices where marks[start] == .new {
            var path = [(place: start, next: 0)]
            marks[start] = .open
            while let (place, next) = path.last {
                guard next < parents[place].count else {
                    marks[place] = .done
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let parent = parents[place][next]
                if marks[parent] == .open {
                    let places = path.map(\.place)
                    let ring = places[(places.firstIndex(of: parent) ?? 0)...]
                    // From what must be first to what waits for it, and round again.
                    return [parent] + ring.reversed()
                }
                if marks[parent] == .new {
                    marks[parent] = .open
                    path.append((parent, 0))
                }
            }
        }
        return nil
    }
}

/// The place of a task in a graph.
public struct GraphNode: Sendable, Hashable {
    /// The graph, by the id of its first task.
    public let graph: TaskID
    /// What the others of the graph call it.
    public let reference: String
    /// When it may start.
    public let rule: TriggerRule
    /// What happens to the graph when it fails.
    public let onFailure: GraphFailurePolicy
    /// Those before it.
    public let parents: [TaskID]
    /// How many of them completed.
    var completed = 0
    /// How many of them failed or were cancelled.
    var failed = 0
    /// How many of them were skipped.
    var skipped = 0

    package init(
        graph: TaskID, reference: String, rule: TriggerRule, onFailure: GraphFailurePolicy,
        parents: [TaskID]
    ) {
        (self.graph, self.reference, self.rule) = (graph, reference, rule)
        (self.onFailure, self.parents) = (onFailure, parents)
    }

    package var verdict: TriggerRule.Verdict {
        if parents.isEmpty { return .run }
        return rule.verdict(
            of: parents.count, completed: completed, failed: failed, skipped: skipped)
    }

    mutating func count(_ state: TaskState) {
        switch state {
        case .completed: completed += 1
        case .failed, .cancelled: failed += 1
        case .skipped: skipped += 1
        default: break
        }
    }
}
