// TaskFields.swift — reads tasks, queues, schedules and graphs out of a request's JSON. What is not known is refused,
// so that no wish is silently ignored. Next: TaskEndpoints.swift.

internal import NocturneCore
internal import NocturneTasks

/// The fields of one JSON object. Each mistake names the field, what was found and what would be right.
struct TaskFields {
    let object: JSONObject
    /// What stands before a field's name in an error: empty, or like `task.`.
    let place: String

    init(
        _ object: JSONObject, in place: String = "", knowing known: [String]
    ) throws(RequestError) {
        (self.object, self.place) = (object, place)
        for key in object.keys where !known.contains(key) {
            throw .wrongField(
                place + key, found: "there",
                expected: "one of the keys \(known.joined(separator: ", "))")
        }
    }

    private func wrong(_ key: String, _ expected: String) -> RequestError {
        let found: String =
            switch object[key] {
            case nil: "absent"
            case .array?: "an array"
            case .object?: "an object"
            case .string(let text)?: quoted(text)
            case let value?: "\(value)"
            }
        return .wrongField(place + key, found: found, expected: expected)
    }

    private func value(_ key: String) -> JSONValue? {
        // Not by `flatMap`: there `nil` would be JSON's null.
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    func text(_ key: String) throws(RequestError) -> String? {
        guard let value = value(key) else { return nil }
        guard let text = value.string else { throw wrong(key, "a string") }
        return text
    }

    func requiredText(_ key: String) throws(RequestError) -> String {
        guard let text = try text(key) else { throw wrong(key, "a string") }
        return text
    }

    func flag(_ key: String) throws(RequestError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let flag = value.bool else { throw wrong(key, "true or false") }
        return flag
    }

    func count(_ key: String, in range: ClosedRange<Int64>) throws(RequestError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let count = value.int, range.contains(count) else {
            throw wrong(key, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return Int(count)
    }

    func fraction(_ key: String) throws(RequestError) -> Double? {
        guard let value = value(key) else { return nil }
        guard let number = value.double, (0...1).contains(number) else {
            throw wrong(key, "a number from 0 to 1")
        }
        return number
    }

    func duration(_ key: String) throws(RequestError) -> Duration? {
        guard let value = value(key) else { return nil }
        if let milliseconds = value.int { return .milliseconds(milliseconds) }
        if let text = value.string, let duration = try? DurationText.parse(text) { return duration }
        throw wrong(
            key, "milliseconds as a whole number, or a text such as \"250ms\", \"10s\" or \"1h\"")
    }

    func time(_ key: String) throws(RequestError) -> UnixTime? {
        guard let value = value(key) else { return nil }
        if let milliseconds = value.int { return UnixTime(milliseconds: milliseconds) }
        if let text = value.string, let time = UnixTime(rfc3339: text) { return time }
        throw wrong(
            key,
            "milliseconds since 1970 as a whole number, or a text such as "
                + "\"2026-01-31T02:30:00Z\" or \"2026-01-31T02:30:00+01:00\"")
    }

    /// One of a few names.
    func choice<Value>(
        _ key: String, of values: [Value], named name: (Value) -> String
    ) throws(RequestError) -> Value? {
        guard let text = try text(key) else { return nil }
        guard let found = values.first(where: { name($0) == text }) else {
            throw wrong(key, values.map(name).joined(separator: ", "))
        }
        return found
    }

    func texts(_ key: String) throws(RequestError) -> [String] {
        guard let value = value(key) else { return [] }
        guard let array = value.array else { throw wrong(key, "an array of strings") }
        var texts: [String] = []
        for item in array {
            guard let text = item.string else { throw wrong(key, "an array of strings") }
            texts.append(text)
        }
        return texts
    }

    func states(_ key: String) throws(RequestError) -> Set<TaskState>? {
        let names = try texts(key)
        guard !names.isEmpty else { return nil }
        var states: Set<TaskState> = []
        for name in names {
            guard let state = TaskState(name: name) else {
                throw wrong(
                    key,
                    "states: \(TaskState.allCases.map(\.description).joined(separator: ", "))")
            }
            states.insert(state)
        }
        return states
    }

    /// An object within this one.
    func fields(_ key: String, knowing known: [String]) throws(RequestError) -> TaskFields? {
        guard let value = value(key) else { return nil }
        guard let object = value.object else {
            throw wrong(key, "an object with the keys \(known.joined(separator: ", "))")
        }
        return try TaskFields(object, in: "\(place)\(key).", knowing: known)
    }

    /// An array of objects.
    func list(_ key: String, knowing known: [String]) throws(RequestError) -> [TaskFields] {
        guard let array = value(key)?.array else { throw wrong(key, "an array of objects") }
        var list: [TaskFields] = []
        for (index, item) in array.enumerated() {
            guard let object = item.object else { throw wrong(key, "an array of objects") }
            list.append(
                try TaskFields(object, in: "\(place)\(key)[\(index)].", knowing: known))
        }
        return list
    }

    func input(_ key: String) -> JSONValue { object[key] ?? .null }
}

// MARK: - What requests consist of

extension NewTask {
    static let fields = [
        "name", "input", "queue", "priority", "at", "in", "retries", "backoff", "jitter", "timeout",
        "deadline", "key", "unique", "idempotencyKey", "keepsResultFor",
    ]

    init(_ fields: TaskFields, defaultRetries: Int) throws(RequestError) {
        self.init(try fields.requiredText("name"), input: fields.input("input"))
        if let queue = try fields.text("queue") { self.queue = queue }
        if let priority = try fields.choice(
            "priority", of: PriorityClass.allCases, named: \.description)
        {
            self.priority = priority
        }
        let (time, delay) = (try fields.time("at"), try fields.duration("in"))
        switch (time, delay) {
        case (nil, nil): break
        case (let time?, nil): start = .at(time)
        case (nil, let delay?): start = .after(delay)
        case (_?, _?):
            throw .wrongField(
                fields.place + "in", found: "there beside \"at\"", expected: "only one of them")
        }
        retry = try RetryPolicy(fields, defaultRetries: defaultRetries)
        timeout = try fields.duration("timeout")
        deadline = try fields.time("deadline")
        if fields.object["key"]?.string != nil, let name = try fields.text("key") {
            key = ConcurrencyKey(name)
        } else if let key = try fields.fields("key", knowing: ["name", "limit"]) {
            self.key = ConcurrencyKey(
                try key.requiredText("name"),
                limit: try key.count("limit", in: 1...Int64(Int32.max)) ?? 1)
        }
        if fields.object["unique"]?.string != nil, let key = try fields.text("unique") {
            unique = UniqueKey(key)
        } else if let unique = try fields.fields("unique", knowing: ["key", "period", "states"]) {
            let standard = UniqueKey("").states
            self.unique = UniqueKey(
                try unique.requiredText("key"), within: try unique.duration("period"),
                states: try unique.states("states") ?? standard)
        }
        idempotencyKey = try fields.text("idempotencyKey")
        keepsResultFor = try fields.duration("keepsResultFor")
    }
}

extension RetryPolicy {
    /// `nil` if the task says nothing of it.
    fileprivate init?(_ fields: TaskFields, defaultRetries: Int) throws(RequestError) {
        let retries = try fields.count("retries", in: 0...Int64(Self.mostRetries))
        let jitter = try fields.fraction("jitter")
        let backoff = try fields.fields("backoff", knowing: ["kind", "base", "cap"])
        if retries == nil, jitter == nil, backoff == nil { return nil }
        let standard = RetryPolicy(retries: retries ?? defaultRetries)
        self.init(
            retries: standard.retries,
            backoff: try backoff.map { fields throws(RequestError) in try Backoff(fields) }
                ?? standard.backoff,
            jitter: jitter ?? standard.jitter)
    }
}

extension RetryPolicy.Backoff {
    fileprivate init(_ fields: TaskFields) throws(RequestError) {
        let base = try fields.duration("base") ?? .seconds(1)
        let cap = try fields.duration("cap") ?? .seconds(3_600)
        guard base >= .zero, cap >= .zero else {
            throw .wrongField(
                fields.place + "base", found: "negative", expected: "a duration of at least 0")
        }
        let kind = try fields.choice(
            "kind", of: ["fixed", "linear", "exponential"], named: { $0 })
        self =
            switch kind {
            case "fixed": .fixed(base)
            case "linear": .linear(base: base, cap: cap)
            default: .exponential(base: base, cap: cap)
            }
    }
}

extension QueueSettings {
    static let fields = ["limit", "rate", "paused"]

    init(_ name: String, _ fields: TaskFields) throws(RequestError) {
        self.init(name)
        limit = try fields.count("limit", in: 1...Int64(Int32.max))
        isPaused = try fields.flag("paused") ?? false
        guard let rate = try fields.fields("rate", knowing: ["count", "per", "burst"]) else {
            return
        }
        let counts = 1...Int64(1_000_000)
        guard let count = try rate.count("count", in: counts),
            let period = try rate.duration("per"), period >= .milliseconds(1)
        else {
            throw .wrongField(
                "rate", found: "incomplete",
                expected: "\"count\", \"per\" (at least 1 ms) and perhaps \"burst\"")
        }
        self.rate = StartRate(
            count, per: period, burst: try rate.count("burst", in: counts) ?? 1)
    }
}

extension ScheduleRecord {
    static let fields =
        ["schedule", "zone", "gap", "clockOverlap", "catchUp", "overlap", "paused", "task"]
    /// What of a task means something to a schedule's runs.
    private static let taskFields = NewTask.fields.filter {
        !["at", "in", "deadline", "unique", "idempotencyKey"].contains($0)
    }

    init(
        _ name: String, _ fields: TaskFields, defaultRetries: Int, now: UnixTime
    ) throws {
        guard let task = try fields.fields("task", knowing: Self.taskFields) else {
            throw RequestError.wrongField("task", found: "absent", expected: "an object")
        }
        let schedule: Schedule
        do {
            schedule = try Schedule(
                try fields.requiredText("schedule"), from: now,
                in: try fields.text("zone").map { try Zone($0) } ?? .utc,
                gap: try fields.choice("gap", of: ClockGap.allCases) { $0.rawValue } ?? .debian,
                overlap: try fields.choice("clockOverlap", of: ClockOverlap.allCases) {
                    $0.rawValue
                }
                    ?? .debian)
        } catch let error as ScheduleError {
            throw TaskError.invalidSchedule(error)
        } catch let error as ZoneError {
            throw TaskError.invalidSchedule(.zone(error))
        }
        self.init(
            name, try NewTask(task, defaultRetries: defaultRetries), schedule,
            catchUp: try CatchUp(fields) ?? .latest,
            overlap: try fields.choice("overlap", of: RunOverlap.allCases) { $0.rawValue } ?? .skip)
    }
}

extension CatchUp {
    /// `nil` if nothing is said of it.
    fileprivate init?(_ fields: TaskFields) throws(RequestError) {
        if let text = fields.object["catchUp"]?.string {
            switch text {
            case "skip": self = .skip
            case "latest": self = .latest
            default:
                throw .wrongField(
                    "catchUp", found: quoted(text),
                    expected: "skip, latest, or an object with the keys runs, within")
            }
            return
        }
        guard let fields = try fields.fields("catchUp", knowing: ["runs", "within"]) else {
            return nil
        }
        self = .all(
            upTo: try fields.count("runs", in: 1...Int64(Self.longestBurst)) ?? 1,
            within: try fields.duration("within") ?? Self.longestWindow)
    }
}

extension NewGraph {
    static let fields = ["tasks", "onFailure"]
    private static let nodeFields = ["reference", "after", "rule"] + NewTask.fields

    init(_ fields: TaskFields, defaultRetries: Int) throws(RequestError) {
        self.init()
        if let policy = try fields.choice(
            "onFailure", of: GraphFailurePolicy.allCases, named: \.rawValue)
        {
            onFailure = policy
        }
        for node in try fields.list("tasks", knowing: Self.nodeFields) {
            add(
                try node.requiredText("reference"),
                try NewTask(node, defaultRetries: defaultRetries), after: try node.texts("after"),
                rule: try node.choice("rule", of: TriggerRule.allCases, named: \.rawValue)
                    ?? .allSucceeded)
        }
    }
}
