// TaskTable+Time.swift — what happens because time passes, or because a worker is not heard of.
// Next: TaskTable+Graphs.swift.

package import NocturneCore

extension TaskTable {
    /// Does what is due by `now`. If the clock is set back, nothing is undone.
    package mutating func advance(to now: UnixTime) {
        while let timer = timers.first, timer.time <= now {
            _ = timers.removeFirst()
            fire(timer, now: now)
        }
        fireSchedules(now: now)
        for (worker, end) in leases where end <= now {
            rescue(worker, "its worker was not heard of for \(Heartbeat.lease)", now: now)
        }
        removeOldest(now: now)
    }

    /// When ``advance(to:)`` or ``claim(_:now:)`` may find something that is not there at `now`.
    package func nextDue(after now: UnixTime) -> UnixTime? {
        var next = timers.first?.time
        func consider(_ time: UnixTime) {
            next = next.map { min($0, time) } ?? time
        }
        for (_, end) in leases { consider(end) }
        for (_, record) in scheduleRecords where !record.isPaused {
            if let run = record.next { consider(run) }
        }
        for queue in queues where queue.hasPlace {
            guard let rate = queue.settings.rate else { continue }
            let start = queue.meter.earliest(rate, now: now)
            if start > now, queue.lanes.contains(where: { !lanes[$0].ready.isEmpty }) {
                consider(start)
            }
        }
        return next
    }

    private mutating func fire(_ timer: TaskTimer, now: UnixTime) {
        guard var record = records[timer.id] else { return }
        guard isLive(timer) else {
            staleTimers = max(0, staleTimers - 1)
            return
        }
        switch timer.kind {
        case .due:
            staleTimers -= 1  // `move` counts the timer that was just taken out.
            move(&record, to: .available, now: now)
        case .deadline:
            // Whoever runs it sees to that; if it comes back instead, ``makeReady(_:now:)`` does.
            if record.state == .running { return }
            staleTimers -= 1  // like above
            record.change { $0.failure = .pastDeadline }
            move(&record, to: .failed, now: now)
            tellEnded(record)
        case .resultExpires:
            record.change { $0.result = nil }
            records[record.id] = record
            note(record.id)
        }
    }

    /// Whether a timer still means something.
    func isLive(_ timer: TaskTimer) -> Bool {
        guard let record = records[timer.id] else { return false }
        switch timer.kind {
        case .due: return record.state == .scheduled && record.due == timer.time
        case .deadline: return record.deadline == timer.time && !record.state.isFinished
        case .resultExpires: return record.result != nil && record.state == .completed
        }
    }
}

// MARK: - Workers

extension TaskTable {
    /// A worker lives, and says what is new of its tasks.
    package mutating func heartbeat(_ beat: Heartbeat, now: UnixTime) -> HeartbeatReply {
        for note in beat.notes { apply(note) }
        var reply = HeartbeatReply()
        for (id, token) in beat.running {
            guard let record = records[id], record.state == .running, record.token == token else {
                reply.lost.append(id)
                continue
            }
            if record.isCancelRequested { reply.cancelRequested.append(id) }
            if record.isPauseRequested { reply.pauseRequested.append(id) }
        }
        if beat.running.count > reply.lost.count {
            leases[beat.worker] = now.adding(Heartbeat.lease)
        } else {
            // Who runs nothing need not be watched.
            dropLease(beat.worker)
        }
        return reply
    }

    private mutating func dropLease(_ worker: WorkerID) {
        guard !running.contains(where: { records[$0]?.worker == worker }) else { return }
        leases[worker] = nil
    }

    private mutating func apply(_ note: Heartbeat.Note) {
        guard var record = records[note.id], record.state == .running, record.token == note.token
        else { return }
        record.change { details in
            if let progress = note.progress { details.progress = progress }
            if let checkpoint = note.checkpoint { details.checkpoint = checkpoint }
        }
        records[note.id] = record
        self.note(note.id)
    }

    /// Takes back what workers were running that are dead for certain.
    package mutating func rescue(_ isDead: (WorkerID) -> Bool, now: UnixTime) {
        for worker in leases.keys where isDead(worker) {
            rescue(worker, "its process died", now: now)
        }
    }

    private mutating func rescue(_ worker: WorkerID, _ reason: String, now: UnixTime) {
        leases[worker] = nil
        for id in running.sorted() {
            guard var record = records[id], record.worker == worker else { continue }
            crash(&record, reason, now: now)
            if record.state.isFinished { tellEnded(record) }
        }
    }
}
