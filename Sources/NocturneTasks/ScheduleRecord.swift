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
    public let schedule: Schedule
    /// What happens to runs that nobody was there for.
    public let catchUp: CatchUp
    /// What happens to a run while an earlier one has not ended.
    public let overlap: RunOverlap
    /// The newest run that was dealt with; before the first, the schedule's start.
    public package(set) var last: UnixTime
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

    /// The same in the place of an earlier one of its name. Who paused that one has paused this one. If its times are
    /// the same, too, it goes on where that one was: a program that adds its schedules at every start must not lose
    /// what it missed while it was down.
    func replacing(_ old: ScheduleRecord) -> ScheduleRecord {
        let isSame = schedule.hasTimes(of: old.schedule)
        var record = ScheduleRecord(
            name, task, isSame ? old.schedule : schedule, catchUp: catchUp, overlap: overlap)
        if isSame { (record.last, record.next) = (old.last, old.next) }
        record.isPaused = old.isPaused
        return record
    }

    /// The same, but it adds another task.
    func adding(_ task: NewTask) -> ScheduleRecord {
        var record = ScheduleRecord(name, task, schedule, catchUp: catchUp, overlap: overlap)
        (record.last, record.next, record.isPaused) = (last, next, isPaused)
        return record
    }
}
