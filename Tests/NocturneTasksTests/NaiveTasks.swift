// NaiveTasks.swift — the rules of tasks once more, as simply as they can be said: a list that is searched from end to
// end. What it says, the table must do. Next: TaskTableModelTests.swift.

import NocturneCore
import NocturneTasks

/// A table that sorts nothing and indexes nothing.
struct NaiveTasks {
    struct Item {
        let id: TaskID
        let task: NewTask
        var state: TaskState
        var due: UnixTime
        var attempt = 0
        var crashes = 0
        var token: Int64 = 0
        var worker: WorkerID?
        var isCancelRequested = false
        var isPauseRequested = false
        var isPauseWithdrawn = false
        var ends = 0
    }

    var items: [Item] = []
    var limits: [String: Int] = [:]
    var paused: Set<String> = []
    var leases: [WorkerID: UnixTime] = [:]
    static let backoff = Duration.seconds(10)

    mutating func add(_ task: NewTask, id: TaskID, now: UnixTime) {
        var due = now
        if case .after(let delay) = task.start { due = now.adding(delay) }
        items.append(Item(id: id, task: task, state: due > now ? .scheduled : .available, due: due))
    }

    func runningCount(_ holds: (Item) -> Bool) -> Int {
        items.count { $0.state == .running && holds($0) }
    }

    /// The ids that a claim must give, in order, and the kind of place that the next one lacks.
    mutating func claim(
        _ request: ClaimRequest, now: UnixTime
    ) -> (ids: [TaskID], short: Int?) {
        var claimed: [TaskID] = []
        var short: Int?
        var places = request.places
        let order = items.indices.filter {
            items[$0].state == .available
                && (request.names.contains(items[$0].task.name)
                    || request.sharing[items[$0].task.name] != nil)
        }.sorted { rank(items[$0]) < rank(items[$1]) }
        for index in order where claimed.count < request.limit && short == nil {
            let task = items[index].task
            if paused.contains(task.queue) { continue }
            if let limit = limits[task.queue],
                runningCount({ $0.task.queue == task.queue }) >= limit
            {
                continue
            }
            if let key = task.key, runningCount({ $0.task.key?.name == key.name }) >= key.limit {
                continue
            }
            if !request.names.contains(task.name), let place = request.sharing[task.name] {
                guard let free = places[place] else { continue }
                guard free > 0 else {
                    short = place
                    continue
                }
                places[place] = free - 1
            }
            items[index].state = .running
            items[index].attempt += 1
            items[index].worker = request.worker
            claimed.append(items[index].id)
        }
        if !claimed.isEmpty { leases[request.worker] = now.adding(Heartbeat.lease) }
        return (claimed, short)
    }

    private func rank(_ item: Item) -> (Int, Int64, Int64) {
        let slack = [PriorityClass.high: 0, .normal: 30_000, .low: 300_000, .background: 1_800_000]
        let isCritical = item.task.priority == .critical
        let deadline = item.due.milliseconds + Int64(slack[item.task.priority] ?? 0)
        return (isCritical ? 0 : 1, deadline, item.id.number)
    }

    mutating func finish(_ index: Int, _ outcome: TaskEnd.Outcome, now: UnixTime) {
        items[index].token = 0
        switch outcome {
        case .completed: end(index, .completed)
        case .cancelled: end(index, .cancelled)
        case .failed(let failure, _):
            if items[index].isCancelRequested {
                end(index, .cancelled)
            } else if failure.kind == .permanent || items[index].attempt > 3 {
                end(index, .failed)
            } else {
                items[index].due = now.adding(Self.backoff)
                waitAgain(index, now: now)
            }
        case .snoozed(let until):
            items[index].due = until
            giveBack(index, now: now)
        case .returned: giveBack(index, now: now)
        case .crashed: crash(index, now: now)
        case .paused:
            items[index].attempt -= 1
            items[index].isPauseRequested = false
            let goesOn = items[index].isPauseWithdrawn
            items[index].isCancelRequested
                ? end(index, .cancelled) : set(index, goesOn ? .available : .paused)
        }
    }

    private mutating func set(_ index: Int, _ state: TaskState) {
        items[index].state = state
        items[index].isPauseWithdrawn = false
    }

    private mutating func end(_ index: Int, _ state: TaskState) {
        items[index].state = state
        items[index].isCancelRequested = false
        items[index].isPauseRequested = false
        items[index].ends += 1
    }

    private mutating func giveBack(_ index: Int, now: UnixTime) {
        items[index].attempt -= 1
        if items[index].isCancelRequested {
            end(index, .cancelled)
        } else {
            waitAgain(index, now: now)
        }
    }

    private mutating func waitAgain(_ index: Int, now: UnixTime) {
        if items[index].isPauseRequested {
            items[index].isPauseRequested = false
            set(index, .paused)
        } else {
            set(index, items[index].due > now ? .scheduled : .available)
        }
    }

    mutating func advance(to now: UnixTime) {
        for index in items.indices where items[index].state == .scheduled && items[index].due <= now
        {
            set(index, .available)
        }
        for (worker, end) in leases where end <= now { crash(worker, now: now) }
    }

    mutating func crash(_ worker: WorkerID, now: UnixTime) {
        leases[worker] = nil
        for index in items.indices
        where items[index].state == .running && items[index].worker == worker {
            crash(index, now: now)
        }
    }

    private mutating func crash(_ index: Int, now: UnixTime) {
        items[index].crashes += 1
        if items[index].crashes < 3 || items[index].isCancelRequested {
            items[index].due = min(items[index].due, now)
            giveBack(index, now: now)
        } else {
            items[index].attempt -= 1
            end(index, .failed)
        }
    }

    /// Whether the command is allowed; does it if so.
    mutating func apply(_ command: TaskCommand, _ index: Int, now: UnixTime) -> Bool {
        let state = items[index].state
        switch (command, state) {
        case (.cancel, .running): items[index].isCancelRequested = true
        case (.cancel, .scheduled), (.cancel, .available), (.cancel, .paused):
            end(index, .cancelled)
        case (.cancel, .cancelled), (.pause, .paused), (.retry, .available): break
        case (.pause, .running):
            items[index].isPauseRequested = true
            items[index].isPauseWithdrawn = false
        case (.pause, .scheduled), (.pause, .available): set(index, .paused)
        case (.resume, .running):
            if items[index].isPauseRequested { items[index].isPauseWithdrawn = true }
            items[index].isPauseRequested = false
        case (.resume, .paused):
            items[index].due = max(items[index].due, now)
            set(index, items[index].due > now ? .scheduled : .available)
        case (.retry, .scheduled):
            items[index].due = now
            set(index, .available)
        case (.retry, .failed), (.retry, .cancelled):
            (items[index].attempt, items[index].crashes, items[index].due) = (0, 0, now)
            set(index, .available)
        default: return false
        }
        return true
    }
}
