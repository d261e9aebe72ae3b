// BackgroundTaskManager+Alarm.swift — what the manager does because time passes: it sleeps until the next thing is due,
// and not at all while nothing is. Next: BackgroundTaskManager+Asking.swift.

internal import NocturneCore
internal import Synchronization

extension BackgroundTaskManager {
    /// It looks at the wall clock at least so often while it waits for something: somebody may have set it.
    static let longestSleep = Duration.seconds(60)
    /// When the store failed, it is asked again after this.
    static let storeRetry = Duration.seconds(1)

    /// Sleeps until the next thing is due, unless it will wake before.
    func setAlarm() async {
        let now = clock.now, uptime = clock.uptime
        let due: UnixTime?
        do throws(TaskError) {
            due = try await store.nextDue(after: now)
        } catch {
            return retryStore(error)
        }
        var next = due.map { uptime + min(max(.zero, $0.since(now)), Self.longestSleep) }
        state.withLock { state in
            if !state.runs.isEmpty { next = min(next, state.lastSign + Heartbeat.interval) }
            if let stop = state.nextStop { next = min(next, stop) }
        }
        if let next { setAlarm(at: next) }
    }

    private func min(_ left: Duration?, _ right: Duration) -> Duration {
        left.map { Swift.min($0, right) } ?? right
    }

    private func setAlarm(at time: Duration) {
        let old = state.withLock { state -> Task<Void, Never>? in
            if state.isStopped { return nil }
            if let alarm = state.alarm, alarm.time <= time { return nil }
            let old = state.alarm?.job
            let job = Task { [weak self, clock] in
                do {
                    try await clock.sleep(until: time)
                } catch {
                    return  // another alarm stands in for this one
                }
                await self?.ring(time)
            }
            state.alarm = (time, job)
            return old
        }
        old?.cancel()
    }

    private func ring(_ time: Duration) async {
        state.withLock { state in
            if state.alarm?.time == time { state.alarm = nil }
        }
        let uptime = clock.uptime
        stopLateRuns(at: uptime)
        // First the sign of life: if the clock was set or the store could not be reached for a while, leases would seem
        // to have ended.
        let isQuiet = state.withLock { state in
            !state.runs.isEmpty && uptime >= state.lastSign + Heartbeat.interval
        }
        if isQuiet, await !sendHeartbeat() { return }
        do throws(TaskError) {
            try await store.advance(to: clock.now)
        } catch {
            return retryStore(error)
        }
        storeAnswered()
        await finishAll()
        wake()
    }

    private func stopLateRuns(at uptime: Duration) {
        let grace = configuration.stopGrace
        let runs = state.withLock { state -> [TaskContext]? in
            guard let stop = state.nextStop, stop <= uptime else { return nil }
            return Array(state.runs.values)
        }
        guard let runs else { return }
        for run in runs where run.nextStop(grace: grace).map({ $0 <= uptime }) == true {
            if let outcome = run.stoppedOutcome {
                end(run, outcome)
            } else {
                run.stop(.timeout)
            }
        }
        state.withLock { state in
            state.nextStop = state.runs.values.compactMap { $0.nextStop(grace: grace) }
                .filter { $0 > uptime }.min()
        }
    }

    /// Asks handlers to stop, and sees to it that nobody waits for those that do not.
    func stop(_ runs: [TaskContext], _ reason: TaskContext.Stop) {
        if runs.isEmpty { return }
        for run in runs { run.stop(reason) }
        let end = clock.uptime + configuration.stopGrace
        state.withLock { $0.nextStop = min($0.nextStop, end) }
        setAlarm(at: end)
    }
}

// MARK: - A store that fails

extension BackgroundTaskManager {
    /// The store failed: nothing is lost, ask again soon.
    func retryStore(_ error: TaskError) {
        let isNew = state.withLock { state in
            defer { state.isStoreFailing = true }
            return !state.isStoreFailing && !state.isStopped
        }
        if isNew { events.tellStore(failure: error) }
        setAlarm(at: clock.uptime + Self.storeRetry)
    }

    private func storeAnswered() {
        let isNew = state.withLock { state in
            defer { state.isStoreFailing = false }
            return state.isStoreFailing
        }
        if isNew { events.tellStore(failure: nil) }
    }
}

// MARK: - Signs of life

extension BackgroundTaskManager {
    func sendHeartbeatSoon() { Task { await sendHeartbeat() } }

    /// Whether the store heard it, or another is on its way.
    @discardableResult
    func sendHeartbeat() async -> Bool {
        guard state.withLock({ $0.beating.begin() }) else { return true }
        repeat {
            let runs = state.withLock { state in
                state.lastSign = clock.uptime
                return state.runs
            }
            let beat = Heartbeat(
                worker: worker, notes: runs.values.compactMap { $0.takeNote() },
                running: runs.mapValues { $0.task.token })
            let withdrawals = runs.mapValues(\.withdrawals)
            do throws(TaskError) {
                let reply = try await store.heartbeat(beat, now: clock.now)
                stop(reply.lost.compactMap { runs[$0] }, .lost)
                stop(reply.cancelRequested.compactMap { runs[$0] }, .cancelled)
                for id in reply.pauseRequested {
                    runs[id]?.requestPause(asOf: withdrawals[id] ?? 0)
                }
            } catch {
                for run in runs.values { run.noteAgain() }
                state.withLock { state in
                    state.beating.stop()
                    // It did not hear this one: the next is due at once.
                    state.lastSign -= Heartbeat.interval
                }
                retryStore(error)
                return false
            }
        } while state.withLock { $0.beating.again() }
        return true
    }

    /// Writes a checkpoint down at once.
    func save(checkpoint: String, of run: TaskContext) async throws(TaskError) {
        let note = Heartbeat.Note(
            id: run.task.id, token: run.task.token, progress: run.progress, checkpoint: checkpoint)
        let beat = Heartbeat(
            worker: worker, notes: [note], running: [run.task.id: run.task.token])
        let reply = try await store.heartbeat(beat, now: clock.now)
        guard reply.lost.isEmpty else {
            stop([run], .lost)
            throw .claimLost(run.task.id)
        }
    }
}

extension TaskContext {
    /// How the attempt ends because it was asked to stop, if it was.
    var stoppedOutcome: TaskEnd.Outcome? {
        switch stopReason {
        case .cancelled, .lost: .cancelled
        case .shutdown: .returned
        case .timeout: .failed(timeoutFailure, wait: nil)
        case nil: nil
        }
    }

    private var timeoutFailure: TaskFailure {
        if let timeout = task.timeout, task.deadline == nil {
            return TaskFailure(.timeout, "it took longer than its timeout of \(timeout)")
        }
        return TaskFailure(.deadline, "its deadline passed while it ran")
    }
}
