// HierarchicalTree.swift — the subtasks of a hierarchy: who waits for whom, who does what, how far each is.
// Next: HierarchicalStrategy.swift.

internal import NocturneCore

/// A subtask, perhaps with further ones below it.
struct HierarchicalNode: Sendable {
    enum State: Sendable, Hashable {
        /// Waits for others.
        case waiting
        case working
        /// Its subtasks are done by others.
        case delegated
        case inReview
        case done
        /// It cannot be had.
        case failed
        /// A new plan has taken its place.
        case dropped
    }
    let id: WorkID
    let subtask: Subtask
    let parent: Int?
    /// Agents that wait for it: they cannot be given it.
    let ancestors: [AgentID]
    /// Those it comes after.
    var after: [Int] = []
    var children: [Int] = []
    var state = State.waiting
    var result: JSONValue = .null
    /// Who did it, or did it last.
    var doer: AgentID?
    /// Whether it was given to one in particular.
    var isNamed = false
    /// Who must not do it again.
    var rejected: [AgentID] = []
    var attempt = 0
    var revisions = 0
    var isRejection = false
    var failure = ""

    var isOpen: Bool {
        switch state {
        case .waiting, .working, .delegated, .inReview: true
        case .done, .failed, .dropped: false
        }
    }
}

/// All subtasks of an execution. Those of former plans stay, so that nothing that was done is forgotten.
struct HierarchicalTree: Sendable {
    private(set) var nodes: [HierarchicalNode] = []

    subscript(place: Int) -> HierarchicalNode {
        get { nodes[place] }
        set { nodes[place] = newValue }
    }

    var indices: Range<Int> { nodes.indices }

    /// Adds the subtasks of a valid plan.
    ///
    /// - Parameter prefix: what makes their names new.
    mutating func add(_ plan: Plan, prefix: String, below parent: Int?, ancestors: [AgentID])
        -> [Int]
    {
        var places: [String: Int] = [:], added: [Int] = []
        for subtask in plan.subtasks {
            places[subtask.id] = nodes.count
            added.append(nodes.count)
            nodes.append(
                HierarchicalNode(
                    id: WorkID(made: prefix + subtask.id), subtask: subtask, parent: parent,
                    ancestors: ancestors))
        }
        for (place, subtask) in zip(added, plan.subtasks) {
            nodes[place].after = subtask.after.compactMap { places[$0] }
        }
        if let parent { nodes[parent].children = added }
        return added
    }

    /// Those that wait for nothing any more.
    var ready: [Int] {
        nodes.indices.filter { place in
            nodes[place].state == .waiting
                && nodes[place].after.allSatisfy { nodes[$0].state == .done }
        }
    }

    /// Whether something is being done about one of them.
    var isBusy: Bool {
        nodes.contains { $0.state == .working || $0.state == .inReview }
    }

    /// The subtasks of the plan that counts now, those of others apart.
    var roots: [Int] {
        nodes.indices.filter { nodes[$0].parent == nil && nodes[$0].state != .dropped }
    }

    /// The weight of those that have not begun.
    var waitingWeight: Double {
        nodes.reduce(0) { $0 + ($1.state == .waiting ? $1.subtask.weight : 0) }
    }

    var doneCount: Int { nodes.count { $0.state == .done } }

    /// A node and all below it.
    func subtree(_ place: Int) -> [Int] {
        [place] + nodes[place].children.flatMap { subtree($0) }
    }

    /// The results of subtasks by their names.
    func results(of places: [Int]) -> JSONValue {
        .object(
            JSONObject(
                places.filter { nodes[$0].state == .done }.map {
                    (nodes[$0].subtask.id, nodes[$0].result)
                }))
    }
}
