// BackgroundTaskManager+Pump.swift — how tasks come and go: claimed into free places, run, and their ends handed back
// together. Nobody waits in between: whoever ends while a batch is on its way is in the next.
// Next: BackgroundTaskManager+Alarm.swift.

internal import NocturneCore
internal import Synchronization

extension BackgroundTaskManager {
    /// Looks for something to run, soon.
    func wake() {
        let isFirst = state.withLock { $0.claiming.begin() }
        if isFirst { Task { await claimRounds() } }
    }

    /// Fills the free places, as long as there is something to fill them with.
    private func claimAll() async {
        if state.withLock({ $0.claiming.begin() }) { await claimRounds() }
    }

    private func claimRounds() async {
        repeat { await claimOnce() } while state.withLock { $0.claiming.again() }
        await setAlarm()
    }

    private func claimOnce() async {
        while true {
            takePlaces()
            let (request, plugins) = state.withLock { state in
                (claimRequest(&state), state.plugins.order)
            }
            guard let request else { return giveBackPlaces() }
            let claim: Claim
            do throws(TaskError) {
                claim = try await store.claim(request, now: clock.now)
            } catch {
                giveBackPlaces()
                return retryStore(error)
            }
            start(claim.tasks)
            if let short = claim.short {
                state.withLock { $0.plugins.pools[plugins[short]]?.search = .wanted }
            } else if claim.tasks.count < request.limit {
                return giveBackPlaces()
            }
        }
    }

    /// Asks for as much as may start; `nil`: nothing may.
    private func claimRequest(_ state: inout State) -> ClaimRequest? {
        let free = configuration.maxConcurrent - state.runs.count
        guard free > 0, !state.isDraining, !state.names.isEmpty || !state.plugins.order.isEmpty
        else { return nil }
        return ClaimRequest(
            worker: worker, names: state.names, sharing: state.plugins.sharing,
            places: state.plugins.places, limit: free)
    }

    /// Notes all before the first may end, so that nobody is kept waiting for each of them.
    private func start(_ claimed: [TaskRecord]) {
        if claimed.isEmpty { return }
        let uptime = clock.uptime
        let runs = claimed.map { record in
            tell(.started(record))
            return TaskContext(record, end: end(of: record, at: uptime), manager: self)
        }
        let handlers = state.withLock { state in
            state.lastSign = uptime
            return runs.map { note($0, in: &state) }
        }
        for (run, handler) in zip(runs, handlers) {
            run.began(Task { await self.run(run, handler) })
        }
    }

    /// When an attempt that begins now is stopped.
    private func end(of record: TaskRecord, at uptime: Duration) -> Duration? {
        let end = record.timeout.map { uptime + $0 }
        guard let left = record.deadline?.since(clock.now), left <= NewTask.longestTimeout else {
            return end  // What is so far away is for a later process to watch.
        }
        let stop = uptime + max(.zero, left)
        return end.map { min($0, stop) } ?? stop
    }

    /// Notes a run, and finds what runs it.
    private func note(_ run: TaskContext, in state: inout State) -> TaskHandler? {
        state.runs[run.task.id] = run
        if let end = run.end { state.nextStop = Swift.min(end, state.nextStop ?? end) }
        if let handler = state.handlers[run.task.name] { return handler }
        return state.plugins.takePlace(for: run.task.name).map {
            TaskHandler.inPlugin($0, stopGrace: configuration.stopGrace)
        }
    }

    private func run(_ context: TaskContext, _ handler: TaskHandler?) async {
        let outcome: TaskEnd.Outcome
        if let handler {
            do {
                let result = try await handler.run(context.task.input, context)
                outcome = Self.completion(result)
            } catch {
                outcome = self.outcome(of: error, context, handler)
            }
        } else {
            outcome = .returned  // It was removed between the claim and now.
        }
        end(context, outcome)
        await finishAll()
    }

    /// A result that may not be kept fails its task: trying again would bring the same.
    private static func completion(_ result: String) -> TaskEnd.Outcome {
        do throws(TaskError) {
            try NewTask.check(value: result, of: "its result")
            return .completed(result: result)
        } catch {
            return .failed(TaskFailure(.permanent, "\(error)"), wait: nil)
        }
    }

    private func outcome(
        of error: any Error, _ context: TaskContext, _ handler: TaskHandler
    ) -> TaskEnd.Outcome {
        if let outcome = context.stoppedOutcome { return outcome }
        switch error {
        // At a shutdown it was asked to pause for that reason, and is to go on with the next manager.
        case is Paused: return state.withLock { $0.isDraining } ? .returned : .paused
        case is Withdrawn: return .returned
        case let crash as Crashed: return .crashed(crash.reason)
        case let snooze as Snooze: return .snoozed(until: clock.now.adding(snooze.delay))
        case let later as RetryLater:
            return .failed(TaskFailure(.error, later.reason), wait: later.delay)
        case let failure as TaskFailure:
            return .failed(failure, wait: handler.wait?(Int(context.task.attempt), failure))
        default:
            return .failed(
                TaskFailure(.error, "\(error)"),
                wait: handler.wait?(Int(context.task.attempt), error))
        }
    }

    /// Notes how an attempt ended, once; later ends of it do not count.
    func end(_ context: TaskContext, _ outcome: TaskEnd.Outcome) {
        guard let end = context.finish(outcome) else { return }
        state.withLock { $0.ends.append(end) }
    }

    /// Hands noted ends to the store, and fills the places that get free.
    func finishAll() async {
        guard state.withLock({ $0.finishing.begin() }) else { return }
        repeat {
            let ends = state.withLock { state in
                defer { state.ends.removeAll() }
                return state.ends
            }
            guard !ends.isEmpty else { continue }
            do throws(TaskError) {
                let records = try await store.finish(ends, now: clock.now)
                free(ends)
                for record in records {
                    if let record { settle(record) }
                }
                await claimAll()
            } catch {
                state.withLock { $0.ends.insert(contentsOf: ends, at: 0) }
                state.withLock { $0.finishing.stop() }
                return retryStore(error)
            }
        } while state.withLock { $0.finishing.again() }
    }

    private func free(_ ends: [TaskEnd]) {
        let drained = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            for end in ends where state.runs[end.id]?.task.token == end.token {
                state.runs[end.id] = nil
            }
            guard state.runs.isEmpty else { return [] }
            state.nextStop = nil
            defer { state.drained = [] }
            return state.drained
        }
        for waiter in drained { waiter.resume() }
    }

    /// A task has got somewhere: tells it, and wakes those who wait for its end.
    func settle(_ record: TaskRecord) {
        switch record.state {
        case .completed: tell(.completed(record))
        case .failed: tell(.failed(record))
        case .cancelled: tell(.cancelled(record))
        case .scheduled, .available:
            if let attempt = record.attempts.last, attempt.outcome == .failed {
                tell(.retry(record, delay: record.due.since(attempt.ended)))
            }
        case .blocked, .running, .paused, .skipped: break
        }
        guard record.state.isFinished else { return }
        let waiters = state.withLock { state in
            state.waiters.isEmpty ? nil : state.waiters.removeValue(forKey: record.id)
        }
        for waiter in waiters ?? [] { waiter.end(record) }
    }
}
