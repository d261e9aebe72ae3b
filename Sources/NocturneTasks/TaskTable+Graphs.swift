// TaskTable+Graphs.swift — tasks that wait for each other. When one ends, those behind it learn of it in the same call.
// Next: TaskTable+Schedules.swift.

package import NocturneCore

extension TaskTable {
    /// Adds the tasks of a graph. `parents` has, for each, the places of those before it, and leads in no ring.
    ///
    /// If an earlier task stands for the first one, nothing is added, and the answer is that task alone.
    package mutating func add(_ graph: NewGraph, parents: [[Int]], now: UnixTime) -> [AddedTask] {
        if let first = graph.nodes.first, let duplicate = duplicate(of: first.task, now: now) {
            return [duplicate]
        }
        let base = nextID
        var added: [AddedTask] = []
        for (place, node) in graph.nodes.enumerated() {
            var record = makeRecord(node.task, now: now)
            let before = parents[place].map { TaskID(base + Int64($0)) }
            record.change {
                $0.node = GraphNode(
                    graph: TaskID(base), reference: node.reference, rule: node.rule,
                    onFailure: graph.onFailure, parents: before)
            }
            insert(&record, now: now)
            added.append(AddedTask(id: record.id, state: record.state))
        }
        return added
    }

    mutating func joinGraph(_ record: TaskRecord, _ node: GraphNode) {
        var members = graphs.removeValue(forKey: node.graph) ?? GraphMembers()
        members.kept += 1
        if !record.state.isFinished { members.unfinished += 1 }
        if members.insert(record.id) {
            for parent in node.parents { children[parent, default: []].append(record.id) }
        }
        graphs[node.graph] = members
    }

    /// A task of a graph is kept no longer. The graph itself goes with the last one, all at once: it may be large.
    mutating func leaveGraph(_ node: GraphNode) {
        graphs[node.graph]?.kept -= 1
        guard let members = graphs[node.graph], members.kept <= 0 else { return }
        for id in members.ids { children[id] = nil }
        graphs[node.graph] = nil
    }

    /// Tells those behind a task how it ended. What follows for them may end them, too, and so on: without recursion,
    /// since a chain may have any length.
    mutating func nodeEnded(_ record: TaskRecord, _ node: GraphNode, now: UnixTime) {
        graphs[node.graph]?.unfinished -= 1
        endedNodes.append(record.id)
        guard endedNodes.count == 1 else { return }  // An outer call goes through them.
        var next = 0
        while next < endedNodes.count {
            let id = endedNodes[next]
            next += 1
            guard let ended = records[id], let node = ended.node else { continue }
            for child in children[id] ?? [] { count(ended.state, for: child, now: now) }
            if ended.state == .failed, node.onFailure == .cancelRest {
                cancelRest(of: node.graph, now: now)
            }
        }
        endedNodes.removeAll(keepingCapacity: true)
    }

    private mutating func count(_ state: TaskState, for id: TaskID, now: UnixTime) {
        guard var child = records[id], let before = child.node else { return }
        child.change { $0.node?.count(state) }
        // Once it was decided, it stays so.
        guard child.state == .blocked, before.verdict == .wait, let node = child.node else {
            records[id] = child
            note(id)
            return
        }
        switch node.verdict {
        case .wait:
            records[id] = child
            note(id)
        case .run:
            child.due = max(child.due, now)
            makeReady(&child, now: now)
            if child.state.isFinished { tellEnded(child) }
        case .skip:
            move(&child, to: .skipped, now: now)
            tellEnded(child)
        }
    }

    private mutating func cancelRest(of graph: TaskID, now: UnixTime) {
        for id in graphs[graph]?.ids ?? [] where records[id]?.node?.rule.isForSuccess == true {
            cancelUnfinished(id, now: now)
        }
    }
}

// MARK: - Trying again

extension TaskTable {
    /// Counts anew, for tasks that began anew and for those behind them, how those before ended.
    mutating func recount(around ids: [TaskID]) {
        for id in Set(ids + ids.flatMap { children[$0] ?? [] }) {
            guard var record = records[id], !record.state.isFinished, let node = record.node else {
                continue
            }
            var fresh = GraphNode(
                graph: node.graph, reference: node.reference, rule: node.rule,
                onFailure: node.onFailure, parents: node.parents)
            for parent in node.parents {
                // One that is gone ended well: others stay as long as the graph is open.
                fresh.count(records[parent]?.state ?? .completed)
            }
            record.change { $0.node = fresh }
            records[id] = record
            note(id)
        }
    }

    /// The tasks of a graph that ended because this one did not end well, and so begin anew with it: those that were
    /// cancelled with it, and all behind them that were skipped.
    func behind(_ record: TaskRecord, now: UnixTime) -> [TaskID] {
        guard let node = record.node else { return [] }
        var found = [record.id] + cancelled(with: record, node)
        var seen = Set(found), next = 0
        while next < found.count {
            for id in children[found[next]] ?? [] where seen.insert(id).inserted {
                guard let child = records[id], child.state == .skipped,
                    otherHolder(of: child, now: now) == nil
                else { continue }
                found.append(id)
            }
            next += 1
        }
        return Array(found.dropFirst())
    }

    /// What the failure of a task cancelled. Earlier ones were cancelled by somebody.
    private func cancelled(with failed: TaskRecord, _ node: GraphNode) -> [TaskID] {
        guard failed.state == .failed, node.onFailure == .cancelRest, let end = failed.finished
        else { return [] }
        return (graphs[node.graph]?.ids ?? []).filter { id in
            guard let record = records[id], record.state == .cancelled,
                record.node?.rule.isForSuccess == true, let finished = record.finished
            else { return false }
            return finished >= end
        }
    }
}
