// TaskTable+Schedules.swift — recurring tasks: which runs are due, and what becomes of those that overlap.
// Next: MemoryTaskStore.swift.

package import NocturneCore

extension TaskTable {
    /// Adds a schedule, or replaces the one of its name: the past is not run again, and its active runs go on.
    package mutating func put(_ schedule: ScheduleRecord, now: UnixTime) {
        var schedule = schedule
        schedule.begin(inPlaceOf: scheduleRecords[schedule.name], now: now)
        restore(schedule)
        note(schedule: schedule.name)
        tellAvailable()
    }

    /// Puts back a schedule that a store had written down, as it was.
    package mutating func restore(_ schedule: ScheduleRecord) {
        scheduleRecords[schedule.name] = schedule
    }

    package mutating func removeSchedule(_ name: String) throws(TaskError) {
        guard scheduleRecords.removeValue(forKey: name) != nil else { throw .noSchedule(name) }
        note(schedule: name)
    }

    /// All schedules, by name.
    package var schedules: [ScheduleRecord] {
        scheduleRecords.values.sorted { $0.name < $1.name }
    }

    mutating func fireSchedules(now: UnixTime) {
        let due = scheduleRecords.values.filter { schedule in
            // A clock that was set back far makes the next run wrong, too.
            !schedule.isPaused
                && (schedule.next.map { $0 <= now } ?? false
                    || now.adding(CatchUp.clockCorrection) < schedule.last)
        }
        for var schedule in due.sorted(by: { $0.name < $1.name }) {
            schedule.noteClock(now)
            let (runs, next) = schedule.catchUp.due(
                of: schedule.schedule, after: schedule.last, now: now)
            for moment in runs { run(schedule, for: moment, now: now) }
            schedule.last = now
            schedule.next = next
            scheduleRecords[schedule.name] = schedule
            note(schedule: schedule.name)
        }
    }

    /// Adds the run of a schedule for a moment, or records that it does not happen.
    private mutating func run(_ schedule: ScheduleRecord, for moment: UnixTime, now: UnixTime) {
        let active = activeRuns[schedule.name] ?? []
        let waiting = active.filter { records[$0]?.run?.isWaiting == true }
        let decision = schedule.overlap.decide(
            running: active.count - waiting.count, waiting: waiting.count)
        if decision == .cancelThenStart {
            for id in active { cancelUnfinished(id, now: now) }
        }
        // Those that only waited are cancelled by now.
        let waits =
            decision == .wait
            || decision == .cancelThenStart && !(activeRuns[schedule.name] ?? []).isEmpty
        var record = makeRecord(schedule.task, now: now)
        record.due = now
        record.change { details in
            details.run = ScheduledRun(
                schedule: schedule.name, moment: moment, isWaiting: waits)
            (details.deadline, details.unique, details.idempotencyKey) = (nil, nil, nil)
        }
        insert(&record, now: now)
        if decision == .skip {
            move(&record, to: .skipped, now: now)
            tellEnded(record)
        }
    }

    mutating func addActive(_ id: TaskID, _ run: ScheduledRun) {
        activeRuns[run.schedule] = ((activeRuns[run.schedule] ?? []) + [id]).sorted()
    }

    /// Whether a run that begins anew must wait for others of its schedule.
    func mustWait(_ run: ScheduledRun) -> Bool {
        guard let schedule = scheduleRecords[run.schedule], schedule.overlap != .allow else {
            return false
        }
        return activeRuns[run.schedule]?.isEmpty == false
    }

    /// A run has ended: one that waited for it may start.
    mutating func runEnded(_ id: TaskID, _ run: ScheduledRun, now: UnixTime) {
        activeRuns[run.schedule]?.removeAll { $0 == id }
        guard let active = activeRuns[run.schedule] else { return }
        guard let first = active.first else {
            activeRuns[run.schedule] = nil
            return
        }
        let isFree = active.allSatisfy { records[$0]?.run?.isWaiting == true }
        guard isFree, var record = records[first] else { return }
        record.change { $0.run?.isWaiting = false }
        record.due = max(record.due, now)
        if record.state == .blocked {
            makeReady(&record, now: now)
            if record.state.isFinished { tellEnded(record) }
        } else {
            records[first] = record
            note(first)
        }
    }

    /// Adds a run at once, whatever the schedule says; its policy for overlaps counts.
    package mutating func runNow(_ name: String, now: UnixTime) throws(TaskError) -> TaskRecord? {
        guard let schedule = scheduleRecords[name] else { throw .noSchedule(name) }
        let id = TaskID(nextID)
        run(schedule, for: now, now: now)
        return records[id]
    }

    /// Stops or goes on with a schedule. What it missed meanwhile does not happen.
    package mutating func pauseSchedule(
        _ name: String, _ isPaused: Bool, now: UnixTime
    ) throws(TaskError) {
        guard var schedule = scheduleRecords[name] else { throw .noSchedule(name) }
        if schedule.isPaused, !isPaused {
            schedule.last = now
            schedule.next = schedule.schedule.next(after: now)
        }
        schedule.isPaused = isPaused
        scheduleRecords[name] = schedule
        note(schedule: name)
        tellAvailable()
    }
}
