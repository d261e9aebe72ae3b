// SessionPolicy+JSON.swift — policies and setups as logs and session files have them. Next: SessionInput.swift.

public import NocturneCore

extension SessionPolicy {
    /// Reads what ``json`` wrote, or what a person did: what is missing is as usual, times are milliseconds.
    public init(json: JSONValue) throws(CoordinationError) {
        try self.init(json: json, at: "policy")
    }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        self.init()
        let fields = try JSONFields(json.isNull ? [:] : json, at: path)
        try fields.only(
            "maxAgents", "enableFaultTolerance", "attempts", "retryDelay", "longestRetryDelay",
            "workTimeout", "missedHeartbeats", "interruptions", "assignmentGrace",
            "breakerThreshold", "breakerCooldown", "longestBreakerCooldown", "restarts",
            "restartPeriod", "restartDelay", "planAttempts", "plan")
        func read(_ field: inout Int, _ key: String) throws(CoordinationError) {
            guard let value = try fields.count(ifAny: key) else { return }
            guard value > 0 else {
                throw fields.malformed(key, expected: "an integer of at least 1")
            }
            field = value
        }
        func read(_ field: inout Duration, _ key: String) throws(CoordinationError) {
            field = try fields.duration(key) ?? field
        }
        isFaultTolerant = try fields.flag("enableFaultTolerance") ?? isFaultTolerant
        try read(&maxAgents, "maxAgents")
        try read(&attempts, "attempts")
        try read(&missedHeartbeats, "missedHeartbeats")
        try read(&interruptions, "interruptions")
        try read(&breakerThreshold, "breakerThreshold")
        try read(&planAttempts, "planAttempts")
        restarts = try fields.count(ifAny: "restarts") ?? restarts
        try read(&retryDelay, "retryDelay")
        try read(&longestRetryDelay, "longestRetryDelay")
        try read(&workTimeout, "workTimeout")
        try read(&assignmentGrace, "assignmentGrace")
        try read(&breakerCooldown, "breakerCooldown")
        try read(&longestBreakerCooldown, "longestBreakerCooldown")
        try read(&restartPeriod, "restartPeriod")
        try read(&restartDelay, "restartDelay")
        plan = try PlanLimits(json: fields["plan"] ?? .null, at: path + ".plan")
    }

    /// All of it, under the names of the properties; `enableFaultTolerance` is the seed's name of ``isFaultTolerant``.
    public var json: JSONValue {
        [
            "maxAgents": JSONValue(maxAgents), "enableFaultTolerance": .bool(isFaultTolerant),
            "attempts": JSONValue(attempts), "retryDelay": retryDelay.json,
            "longestRetryDelay": longestRetryDelay.json, "workTimeout": workTimeout.json,
            "missedHeartbeats": JSONValue(missedHeartbeats),
            "interruptions": JSONValue(interruptions), "assignmentGrace": assignmentGrace.json,
            "breakerThreshold": JSONValue(breakerThreshold),
            "breakerCooldown": breakerCooldown.json,
            "longestBreakerCooldown": longestBreakerCooldown.json, "restarts": JSONValue(restarts),
            "restartPeriod": restartPeriod.json, "restartDelay": restartDelay.json,
            "planAttempts": JSONValue(planAttempts), "plan": plan.json,
        ]
    }
}

extension PlanLimits {
    init(json: JSONValue, at path: String) throws(CoordinationError) {
        self.init()
        let fields = try JSONFields(json.isNull ? [:] : json, at: path)
        try fields.only("subtasks", "chain", "fanOut", "depth")
        subtasks = try fields.count(ifAny: "subtasks") ?? subtasks
        chain = try fields.count(ifAny: "chain") ?? chain
        fanOut = try fields.count(ifAny: "fanOut") ?? fanOut
        depth = try fields.count(ifAny: "depth") ?? depth
    }

    var json: JSONValue {
        [
            "subtasks": JSONValue(subtasks), "chain": JSONValue(chain),
            "fanOut": JSONValue(fanOut), "depth": JSONValue(depth),
        ]
    }
}

extension SessionSetup {
    package var json: JSONValue {
        var object: JSONObject = [
            "session": .string(id.description), "goal": .string(goal),
            "strategy": .string(strategy), "parameters": parameters,
        ]
        object.set("fallback", fallback.map { .string($0) })
        // As a text, because not every reader has 64 bits.
        object["seed"] = .string("\(seed)")
        object["policy"] = policy.json
        return .object(object)
    }

    package init(json: JSONValue, at path: String = "setup") throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        guard let seed = UInt64(try fields.string("seed")) else {
            throw fields.malformed("seed", expected: "an integer in a string")
        }
        self.init(
            id: try SessionID(fields.string("session")), goal: try fields.string("goal"),
            strategy: try fields.string("strategy"), parameters: fields["parameters"] ?? .null,
            fallback: try fields.string(ifAny: "fallback"), seed: seed,
            policy: try SessionPolicy(json: fields["policy"] ?? .null, at: path + ".policy"))
    }
}
