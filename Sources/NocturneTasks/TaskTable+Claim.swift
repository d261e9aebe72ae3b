// TaskTable+Claim.swift — who starts next. Next: TaskTable+Finish.swift.

package import NocturneCore

extension TaskTable {
    /// The first tasks of those lanes that may start, at most `request.limit`, in order.
    package mutating func claim(_ request: ClaimRequest, now: UnixTime) -> [TaskRecord] {
        var claimed: [TaskRecord] = []
        guard request.limit > 0 else { return claimed }
        var fronts = Heap<LaneFront>()
        for lane in lanes.indices where !lanes[lane].ready.isEmpty {
            if queues[lanes[lane].queue].mayStart(now: now),
                request.names.contains(lanes[lane].name.name), let front = front(of: lane)
            {
                fronts.insert(front)
            }
        }
        while claimed.count < request.limit, let front = fronts.removeFirst() {
            let lane = front.lane, queue = lanes[lane].queue
            guard queues[queue].mayStart(now: now) else { continue }
            _ = lanes[lane].ready.removeFirst()
            if var record = records[front.task.id], hasPlace(record, front.task, lane) {
                start(&record, for: request.worker, now: now)
                claimed.append(record)
            }
            if let next = self.front(of: lane) { fronts.insert(next) }
        }
        if !claimed.isEmpty { leases[request.worker] = now.adding(Heartbeat.lease) }
        return claimed
    }

    /// The first task of a lane that may still start. Takes out those before it that may not.
    private mutating func front(of lane: Int) -> LaneFront? {
        while let entry = lanes[lane].ready.first {
            if records.isReady(entry) { return LaneFront(task: entry, lane: lane) }
            _ = lanes[lane].ready.removeFirst()
            lanes[lane].stale -= 1
        }
        lanes[lane].stale = 0
        return nil
    }

    /// Whether the task's key leaves it a place. If not, it is put aside until one gets free.
    private mutating func hasPlace(_ record: TaskRecord, _ entry: ReadyTask, _ lane: Int) -> Bool {
        guard let name = record.key?.name, let group = keys[name] else { return true }
        if group.running < group.limit { return true }
        keys[name]?.parked[lane, default: Heap()].insert(entry)
        return false
    }

    private mutating func start(_ record: inout TaskRecord, for worker: WorkerID, now: UnixTime) {
        let lane = Int(record.lane), queue = lanes[lane].queue
        lanes[lane].counts[Int(TaskState.available.rawValue)] -= 1
        lanes[lane].counts[Int(TaskState.running.rawValue)] += 1
        lanes[lane].totals.started += 1
        queues[queue].running += 1
        if let rate = queues[queue].settings.rate { queues[queue].meter.start(rate, now: now) }
        if let key = record.key { keys[key.name]?.running += 1 }
        running.insert(record.id)
        record.state = .running
        record.attempt += 1
        record.token = nextToken
        nextToken += 1
        record.worker = worker
        record.started = now
        if record.hasDetails {
            record.change { $0.progress = nil }
            updateUnique(record, now: now)
        }
        records[record.id] = record
        note(record.id)
    }
}

/// The first task of a lane, in the order of all lanes.
private struct LaneFront: Comparable, Sendable {
    let task: ReadyTask
    let lane: Int

    static func < (left: LaneFront, right: LaneFront) -> Bool { left.task < right.task }
    static func == (left: LaneFront, right: LaneFront) -> Bool { left.task == right.task }
}
