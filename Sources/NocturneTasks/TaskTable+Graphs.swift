// TaskTable+Graphs.swift — tasks that wait for each other. When one ends, those behind it learn of it in the same call.
// Next: TaskTable+Schedules.swift.

package import NocturneCore

extension TaskTable {
    /// Adds the tasks of a graph. `parents` has, for each, the places of those before it, and leads in no ring.
    ///
    /// Unique and idempotency keys count for a graph as a whole: if an earlier task stands for its first one, nothing
    /// is added, and the answer is that task alone.
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
        for id in graphs[graph]?.ids ?? [] {
            guard let rule = records[id]?.node?.rule else { continue }
            switch rule {
            case .allSucceeded, .oneSucceeded, .noneFailed: cancelUnfinished(id, now: now)
            case .allDone, .oneFailed, .always: break
            }
        }
    }
}

// MARK: - Trying again

extension TaskTable {
    /// A node with its counters as its parents are now.
    func recounted(_ node: GraphNode) -> GraphNode {
        var fresh = GraphNode(
            graph: node.graph, reference: node.reference, rule: node.rule,
            onFailure: node.onFailure, parents: node.parents)
        for parent in node.parents {
            // One that is gone ended well: others stay as long as the graph is open.
            fresh.count(records[parent]?.state ?? .completed)
        }
        return fresh
    }

    /// Those behind a task that is tried again wait for it again, if they were skipped or still wait.
    mutating func reopenDependents(of id: TaskID, _ node: GraphNode, now: UnixTime) {
        var queue = children[id] ?? [], next = 0, seen: Set<TaskID> = []
        while next < queue.count {
            let id = queue[next]
            next += 1
            guard seen.insert(id).inserted, var record = records[id], let node = record.node else {
                continue
            }
            switch record.state {
            case .skipped:
                reopen(&record, now: now)
                queue += children[id] ?? []
            case .blocked, .scheduled, .available, .running, .paused:
                record.change { $0.node = recounted(node) }
                records[id] = record
                note(id)
            case .completed, .failed, .cancelled: break
            }
        }
    }
}
