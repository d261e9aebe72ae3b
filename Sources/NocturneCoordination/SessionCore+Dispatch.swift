// SessionCore+Dispatch.swift — brings works that wait and agents that are free together. Next: Allocator.swift.

internal import NocturneCore

extension SessionCore {
    /// Starts what can be started.
    ///
    /// - Returns: whether anything changed.
    mutating func dispatch() -> Bool {
        guard execution != nil else {
            freedAgents = []
            filledLanes = []
            return false
        }
        guard !isPaused else { return false }
        var isChanged = false
        while !filledLanes.isEmpty || !freedAgents.isEmpty {
            let lanes = filledLanes, agents = freedAgents
            filledLanes = []
            freedAgents = []
            for lane in lanes where serve(lane: lane) { isChanged = true }
            for agent in agents where serve(agent: agent) { isChanged = true }
        }
        return isChanged
    }

    /// Looks at all lanes again.
    mutating func serveAllLanes() {
        filledLanes += execution?.lanes.filled ?? []
    }

    private mutating func serve(lane: Int) -> Bool {
        var isChanged = false
        while serveFirst(of: lane) { isChanged = true }
        return isChanged
    }

    private mutating func serve(agent: Int) -> Bool {
        var isChanged = false
        while roster[agent].isFree, serveOnce(agent) { isChanged = true }
        return isChanged
    }

    /// Finds one work for an agent; what only it may do comes first, then what has waited longest.
    private mutating func serveOnce(_ agent: Int) -> Bool {
        let descriptor = roster[agent].descriptor
        if let own = execution?.lanes.lane(of: descriptor.id), serveFirst(of: own) { return true }
        for lane in execution?.lanes.openByAge ?? [] {
            guard let demand = execution?.lanes.lanes[lane].demand,
                Allocator.canDo(demand, descriptor, leader: leader)
            else { continue }
            if serveFirst(of: lane) { return true }
        }
        return false
    }

    /// Starts the first work of a lane, or drops it if it is stale.
    ///
    /// - Returns: whether the lane moved.
    private mutating func serveFirst(of lane: Int) -> Bool {
        guard let entry = execution?.lanes.head(lane),
            let record = execution?.records[entry.work],
            let (demand, since) = (execution?.lanes.lanes[lane]).map({ ($0.demand, $0.since) })
        else { return false }
        guard record.isPending, record.ticket == entry.ticket else {
            execution?.lanes.removeHead(lane, at: now)
            return true
        }
        let place: Int, reason: AllocationReason
        if case .agent(let agent) = demand.assignee {
            guard let named = roster.place(of: agent), roster[named].isFree else { return false }
            (place, reason) = (named, .named)
        } else {
            guard let choice = choose(for: record.work.id, demand, lane, since: since) else {
                return false
            }
            (place, reason) = choice
        }
        guard start(entry.work, by: place, reason) else { return false }
        execution?.lanes.removeHead(lane, at: now)
        return true
    }

    private mutating func choose(
        for work: WorkID, _ demand: Demand, _ lane: Int, since: Duration
    ) -> (Int, AllocationReason)? {
        func choice(mayWait: Bool) -> Allocator.Choice {
            Allocator.choose(
                for: work, demand, from: roster, leader: leader, starts: assignments.count,
                mayWait: mayWait, seed: setup.seed)
        }
        switch choice(mayWait: true) {
        case .chosen(let place, let reason): return (place, reason)
        case .nobodyFree: return nil
        case .waitForBetter(let mean):
            let until = since + (mean ?? .zero) * Allocator.patience
            guard until <= now else {
                timers.set(.lane(lane), at: until)
                return nil
            }
            guard case .chosen(let place, let reason) = choice(mayWait: false) else { return nil }
            return (place, reason)
        }
    }

    /// Has a work done by somebody else as well.
    mutating func hedge(_ id: WorkID) {
        guard let place = execution?.index[id], let record = execution?.records[place] else {
            failStrategy("it hedged a work \"\(id)\" that it never asked for")
            return
        }
        guard !isPaused, execution?.exhausted == nil, record.runs.count == 1,
            let busy = record.runs.first.map({ roster[$0.agent].descriptor.id })
        else { return }
        var demanding = record
        demanding.work.excluding.append(busy)
        let demand = Demand(demanding)
        guard demand.isOpen,
            case .chosen(let agent, let reason) = Allocator.choose(
                for: id, demand, from: roster, leader: leader, starts: assignments.count,
                mayWait: false, seed: setup.seed)
        else { return }
        _ = start(place, by: agent, reason)
    }
}
