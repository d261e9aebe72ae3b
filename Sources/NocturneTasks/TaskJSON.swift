// TaskJSON.swift — tasks, queues, schedules and counts as the control API shows them. Times are milliseconds since
// 1970-01-01 UTC, durations are milliseconds, ids are strings. Next: TaskStore.swift.

public import NocturneCore

extension TaskRecord {
    /// What lists show of it: everything but its values, its checkpoint and its attempts, which may be large.
    public var summaryJSON: JSONObject {
        [
            "id": .string(id.description), "name": .string(name), "queue": .string(queue),
            "state": .string(state.description), "priority": .string(priority.description),
            "attempt": JSONValue(attempt), "retries": JSONValue(retries),
            "crashes": JSONValue(crashes), "created": created.json, "due": due.json,
            "started": started.json, "finished": finished.json,
            "progress": progress?.json ?? .null, "error": failure?.json ?? .null,
            "cancelRequested": .bool(isCancelRequested), "pauseRequested": .bool(isPauseRequested),
            "schedule": (run?.schedule).json, "graph": (node?.graph.description).json,
            "reference": (node?.reference).json,
        ]
    }

    /// All that is known of it.
    public var json: JSONObject {
        var json = summaryJSON
        json["input"] = (try? JSONParser.parse(input)) ?? .null
        json["result"] = resultValue
        json["checkpoint"] = checkpoint.flatMap { try? JSONParser.parse($0) } ?? .null
        json["attempts"] = .array(attempts.map(\.json))
        json["timeout"] = timeout.json
        json["deadline"] = deadline.json
        json["key"] = key.map { ["name": .string($0.name), "limit": JSONValue($0.limit)] } ?? .null
        json["uniqueKey"] = (unique?.key).json
        json["idempotencyKey"] = idempotencyKey.json
        json["worker"] = (worker?.description).json
        json["moment"] = (run?.moment).json
        json["rule"] = (node?.rule.rawValue).json
        json["parents"] = .array((node?.parents ?? []).map { .string($0.description) })
        return json
    }
}

extension TaskProgress {
    var json: JSONValue {
        ["percent": JSONValue(percent) ?? .null, "message": message.json]
    }
}

extension TaskFailure {
    var json: JSONValue { ["kind": .string(kind.rawValue), "message": .string(message)] }
}

extension TaskAttempt {
    var json: JSONValue {
        [
            "number": JSONValue(number), "outcome": .string(outcome.rawValue),
            "started": started.json, "ended": ended.json, "worker": (worker?.description).json,
            "error": failure?.json ?? .null, "log": .array(log.map { .string($0) }),
        ]
    }
}

extension AddedTask {
    /// What became of it.
    public var json: JSONObject {
        [
            "id": .string(id.description), "state": .string(state.description),
            "duplicate": (duplicate?.rawValue).json,
        ]
    }
}

extension QueueSettings {
    /// How it is set up.
    public var json: JSONObject {
        let rate = rate.map { rate -> JSONValue in
            [
                "count": JSONValue(rate.count), "per": rate.period.json,
                "burst": JSONValue(rate.burst),
            ]
        }
        return [
            "name": .string(name), "limit": limit.map { JSONValue($0) } ?? .null,
            "rate": rate ?? .null, "paused": .bool(isPaused),
        ]
    }
}

extension ScheduleRecord {
    /// What it adds, when, and how it stands.
    public var json: JSONObject {
        [
            "name": .string(name), "task": .string(task.name), "queue": .string(task.queue),
            "priority": .string(task.priority.description),
            "input": (try? JSONParser.parse(task.input)) ?? .null,
            "schedule": .string(schedule.description), "meaning": .string(schedule.sentence),
            "zone": .string("\(schedule.zone)"), "gap": .string(schedule.gap.rawValue),
            "clockOverlap": .string(schedule.overlap.rawValue),
            "catchUp": [
                "runs": JSONValue(catchUp.maximum), "within": catchUp.window.json,
            ],
            "overlap": .string(overlap.rawValue), "last": last.json, "next": next.json,
            "paused": .bool(isPaused),
        ]
    }
}

extension TaskStatistics {
    /// All together, then by queue and name.
    public var json: JSONObject {
        var counts: [TaskState: Int] = [:]
        for row in rows { counts.merge(row.counts, uniquingKeysWith: +) }
        let rows = rows.map { row -> JSONValue in
            [
                "queue": .string(row.queue), "name": .string(row.name),
                "counts": Self.json(row.counts), "totals": row.totals.json,
            ]
        }
        return ["counts": Self.json(counts), "totals": totals.json, "rows": .array(rows)]
    }

    /// Every state, so that nobody has to know which are missing.
    package static func json(_ counts: [TaskState: Int]) -> JSONValue {
        var json: JSONObject = [:]
        for state in TaskState.allCases { json[state.description] = JSONValue(counts[state] ?? 0) }
        return .object(json)
    }
}

extension TaskTotals {
    var json: JSONValue {
        [
            "added": JSONValue(added), "started": JSONValue(started),
            "completed": JSONValue(completed), "failed": JSONValue(failed),
            "cancelled": JSONValue(cancelled), "skipped": JSONValue(skipped),
            "retried": JSONValue(retried), "crashed": JSONValue(crashed),
            "runMilliseconds": JSONValue(runMilliseconds),
        ]
    }
}

extension UnixTime {
    fileprivate var json: JSONValue { JSONValue(milliseconds) }
}

extension Duration {
    fileprivate var json: JSONValue { JSONValue(wholeMilliseconds) }
}

extension Optional where Wrapped == UnixTime {
    fileprivate var json: JSONValue { map(\.json) ?? .null }
}

extension Optional where Wrapped == Duration {
    fileprivate var json: JSONValue { map(\.json) ?? .null }
}

extension Optional where Wrapped == String {
    fileprivate var json: JSONValue { map { .string($0) } ?? .null }
}
