// StoredTable.swift — a table of tasks and the file that holds the same: read at the start, written after each change.
// Next: SQLiteTaskStore.swift, which decides when.

internal import NocturneCore
internal import NocturneStorage

/// The tasks of a file. Those that have not ended are in memory, too, with the rules by which they move.
struct StoredTable {
    /// So many finished tasks stay in memory: what their handlers' callers ask for at once.
    private static let finishedInMemory = 1_000
    /// So many finished tasks are removed at a time. A batch of others waits as long as that takes.
    private static let mostRemoved = 1_000
    /// What could not be read, and stays as it is in the file.
    private(set) var warnings: [String] = []
    var table: TaskTable
    private let retention: TaskTable.Retention
    /// The last id and the last token that the file knows of.
    private var written: (id: Int64, token: Int64)
    /// Tasks with greater ids have no row yet.
    private var lastRow: Int64
    /// How many finished tasks there are, at most: one that ended, was changed and is written again counts twice.
    private var finishedCount: Int
    /// With so many finished tasks, some are removed even without ``advance(to:_:)``.
    private var trimCount: Int
    private var nextExpiry: UnixTime?
    private var interned: [String: String] = [:]

    /// Reads the file. Workers that ran tasks are given the time of a lease to be heard of.
    init(
        _ rows: TaskRowReader, retention: TaskTable.Retention, seed: UInt64, now: UnixTime
    ) throws(StoreError) {
        self.retention = retention
        // Dropping by age would only save memory; the file is what must not keep them.
        table = TaskTable(
            retention: TaskTable.Retention(
                count: min(retention.count, Self.finishedInMemory), age: .seconds(1 << 40)),
            notesChanges: true, seed: seed)
        written = (try rows.number("id") ?? 0, try rows.number("token") ?? 0)
        lastRow = written.id
        finishedCount = try rows.finishedCount()
        trimCount = retention.count + Self.mostRemoved
        nextExpiry = try rows.nextExpiry().map(UnixTime.init(milliseconds:))
        for settings in try rows.queues() {
            read("a queue") { try QueueSettings(stored: settings) }.map { table.put($0) }
        }
        for (name, settings) in try rows.schedules() {
            read("schedule \(name)") { try ScheduleRecord(name, stored: settings) }
                .map { table.restore($0) }
        }
        var tasks: [TaskRow] = []
        for state in TaskState.allCases where !state.isFinished {
            tasks += try rows.tasks(inState: Int(state.rawValue))
        }
        tasks += try rows.tasksInOpenGraphs()
        tasks += try rows.tasks(heldAfter: now.milliseconds)
        restore(tasks, now: now)
        table.resume(afterID: written.id, token: written.token)
        _ = table.takeChanges()
    }

    private mutating func read<Value>(_ what: String, _ body: () throws -> Value) -> Value? {
        do {
            return try body()
        } catch {
            warnings.append("\(what) cannot be read and is left as it is: \(error)")
            return nil
        }
    }

    private mutating func restore(_ rows: [TaskRow], now: UnixTime) {
        for var row in rows.sorted(by: { $0.id < $1.id }) {
            (row.queue, row.name) = (intern(row.queue), intern(row.name))
            read("task \(row.id)") { try TaskRecord(row) }.map { table.restore($0, now: now) }
        }
    }

    /// One copy of each name, however many tasks have it.
    private mutating func intern(_ name: String) -> String {
        if let known = interned[name] { return known }
        interned[name] = name
        return name
    }
}

// MARK: - Writing

extension StoredTable {
    /// Writes down what the table did since the last time.
    mutating func write(to file: TaskRowWriter) throws(StoreError) {
        let changes = table.takeChanges()
        if changes.isEmpty { return }
        for task in changes.tasks.sorted(by: { $0.id < $1.id }) {
            let row = TaskRow(task)
            if task.id.number > lastRow {
                try file.insert(row)
            } else {
                try file.update(row)
            }
            if task.state.isFinished { finishedCount += 1 }
            if let end = row.resultExpires.map(UnixTime.init(milliseconds:)) {
                nextExpiry = min(nextExpiry ?? end, end)
            }
        }
        for queue in changes.queues { try file.putQueue(queue.name, queue.stored) }
        for schedule in changes.schedules {
            try file.putSchedule(schedule.name, schedule.stored)
        }
        for name in changes.removedSchedules { try file.removeSchedule(name) }
        lastRow = table.nextID - 1
        if finishedCount > trimCount { try trim(file) }
    }

    /// Writes down which ids and tokens were given out. Once for all that a transaction holds.
    mutating func writeNumbers(to file: TaskRowWriter) throws(StoreError) {
        let last = (id: table.nextID - 1, token: table.nextToken - 1)
        if last.id != written.id { try file.setNumber("id", last.id) }
        if last.token != written.token { try file.setNumber("token", last.token) }
        written = last
    }

