// TaskChanges.swift — what a store must write down after the table did something. Next: MemoryTaskStore.swift.

/// What became different in a ``TaskTable`` since it was last asked. A task that changed twice is there once.
package struct TaskChanges: Sendable {
    /// Tasks as they are now, new or changed.
    package var tasks: [TaskRecord] = []
    /// Tasks that were cleared. Not those that the table merely dropped because it keeps only so many.
    package var removed: [TaskID] = []
    /// Queues as they are now.
    package var queues: [QueueSettings] = []
    /// Schedules as they are now.
    package var schedules: [ScheduleRecord] = []
    /// Schedules that are gone, by name.
    package var removedSchedules: [String] = []

    package var isEmpty: Bool {
        tasks.isEmpty && removed.isEmpty && queues.isEmpty && schedules.isEmpty
            && removedSchedules.isEmpty
    }
}

/// What happened in a store besides what the caller of a method was told.
///
/// A hint: a store that several hosts share may tell it late or not at all.
package struct StoreNews: Sendable {
    /// Something may start that could not before, or the next moment at which something is due is nearer.
    package var hasAvailable = false
    /// Somebody asked to cancel or pause a task that runs.
    package var hasRequests = false
    /// Tasks that were added, by a caller or by a schedule.
    package var added: [TaskRecord] = []
    /// Tasks that ended without their handler: cancelled, skipped, out of time, crashed too often.
    package var ended: [TaskRecord] = []

    package init() {}

    package var isEmpty: Bool { !hasAvailable && !hasRequests && added.isEmpty && ended.isEmpty }
}

/// Which parts of a table changed.
struct ChangeJournal: Sendable {
    var tasks: Set<TaskID> = []
    /// Those of them that the table does not keep any more.
    var dropped: [TaskID: TaskRecord] = [:]
    var queues: Set<Int> = []
    var schedules: Set<String> = []
}
