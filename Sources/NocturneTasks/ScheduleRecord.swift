// ScheduleRecord.swift — a recurring task: what is added, when, and what happens to runs that are late or overlap.
// Next: TaskTable+Schedules.swift.

public import NocturneCore

/// A recurring task. Each run is a task of its own, linked to it by ``TaskRecord/run``.
public struct ScheduleRecord: Sendable, Hashable {
    /// Tells it from others: a schedule that is added under the same name replaces it.
    public let name: String
    /// What is added for each run. Its start, deadline, unique and idempotency keys mean nothing here.
    public let task: NewTask
    /// When.
    public private(set) var schedule: Schedule
    /// What happens to runs that nobody was there for.
    public let catchUp: CatchUp
    /// What happens to a run while an earlier one has not ended.
    public let overlap: RunOverlap
    /// Until when all runs were dealt with; at first, when the schedule was added.
    public package(set) var last: UnixTime
    /// Where ``last`` was before the clock was set back far, until time gets there again.
    var reached: UnixTime?
    /// The next run; `nil` if none is left.
    public package(set) var next: UnixTime?
    /// While it is paused, runs do not happen, nor are they made up for.
    public package(set) var isPaused = false

    /// A recurring task.
    public init(
        _ name: String, _ task: NewTask, _ schedule: Schedule, catchUp: CatchUp = .latest,
        overlap: RunOverlap = .skip
    ) {
        (self.name, self.task, self.schedule) = (name, task, schedule)
        (self.catchUp, self.overlap) = (catchUp, overlap)
        last = schedule.start
        next = schedule.next(after: schedule.start)
    }

    /// Begins now, or goes on where the schedule was that it replaces.
    ///
    /// A program that adds its schedules at each start must not lose the run that was missed while it was down, nor put
    /// off an interval again and again, nor undo an operator's pause: if the runs are to come at the same times, all of
    /// that stays. A start that is still to come is meant, and counts.
    mutating func begin(inPlaceOf old: ScheduleRecord?, now: UnixTime) {
        last = now
        if let old {
            isPaused = old.isPaused
            if schedule.start <= now, schedule.recurs(as: old.schedule) {
                schedule = schedule.starting(at: old.schedule.start)
                (last, reached) = (old.last, old.reached)
            }
        }
        next = schedule.next(after: last)
    }

    /// To be called before what is due at `now` is asked for.
    ///
    /// A clock that is set back far was wrong before, or is now. If it was, time comes to where it had been step by
    /// step, and all runs on the way are right. If it jumps there, it was wrong in between: what had happened before is
    /// not to happen again.
    mutating func noteClock(_ now: UnixTime) {
        if now.adding(CatchUp.clockCorrection) < last {
            reached = reached.map { max($0, last) } ?? last
        } else if let before = reached, before <= now {
            if last.adding(CatchUp.clockCorrection) < now { last = max(last, before) }
            reached = nil
        }
    }

    /// The same, but it adds another task.
    func adding(_ task: NewTask) -> ScheduleRecord {
        var record = ScheduleRecord(name, task, schedule, catchUp: catchUp, overlap: overlap)
        (record.last, record.next, record.isPaused) = (last, next, isPaused)
        return record
    }
}