    /// Removes finished tasks that are too many.
    private mutating func trim(_ file: TaskRowWriter) throws(StoreError) {
        finishedCount = try file.reader.finishedCount()
        _ = try remove(TaskRowFilter(), finishedCount - retention.count, file)
        // Those that must stay, for the sake of their graphs, are not looked for in each batch.
        trimCount = max(finishedCount, retention.count) + Self.mostRemoved
    }

    private mutating func remove(
        _ filter: TaskRowFilter, _ limit: Int, freesKeys: Bool = false, _ file: TaskRowWriter
    ) throws(StoreError) -> Int {
        guard limit > 0 else { return 0 }
        let removed = try file.removeFinished(filter, limit: min(limit, Self.mostRemoved))
        for (id, name, terms) in removed {
            let details = terms.flatMap { terms in
                read("task \(id)") { try TaskDetails(terms: terms, changing: nil) }
            }
            table.forget(
                TaskID(id), name: name, unique: details?.unique,
                idempotencyKey: freesKeys ? details?.idempotencyKey : nil)
        }
        finishedCount -= removed.count
        return removed.count
    }

    /// Removes finished tasks that a filter means, the oldest first, at most `limit`.
    mutating func clear(
        _ filter: TaskFilter, limit: Int, _ file: TaskRowWriter
    ) throws(StoreError) -> Int {
        var cleared = 0
        while cleared < limit {
            let count = try remove(
                TaskRowFilter(filter, onlyFinished: true), limit - cleared, freesKeys: true, file)
            cleared += count
            if count < Self.mostRemoved { break }
        }
        return cleared
    }
}

// MARK: - Time

extension StoredTable {
    /// Does what is due by `now`.
    mutating func advance(to now: UnixTime, _ file: TaskRowWriter) throws(StoreError) {
        table.advance(to: now)
        try write(to: file)
        if let expiry = nextExpiry, expiry <= now {
            try file.expireResults(by: now.milliseconds)
            nextExpiry = try file.reader.nextExpiry().map(UnixTime.init(milliseconds:))
        }
        if finishedCount > retention.count { try trim(file) }
        var old = TaskRowFilter()
        old.finishedBefore = now.adding(.zero - retention.age).milliseconds
        _ = try remove(old, Self.mostRemoved, file)
    }

    func nextDue(after now: UnixTime) -> UnixTime? {
        guard let due = table.nextDue(after: now), let expiry = nextExpiry else {
            return table.nextDue(after: now) ?? nextExpiry
        }
        return min(due, expiry)
    }
}

// MARK: - Tasks that have ended

extension StoredTable {
    /// Brings a task back that ended long ago, and its whole graph, because it is to be tried again.
    mutating func recall(
        _ id: TaskID, _ rows: TaskRowReader, now: UnixTime
    ) throws(StoreError) {
        let known = table.task(id)
        if let known, !known.state.isFinished { return }
        if let graph = known?.node?.graph.number {
            restore(try rows.tasks(inGraph: graph), now: now)
        } else if known == nil, let row = try rows.task(id.number) {
            restore(
                try row.graph.map { graph throws(StoreError) in
                    try rows.tasks(inGraph: graph)
                } ?? [row], now: now)
        }
    }

    /// Where tasks are: those that have not ended as the table knows them, the others as the file does.
    func statistics(_ rows: TaskRowReader) throws(StoreError) -> TaskStatistics {
        var counts: [Lane.Name: [TaskState: Int]] = [:]
        var totals: [Lane.Name: TaskTotals] = [:]
        for row in table.statistics.rows {
            let lane = Lane.Name(queue: row.queue, name: row.name)
            counts[lane] = row.counts.filter { !$0.key.isFinished }
            totals[lane] = row.totals
        }
        for (queue, name, state, tasks) in try rows.finishedCounts() {
            guard let state = TaskState(rawValue: UInt8(clamping: state)) else { continue }
            counts[Lane.Name(queue: queue, name: name), default: [:]][state] = tasks
        }
        return TaskStatistics(
            rows: counts.map { lane, counts in
                TaskStatistics.Row(
                    queue: lane.queue, name: lane.name, counts: counts,
                    totals: totals[lane] ?? TaskTotals())
            }, forgotten: table.forgottenTotals)
    }
}

extension TaskRowFilter {
    /// The rows of the tasks that a filter means.
    ///
    /// - Parameter onlyFinished: leaves out tasks that have not ended.
    init(_ filter: TaskFilter, onlyFinished: Bool = false) {
        self.init()
        (queue, name, schedule) = (filter.queue, filter.name, filter.schedule)
        graph = filter.graph?.number
        finishedBefore = filter.finishedBefore?.milliseconds
        // Names and queues are looked for state by state.
        if filter.states != nil || name != nil || queue != nil {
            let all = TaskState.allCases.filter { !onlyFinished || $0.isFinished }
            states = all.filter { filter.states?.contains($0) ?? true }.map {
                (Int($0.rawValue), $0.isFinished)
            }
        }
    }
}
