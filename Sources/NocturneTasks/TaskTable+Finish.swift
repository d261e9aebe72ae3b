// TaskTable+Finish.swift — how attempts end, and what that makes of the task. Next: TaskTable+Commands.swift.

package import NocturneCore

extension TaskTable {
    /// So often a task may die with its process before it is taken to be the reason.
    package static let mostCrashes = 3

    /// Ends attempts. `nil`: the claim was lost before, and nothing was done.
    package mutating func finish(_ ends: [TaskEnd], now: UnixTime) -> [TaskRecord?] {
        ends.map { finish($0, now: now) }
    }

    private mutating func finish(_ end: TaskEnd, now: UnixTime) -> TaskRecord? {
        guard var record = records[end.id], record.state == .running, record.token == end.token
        else { return nil }
        let lane = Int(record.lane)
        let started = record.started ?? now
        lanes[lane].totals.runMilliseconds += max(0, now.since(started).wholeMilliseconds)
        record.token = 0
        if let progress = end.progress { record.change { $0.progress = progress } }
        switch end.outcome {
        case .completed(let result):
            if !end.log.isEmpty || record.attempt > 1 {
                keepAttempt(&record, .completed, nil, end.log, now: now)
            }
            complete(&record, result: result, now: now)
        case .failed(let failure, let wait):
            keepAttempt(&record, .failed, failure, end.log, now: now)
            fail(&record, failure, wait: wait, now: now)
        case .cancelled:
            keepAttempt(&record, .cancelled, nil, end.log, now: now)
            move(&record, to: .cancelled, now: now)
        case .snoozed(let until):
            keepAttempt(&record, .snoozed, nil, end.log, now: now)
            record.due = min(max(until, now), now.adding(RetryPolicy.longestWait))
            giveBack(&record, now: now)
        case .paused:
            keepAttempt(&record, .paused, nil, end.log, now: now)
            record.attempt -= 1
            if record.isCancelRequested {
                move(&record, to: .cancelled, now: now)
            } else if record.isPauseWithdrawn {
                makeReady(&record, now: now)
            } else {
                hold(&record, now: now)
            }
        case .returned:
            if !end.log.isEmpty { keepAttempt(&record, .returned, nil, end.log, now: now) }
            giveBack(&record, now: now)
        case .crashed(let reason):
            crash(&record, reason, end.log, now: now)
        }
        return record
    }

    private mutating func complete(_ record: inout TaskRecord, result: String, now: UnixTime) {
        if result != "null" {
            let keeps = record.change { details in
                details.result = result
                details.checkpoint = nil
                return details.keepsResultFor
            }
            if let keeps {
                timers.insert(
                    TaskTimer(time: now.adding(keeps), id: record.id, kind: .resultExpires))
            }
        } else if record.checkpoint != nil {
            record.change { $0.checkpoint = nil }
        }
        move(&record, to: .completed, now: now)
    }

    private mutating func fail(
        _ record: inout TaskRecord, _ failure: TaskFailure, wait: Duration?, now: UnixTime
    ) {
        record.change { $0.failure = failure }
        if record.isCancelRequested {
            move(&record, to: .cancelled, now: now)
        } else if failure.isFinal || record.attempt > record.retries {
            move(&record, to: .failed, now: now)
        } else {
            let policy = record.backoff ?? RetryPolicy()
            let wait =
                wait ?? policy.wait(afterAttempt: Int(record.attempt), using: &generator)
            lanes[Int(record.lane)].totals.retried += 1
            record.due = now.adding(min(max(wait, .zero), RetryPolicy.longestWait))
            waitAgain(&record, now: now)
        }
    }

    /// An attempt ended that does not count.
    private mutating func giveBack(_ record: inout TaskRecord, now: UnixTime) {
        record.attempt -= 1
        if record.isCancelRequested {
            move(&record, to: .cancelled, now: now)
        } else {
            waitAgain(&record, now: now)
        }
    }

    /// A task that ran waits for its next attempt, or is held if somebody asked for that.
    private mutating func waitAgain(_ record: inout TaskRecord, now: UnixTime) {
        if record.isPauseRequested {
            hold(&record, now: now)
        } else {
            makeReady(&record, now: now)
        }
    }

    /// A task that ran is held, unless it is too late for it: nobody watches a deadline that passed while it ran.
    private mutating func hold(_ record: inout TaskRecord, now: UnixTime) {
        record.isPauseRequested = false
        if let deadline = record.deadline, deadline <= now {
            makeReady(&record, now: now)
        } else {
            move(&record, to: .paused, now: now)
        }
    }

    /// The process that ran the task died: it is tried again at once, unless it did so too often.
    mutating func crash(
        _ record: inout TaskRecord, _ reason: String, _ log: [String] = [], now: UnixTime
    ) {
        lanes[Int(record.lane)].totals.crashed += 1
        record.token = 0
        record.crashes += 1
        let failure = TaskFailure(.crash, reason)
        keepAttempt(&record, .crashed, failure, log, now: now)
        if record.crashes < Self.mostCrashes || record.isCancelRequested {
            record.change { $0.failure = failure }
            record.due = min(record.due, now)
            giveBack(&record, now: now)
        } else {
            record.attempt -= 1
            let times = "\(record.crashes) processes died while they ran it; the last: \(reason)"
            record.change { $0.failure = TaskFailure(.poison, times) }
            move(&record, to: .failed, now: now)
        }
    }

    private func keepAttempt(
        _ record: inout TaskRecord, _ outcome: TaskAttempt.Outcome, _ failure: TaskFailure?,
        _ log: [String], now: UnixTime
    ) {
        let attempt = TaskAttempt(
            number: Int(record.attempt), started: record.started ?? now, ended: now,
            worker: record.worker, outcome: outcome, failure: failure, log: log)
        record.change { details in
            if details.attempts.count >= TaskAttempt.mostKept { details.attempts.removeFirst() }
            details.attempts.append(attempt)
        }
    }
}

extension TaskFailure {
    static let pastDeadline = TaskFailure(.deadline, "its deadline passed before it had completed")

    /// Trying again is of no use.
    var isFinal: Bool {
        switch kind {
        case .permanent, .deadline, .poison, .input: true
        case .error, .timeout, .crash: false
        }
    }
}
