// TaskTable+Commands.swift — what people ask for: cancel, pause, resume, retry, clear; and what they see.
// Next: TaskTable+Time.swift.

package import NocturneCore

extension TaskTable {
    /// Does something to one task, and returns it as it is then.
    package mutating func apply(
        _ command: TaskCommand, to id: TaskID, now: UnixTime
    ) throws(TaskError) -> TaskRecord {
        guard var record = records[id] else { throw .notFound(id) }
        switch command {
        case .cancel: try cancel(&record, now: now)
        case .pause: try pause(&record, now: now)
        case .resume: try resume(&record, now: now)
        case .retry: try retry(&record, now: now)
        }
        // What follows for others may have come back to this one.
        return records[id] ?? record
    }

    /// Ends a task that waits; asks its handler to, if it runs. Again is no error.
    private mutating func cancel(_ record: inout TaskRecord, now: UnixTime) throws(TaskError) {
        switch record.state {
        case .running: request(&record) { $0.isCancelRequested = true }
        case .cancelled: break
        case .completed, .failed, .skipped:
            throw .wrongState(record.id, record.state, "cancel")
        case .blocked, .scheduled, .available, .paused:
            cancelWaiting(&record, now: now)
        }
    }

    mutating func cancelWaiting(_ record: inout TaskRecord, now: UnixTime) {
        move(&record, to: .cancelled, now: now)
        tellEnded(record)
    }

    /// Cancels whatever has not ended.
    mutating func cancelUnfinished(_ id: TaskID, now: UnixTime) {
        guard var record = records[id], !record.state.isFinished else { return }
        if record.state == .running {
            request(&record) { $0.isCancelRequested = true }
        } else {
            cancelWaiting(&record, now: now)
        }
    }

    private mutating func pause(_ record: inout TaskRecord, now: UnixTime) throws(TaskError) {
        switch record.state {
        case .running:
            request(&record) { record in
                record.isPauseRequested = true
                record.isPauseWithdrawn = false
            }
        case .paused: break
        case .blocked, .scheduled, .available: move(&record, to: .paused, now: now)
        case .completed, .failed, .cancelled, .skipped:
            throw .wrongState(record.id, record.state, "pause")
        }
    }

    private mutating func resume(_ record: inout TaskRecord, now: UnixTime) throws(TaskError) {
        switch record.state {
        case .running:
            request(&record) { record in
                record.isPauseWithdrawn = record.isPauseWithdrawn || record.isPauseRequested
                record.isPauseRequested = false
            }
        case .paused:
            record.due = max(record.due, now)
            makeReady(&record, now: now)
            if record.state.isFinished { tellEnded(record) }
        case .blocked, .scheduled, .available, .completed, .failed, .cancelled, .skipped:
            throw .wrongState(record.id, record.state, "resume")
        }
    }

    /// Notes what a running task is asked to do.
    private mutating func request(_ record: inout TaskRecord, _ change: (inout TaskRecord) -> Void)
    {
        change(&record)
        records[record.id] = record
        note(record.id)
        tellRequest()
    }

    private mutating func retry(_ record: inout TaskRecord, now: UnixTime) throws(TaskError) {
        switch record.state {
        case .scheduled:
            record.due = now
            move(&record, to: .available, now: now)
        case .available: break
        case .failed, .cancelled, .skipped:
            if record.deadline.map({ $0 <= now }) == true {
                throw .invalidTime("the deadline of task \(record.id)", "later than now")
            }
            if let unique = record.unique, let holder = otherHolder(of: record, now: now) {
                throw .uniqueKeyHeld(unique.key, by: holder)
            }
            reopen([record.id] + behind(record, now: now), now: now)
        case .blocked, .running, .paused, .completed:
            throw .wrongState(record.id, record.state, "retry")
        }
    }

    /// Finished tasks begin anew; what they did before stays listed.
    private mutating func reopen(_ ids: [TaskID], now: UnixTime) {
        // All of them are blocked at first, so that each finds those before it unfinished.
        for id in ids {
            guard var record = records[id] else { continue }
            (record.attempt, record.crashes, record.finished) = (0, 0, nil)
            record.due = now
            if let deadline = record.deadline {
                timers.insert(TaskTimer(time: deadline, id: record.id, kind: .deadline))
            }
            if let run = record.run {
                let waits = mustWait(run)
                record.change { $0.run?.isWaiting = waits }
                addActive(record.id, run)
            }
            if let node = record.node { graphs[node.graph]?.unfinished += 1 }
            move(&record, to: .blocked, now: now)
        }
        recount(around: ids)
        for id in ids {
            guard var record = records[id], record.state == .blocked else { continue }
            makeReady(&record, now: now)
            if record.state.isFinished { tellEnded(record) }
        }
    }
}

// MARK: - What goes

