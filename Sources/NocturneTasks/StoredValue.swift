// StoredValue.swift — the values that `tasks.db` holds as JSON: written, and read without trust.
// Next: StoredSchedule.swift.

internal import NocturneCore

/// A value that a store wrote down, with what it is expected to be.
struct StoredValue {
    /// It is not what was expected.
    struct Damage: Error, CustomStringConvertible {
        let description: String
    }

    let json: JSONValue

    init(_ json: JSONValue) { self.json = json }

    init(_ text: String) throws { json = try JSONParser.parse(text) }

    private func expect<Value>(_ value: Value?, _ what: String) throws -> Value {
        guard let value else { throw Damage(description: "\(json.typeName) instead of \(what)") }
        return value
    }

    /// A field that may be missing.
    subscript(key: String) -> StoredValue? {
        get throws { try expect(json.object, "an object")[key].map { StoredValue($0) } }
    }

    func field(_ key: String) throws -> StoredValue {
        guard let field = try self[key] else { throw Damage(description: "no \(key)") }
        return field
    }

    func element(_ place: Int) throws -> StoredValue {
        StoredValue(try expect(json[place], "an array"))
    }

    var elements: [StoredValue] {
        get throws { try expect(json.array, "an array").map { StoredValue($0) } }
    }

    var text: String { get throws { try expect(json.string, "a string") } }
    var bool: Bool { get throws { try expect(json.bool, "true or false") } }
    var int64: Int64 { get throws { try expect(json.int, "an integer") } }
    var int: Int { get throws { Int(try int64) } }
    var double: Double { get throws { try expect(json.double, "a number") } }
    var time: UnixTime { get throws { UnixTime(milliseconds: try int64) } }

    var duration: Duration {
        get throws {
            Duration(
                secondsComponent: try element(0).int64, attosecondsComponent: try element(1).int64)
        }
    }

    /// One of the cases of an enumeration, by its name.
    func choice<Choice: RawRepresentable>() throws -> Choice where Choice.RawValue == String {
        try expect(Choice(rawValue: try text), "a name of \(Choice.self)")
    }

    // MARK: - Writing

    static func write(_ time: UnixTime) -> JSONValue { .init(time.milliseconds) }

    /// Exactly: seconds, and the rest in units of 10^-18 s.
    static func write(_ duration: Duration) -> JSONValue {
        [.init(duration.components.seconds), .init(duration.components.attoseconds)]
    }

    static func write(_ number: Double) -> JSONValue { JSONValue(number) ?? 0 }
}

// MARK: - The parts of a task

extension StoredValue {
    static func write(_ policy: RetryPolicy) -> JSONValue {
        let backoff: JSONValue =
            switch policy.backoff {
            case .fixed(let always): ["fixed", write(always)]
            case .linear(let base, let cap): ["linear", write(base), write(cap)]
            case .exponential(let base, let cap): ["exponential", write(base), write(cap)]
            }
        return [
            "retries": .init(policy.retries), "backoff": backoff, "jitter": write(policy.jitter),
        ]
    }

    var retryPolicy: RetryPolicy {
        get throws {
            let stored = try field("backoff"), base = try stored.element(1).duration
            let backoff: RetryPolicy.Backoff =
                switch try stored.element(0).text {
                case "fixed": .fixed(base)
                case "linear": .linear(base: base, cap: try stored.element(2).duration)
                case "exponential": .exponential(base: base, cap: try stored.element(2).duration)
                case let other: throw Damage(description: "a backoff \(other)")
                }
            return RetryPolicy(
                retries: try field("retries").int, backoff: backoff,
                jitter: try field("jitter").double)
        }
    }

    static func write(_ unique: UniqueKey) -> JSONValue {
        var fields: JSONObject = [
            "key": .init(unique.key),
            "states": .array(
                unique.states.sorted { $0.rawValue < $1.rawValue }.map { .init($0.description) }),
        ]
        fields["period"] = unique.period.map(write)
        return .object(fields)
    }

    var uniqueKey: UniqueKey {
        get throws {
            let states = try field("states").elements.map { state in
                try state.expect(TaskState(name: try state.text), "a state")
            }
            return UniqueKey(
                try field("key").text, within: try self["period"]?.duration, states: Set(states))
        }
    }

    static func write(_ progress: TaskProgress) -> JSONValue {
        [write(progress.percent), progress.message.map { .init($0) } ?? nil]
    }

    var progress: TaskProgress {
        get throws {
            let message = try element(1)
            return TaskProgress(
                percent: try element(0).double,
                message: message.json.isNull ? nil : try message.text)
        }
    }

    static func write(_ failure: TaskFailure) -> JSONValue {
        [.init(failure.kind.rawValue), .init(failure.message)]
    }

    var failure: TaskFailure {
        get throws { TaskFailure(try element(0).choice(), try element(1).text) }
    }

    static func write(_ attempt: TaskAttempt) -> JSONValue {
        var fields: JSONObject = [
            "number": .init(attempt.number), "started": write(attempt.started),
            "ended": write(attempt.ended), "outcome": .init(attempt.outcome.rawValue),
        ]
        fields["worker"] = attempt.worker.map { .init($0.description) }
        fields["failure"] = attempt.failure.map(write)
        if !attempt.log.isEmpty { fields["log"] = .array(attempt.log.map { .init($0) }) }
        return .object(fields)
    }

    var attempt: TaskAttempt {
        get throws {
            TaskAttempt(
                number: try field("number").int, started: try field("started").time,
                ended: try field("ended").time,
                worker: try self["worker"].map { WorkerID(try $0.text) },
                outcome: try field("outcome").choice(), failure: try self["failure"]?.failure,
                log: try self["log"]?.elements.map { try $0.text } ?? [])
        }
    }
}
