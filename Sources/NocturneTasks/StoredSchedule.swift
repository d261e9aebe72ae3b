// StoredSchedule.swift — schedules and queues as `tasks.db` holds them. Next: SQLiteTaskStore.swift.

internal import NocturneCore

extension ScheduleRecord {
    /// As JSON. The schedule itself is its canonical text, so that people can read it.
    var stored: String {
        var fields: JSONObject = [
            "schedule": .init(schedule.description),
            "start": StoredValue.write(schedule.start),
            "gap": .init(schedule.gap.rawValue), "overlap": .init(schedule.overlap.rawValue),
            "task": task.stored,
            "catchUp": [.init(catchUp.maximum), StoredValue.write(catchUp.window)],
            "runOverlap": .init(overlap.rawValue), "last": StoredValue.write(last),
            "isPaused": .init(isPaused),
        ]
        fields["next"] = next.map(StoredValue.write)
        fields["reached"] = reached.map(StoredValue.write)
        return JSONValue.object(fields).description
    }

    /// The schedule of this name that was written down so.
    init(_ name: String, stored text: String) throws {
        let stored = try StoredValue(text)
        let catchUp = try stored.field("catchUp")
        self.init(
            name, try NewTask(stored.field("task")),
            try Schedule(
                stored.field("schedule").text, from: stored.field("start").time,
                gap: stored.field("gap").choice(), overlap: stored.field("overlap").choice()),
            catchUp: .all(
                upTo: try catchUp.element(0).int, within: try catchUp.element(1).duration),
            overlap: try stored.field("runOverlap").choice())
        last = try stored.field("last").time
        next = try stored["next"]?.time
        reached = try stored["reached"]?.time
        isPaused = try stored.field("isPaused").bool
    }
}

extension NewTask {
    /// As JSON.
    fileprivate var stored: JSONValue {
        var fields = TaskDetails(of: self)?.wishes ?? [:]
        (fields["name"], fields["input"]) = (.init(name), .init(input))
        (fields["queue"], fields["priority"]) = (.init(queue), .init(priority.description))
        switch start {
        case .now: break
        case .at(let time): fields["startAt"] = StoredValue.write(time)
        case .after(let delay): fields["startAfter"] = StoredValue.write(delay)
        }
        return .object(fields)
    }

    fileprivate init(_ stored: StoredValue) throws {
        self.init(
            try stored.field("name").text, input: try StoredValue(stored.field("input").text).json)
        queue = try stored.field("queue").text
        guard let priority = PriorityClass(name: try stored.field("priority").text) else {
            throw StoredValue.Damage(description: "an unknown priority")
        }
        self.priority = priority
        if let time = try stored["startAt"]?.time { start = .at(time) }
        if let delay = try stored["startAfter"]?.duration { start = .after(delay) }
        let wishes = try TaskDetails(wishes: stored)
        (retry, timeout, deadline, key) = (
            wishes.retry, wishes.timeout, wishes.deadline, wishes.key
        )
        (unique, idempotencyKey) = (wishes.unique, wishes.idempotencyKey)
        keepsResultFor = wishes.keepsResultFor
    }
}

extension QueueSettings {
    /// As JSON.
    var stored: String {
        var fields: JSONObject = ["name": .init(name), "isPaused": .init(isPaused)]
        fields["limit"] = limit.map { .init($0) }
        fields["rate"] = rate.map {
            [.init($0.count), StoredValue.write($0.period), .init($0.burst)]
        }
        return JSONValue.object(fields).description
    }

    init(stored text: String) throws {
        let stored = try StoredValue(text)
        self.init(
            try stored.field("name").text, limit: try stored["limit"]?.int,
            rate: try stored["rate"].map {
                StartRate(
                    try $0.element(0).int, per: try $0.element(1).duration,
                    burst: try $0.element(2).int)
            }, isPaused: try stored.field("isPaused").bool)
    }
}
