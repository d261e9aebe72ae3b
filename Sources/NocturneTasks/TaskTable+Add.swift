// TaskTable+Add.swift — how tasks come in: new ones, and those that a store had written down.
// Next: TaskTable+Claim.swift.

package import NocturneCore

extension TaskTable {
    /// Adds tasks in order. An earlier task stands for one that has the same idempotency or unique key.
    package mutating func add(_ tasks: [NewTask], now: UnixTime) -> [AddedTask] {
        tasks.map { task in
            if let duplicate = duplicate(of: task, now: now) { return duplicate }
            var record = makeRecord(task, now: now)
            insert(&record, now: now)
            return AddedTask(id: record.id, state: record.state)
        }
    }

    /// A record that is not in the table yet.
    mutating func makeRecord(_ task: NewTask, now: UnixTime) -> TaskRecord {
        let lane = lane(queue: task.queue, name: task.name)
        let due =
            switch task.start {
            case .now: now
            case .at(let time): max(time, now)
            case .after(let delay): now.adding(delay)
            }
        // The lane's strings, so that a million tasks share one copy.
        var record = TaskRecord(
            id: TaskID(nextID), name: lanes[lane].name.name, queue: lanes[lane].name.queue,
            input: task.input, priority: task.priority, state: .available,
            retries: UInt32(task.retry?.retries ?? RetryPolicy().retries), created: now, due: due)
        nextID += 1
        record.lane = Int32(lane)
        if let details = TaskDetails(of: task) { record.details = details }
        return record
    }

    /// Puts a new record in, in the state that its details call for.
    mutating func insert(_ record: inout TaskRecord, as state: TaskState? = nil, now: UnixTime) {
        lanes[Int(record.lane)].totals.added += 1
        if record.hasDetails { index(record) }
        let waits = record.node?.verdict == .wait || record.run?.isWaiting == true
        record.state = state ?? (waits ? .blocked : record.due > now ? .scheduled : .available)
        enter(&record, now: now)
        records[record.id] = record
        note(record.id)
        tellAdded(record)
    }

    /// Puts back a task that a store had written down, as it was. One that was running still is, so call
    /// ``rescue(_:now:)`` with what is known of its worker. Records may come in any order.
    package mutating func restore(_ restored: TaskRecord, now: UnixTime) {
        guard records[restored.id] == nil else { return }
        var record = restored
        let lane = lane(queue: record.queue, name: record.name)
        record.lane = Int32(lane)
        nextID = max(nextID, record.id.number + 1)
        nextToken = max(nextToken, record.token + 1)
        let ended = record.finished
        if record.hasDetails { index(record) }
        enter(&record, now: ended ?? now)
        if record.state == .running {
            running.insert(record.id)
            queues[lanes[lane].queue].running += 1
            if let key = record.key { keys[key.name]?.running += 1 }
            if let worker = record.worker, leases[worker] == nil {
                leases[worker] = now.adding(Heartbeat.lease)
            }
        }
        records[record.id] = record
    }

    /// Ids and tokens to come are greater than these: what a store gave out must not come again.
    package mutating func resume(afterID id: Int64, token: Int64) {
        (nextID, nextToken) = (max(nextID, id + 1), max(nextToken, token + 1))
    }

    /// Makes a record found by what its details say, whatever its state.
    private mutating func index(_ record: TaskRecord) {
        if let key = record.key { joinGroup(key) }
        if let deadline = record.deadline, !record.state.isFinished {
            timers.insert(TaskTimer(time: deadline, id: record.id, kind: .deadline))
        }
        if let key = record.idempotencyKey {
            let end = record.created.adding(NewTask.idempotencyPeriod)
            idempotentTasks.hold(key, record.id, until: end, now: record.created)
        }
        if let node = record.node { joinGraph(record, node) }
        if let run = record.run, !record.state.isFinished { addActive(record.id, run) }
    }
}

// MARK: - Keys that keep tasks apart

extension TaskTable {
    /// The earlier task that stands for `task`.
    func duplicate(of task: NewTask, now: UnixTime) -> AddedTask? {
        if let key = task.idempotencyKey, let holder = idempotentTasks.holder(of: key, now: now) {
            return AddedTask(
                id: holder.id, state: state(of: holder.id, holder.lastState),
                duplicate: .idempotencyKey)
        }
        guard let key = task.unique?.key,
            let holder = uniqueTasks.holder(of: UniqueName(name: task.name, key: key), now: now)
        else { return nil }
        return AddedTask(
            id: holder.id, state: state(of: holder.id, holder.lastState), duplicate: .uniqueKey)
    }

    private func state(of id: TaskID, _ lastState: TaskState?) -> TaskState {
        records[id]?.state ?? lastState ?? .completed
    }

    /// Another task that has the unique key of this one, and counts.
    func otherHolder(of record: TaskRecord, now: UnixTime) -> TaskID? {
        guard let unique = record.unique else { return nil }
        let name = UniqueName(name: record.name, key: unique.key)
        return uniqueTasks.holder(of: name, now: now).flatMap { $0.id == record.id ? nil : $0.id }
    }

    /// The newest task holds its unique key, as long as it is in a state that counts.
    mutating func updateUnique(_ record: TaskRecord, now: UnixTime) {
        guard let unique = record.unique else { return }
        let name = UniqueName(name: record.name, key: unique.key)
        if unique.states.contains(record.state) {
            let end = unique.period.map { record.created.adding($0) }
            uniqueTasks.hold(
                name, record.id, until: end ?? UnixTime(milliseconds: .max), now: now)
        } else {
            uniqueTasks.release(name, by: record.id)
        }
    }

    mutating func joinGroup(_ key: ConcurrencyKey) {
        var group = keys.removeValue(forKey: key.name) ?? KeyGroup(limit: key.limit)
        group.members += 1
        let more = key.limit - group.limit
        group.limit = key.limit
        keys[key.name] = group
        if more > 0 {
            for lane in group.parked.keys {
                for _ in 0..<more where !unpark(key.name, in: lane) { break }
            }
        }
    }

    mutating func leaveGroup(_ name: String) {
        keys[name]?.members -= 1
        if let group = keys[name], group.members <= 0 { keys[name] = nil }
    }

    /// A task with this key runs no more: of each lane one gets another chance.
    mutating func release(_ name: String) {
        keys[name]?.running -= 1
        guard let group = keys[name], !group.parked.isEmpty else { return }
        for lane in group.parked.keys { unpark(name, in: lane) }
    }

    /// Puts the first parked task of a lane back into it.
    @discardableResult
    mutating func unpark(_ name: String, in lane: Int) -> Bool {
        while let entry = keys[name]?.parked[lane]?.removeFirst() {
            if keys[name]?.parked[lane]?.isEmpty == true { keys[name]?.parked[lane] = nil }
            guard records.isReady(entry) else {
                lanes[lane].stale -= 1
                continue
            }
            lanes[lane].ready.insert(entry)
            tellAvailable()
            return true
        }
        return false
    }
}
