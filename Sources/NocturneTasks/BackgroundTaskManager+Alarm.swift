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
            return retryStore()
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
        // First the sign of life: if the clock was set, leases would seem to have ended.
        let uptime = clock.uptime
        let isQuiet = state.withLock { state in
            !state.runs.isEmpty && uptime >= state.lastSign + Heartbeat.interval
        }
        if isQuiet { await sendHeartbeat() }
        stopLateRuns(at: uptime)
        do throws(TaskError) {
            try await store.advance(to: clock.now)
        } catch {
            return retryStore()
        }
        await finishAll()
        wake()
    }

    /// The store failed: nothing is lost, ask again soon.
    func retryStore() { setAlarm(at: clock.uptime + Self.storeRetry) }

    private func stopLateRuns(at uptime: Duration) {
        let runs = state.withLock { state -> [TaskContext] in
            guard let stop = state.nextStop, stop <= uptime else { return [] }
            return Array(state.runs.values)
        }
        guard !runs.isEmpty else { return }
        for run in runs {
            if run.isTooLate(at: uptime, grace: configuration.stopGrace) {
                end(run, .failed(run.timeoutFailure, wait: nil))
            } else if let end = run.end, end <= uptime {
                run.stop(.timeout)
            }
        }
        state.withLock { state in
            state.nextStop = state.runs.values.compactMap {
                $0.nextStop(grace: configuration.stopGrace)
            }.filter { $0 > uptime }.min()
        }
    }
}

// MARK: - Signs of life

extension BackgroundTaskManager {
    func sendHeartbeatSoon() { Task { await sendHeartbeat() } }

    func sendHeartbeat() async {
        guard state.withLock({ $0.beating.begin() }) else { return }
        repeat {
            let runs = state.withLock { state in
                state.lastSign = clock.uptime
                return state.runs
            }
            let beat = Heartbeat(
                worker: worker, notes: runs.values.compactMap { $0.takeNote() },
                running: runs.mapValues { $0.task.token })
            do throws(TaskError) {
                let reply = try await store.heartbeat(beat, now: clock.now)
                for id in reply.lost { runs[id]?.stop(.lost) }
                for id in reply.cancelRequested { runs[id]?.stop(.cancelled) }
                for id in reply.pauseRequested { runs[id]?.requestPause() }
            } catch {
                state.withLock { $0.beating.stop() }
                return retryStore()
            }
        } while state.withLock { $0.beating.again() }
    }

    /// Writes a checkpoint down at once.
    func save(checkpoint: String, of run: TaskContext) async throws(TaskError) {
        let note = Heartbeat.Note(
            id: run.task.id, token: run.task.token, progress: run.progress, checkpoint: checkpoint)
        let beat = Heartbeat(
            worker: worker, notes: [note], running: [run.task.id: run.task.token])
        let reply = try await store.heartbeat(beat, now: clock.now)
        guard reply.lost.isEmpty else {
            run.stop(.lost)
            throw .claimLost(run.task.id)
        }
    }
}

extension TaskContext {
    /// When something is to be done about an attempt that takes too long.
    func nextStop(grace: Duration) -> Duration? {
        guard let end else { return nil }
        return stopReason == nil ? end : end + grace
    }

    /// It was asked to stop and did not.
    func isTooLate(at uptime: Duration, grace: Duration) -> Bool {
        guard let end, stopReason == .timeout else { return false }
        return end + grace <= uptime
    }

    var timeoutFailure: TaskFailure {
        if let timeout = task.timeout, task.deadline == nil {
            return TaskFailure(.timeout, "it took longer than its timeout of \(timeout)")
        }
        return TaskFailure(.deadline, "its deadline passed while it ran")
    }
}
