// TaskTable+Claim.swift — who starts next. Next: TaskTable+Finish.swift.

package import NocturneCore

extension TaskTable {
    /// The first tasks of those lanes that may start, at most `request.limit`, in order.
    package mutating func claim(_ request: ClaimRequest, now: UnixTime) -> Claim {
        var claim = Claim()
        guard request.limit > 0 else { return claim }
        var places = request.places
        var fronts = Heap<LaneFront>()
        for lane in lanes.indices where !lanes[lane].ready.isEmpty {
            if queues[lanes[lane].queue].mayStart(now: now),
                request.mayStart(lanes[lane].name.name), let front = front(of: lane)
            {
                fronts.insert(front)
            }
        }
        while claim.tasks.count < request.limit, let front = fronts.removeFirst() {
            let lane = front.lane, queue = lanes[lane].queue
            guard queues[queue].mayStart(now: now), var record = records[front.task.id] else {
                continue
            }
            if mayStart(record, front.task, lane) {
                if let place = request.place(of: record.name) {
                    guard let free = places[place] else { continue }
                    guard free > 0 else {
                        claim.short = place
                        break
                    }
                    places[place] = free - 1
                }
                _ = lanes[lane].ready.removeFirst()
                start(&record, for: request.worker, now: now)
                claim.tasks.append(record)
            }
            if let next = self.front(of: lane) { fronts.insert(next) }
        }
        if !claim.tasks.isEmpty { leases[request.worker] = now.adding(Heartbeat.lease) }
        return claim
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

    /// Whether the task's key lets it start. If not, it is put aside until it does.
    private mutating func mayStart(_ record: TaskRecord, _ entry: ReadyTask, _ lane: Int) -> Bool {
        guard let name = record.key?.name, let group = keys[name] else { return true }
        if group.running < group.limit { return true }
        _ = lanes[lane].ready.removeFirst()
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

extension ClaimRequest {
    fileprivate func mayStart(_ name: String) -> Bool {
        names.contains(name) || sharing[name] != nil
    }

    /// The kind of place that a task of this name needs; `nil`: none.
    fileprivate func place(of name: String) -> Int? {
        sharing.isEmpty || names.contains(name) ? nil : sharing[name]
    }
}

/// The first task of a lane, in the order of all lanes.
private struct LaneFront: Comparable, Sendable {
    let task: ReadyTask
    let lane: Int

    static func < (left: LaneFront, right: LaneFront) -> Bool { left.task < right.task }
    static func == (left: LaneFront, right: LaneFront) -> Bool { left.task == right.task }
}