extension TaskTable {
    /// Removes finished tasks that a filter means, the oldest first, at most `limit`. Tasks of a graph that goes on
    /// stay.
    package mutating func clear(_ filter: TaskFilter, limit: Int, now: UnixTime) -> Int {
        var ids: [TaskID] = []
        for entry in finished.all {
            guard ids.count < limit else { break }
            if let record = records[entry.id], record.finished == entry.time,
                record.state.isFinished, filter.matches(record), !isInOpenGraph(record)
            {
                ids.append(entry.id)
            }
        }
        for id in ids { remove(id) }
        removeOldest(now: now)
        return ids.count
    }

    /// Drops finished tasks that are too many or too old.
    mutating func removeOldest(now: UnixTime) {
        var kept = 0
        while let oldest = finished.first {
            guard records.isFinished(oldest.id, at: oldest.time) else {
                finished.removeFirst()
                continue
            }
            let isOld = oldest.time.adding(retention.age) <= now
            guard isOld || finishedCount > retention.count else { break }
            finished.removeFirst()
            guard let record = records[oldest.id] else { continue }
            if isInOpenGraph(record) {
                // Its turn comes again when the graph has ended; nobody goes round for ever.
                finished.append(oldest.id, at: oldest.time)
                kept += 1
                if kept > 16 { break }
            } else {
                drop(record)
            }
        }
    }

    private func isInOpenGraph(_ record: TaskRecord) -> Bool {
        guard let graph = record.node?.graph else { return false }
        return (graphs[graph]?.unfinished ?? 0) > 0
    }

    /// Removes a finished task for good.
    private mutating func remove(_ id: TaskID) {
        guard let record = records[id] else { return }
        drop(record)
        if let key = record.idempotencyKey { idempotentTasks.release(key, by: id) }
        note(id)
    }

    /// Keeps a finished task no longer. A store that has it elsewhere may ``restore(_:now:)`` it.
    package mutating func drop(_ id: TaskID) {
        if let record = records[id], record.state.isFinished { drop(record) }
    }

    private mutating func drop(_ record: TaskRecord) {
        let id = record.id
        noteDropped(record)
        lanes[Int(record.lane)].counts[Int(record.state.rawValue)] -= 1
        finishedCount -= 1
        if let unique = record.unique {
            let name = UniqueName(name: record.name, key: unique.key)
            if unique.period == nil, !notesChanges {
                uniqueTasks.release(name, by: id)
            } else {
                uniqueTasks.outlive(name, id, record.state)
            }
        }
        if let key = record.idempotencyKey { idempotentTasks.outlive(key, id, record.state) }
        if let node = record.node { leaveGraph(node) }
        records[id] = nil
    }
}

// MARK: - What is seen

extension TaskTable {
    package func task(_ id: TaskID) -> TaskRecord? { records[id] }

    /// How many tasks there are, in whatever state.
    package var count: Int { records.count }

    /// The newest tasks that a filter means, older than `before`.
    package func tasks(
        where filter: TaskFilter, limit: Int, before: TaskID? = nil
    ) -> [TaskRecord] {
        var found: [TaskRecord] = []
        if let graph = filter.graph, let members = graphs[graph] {
            for id in members.ids.reversed() where found.count < limit {
                guard before.map({ id < $0 }) ?? true, let record = records[id] else { continue }
                if filter.matches(record) { found.append(record) }
            }
            return found
        }
        var id = min(before?.number ?? nextID, nextID) - 1
        // Ids are dense unless much was removed; then sorting those that are left is less work.
        if records.count * 8 > Int(id) {
            while id > 0, found.count < limit {
                if let record = records[TaskID(id)], filter.matches(record) { found.append(record) }
                id -= 1
            }
            return found
        }
        for key in records.ids.filter({ $0.number <= id }).sorted(by: >) {
            guard found.count < limit else { break }
            if let record = records[key], filter.matches(record) { found.append(record) }
        }
        return found
    }

    package var statistics: TaskStatistics {
        TaskStatistics(
            rows: laneIndex.values.map { place in
                let lane = lanes[place]
                var counts: [TaskState: Int] = [:]
                for state in TaskState.allCases where lane.counts[Int(state.rawValue)] != 0 {
                    counts[state] = lane.counts[Int(state.rawValue)]
                }
                return TaskStatistics.Row(
                    queue: lane.name.queue, name: lane.name.name, counts: counts,
                    totals: lane.totals)
            }, forgotten: forgottenTotals)
    }

    /// Sets a queue up, or up anew.
    package mutating func put(_ settings: QueueSettings) {
        let place = place(ofQueue: settings.name)
        queues[place].settings = settings
        queues[place].isConfigured = true
        note(queue: place)
        tellAvailable()
    }

    /// All queues, by name.
    package var queueSettings: [QueueSettings] {
        queueIndex.values.map { queues[$0].settings }.sorted { $0.name < $1.name }
    }
}
