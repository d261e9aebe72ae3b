// AlertMemory.swift — what of the alerts survives a restart, as JSON. Next: AlertFile.swift for where it is kept.

internal import NocturneCore

/// Why what was kept of the alerts cannot be used.
enum AlertMemoryProblem: Error, Hashable {
    /// A later version of Nocturne wrote it.
    case newer(version: Int64)
    /// It is not what any version writes; at this place.
    case damaged(_ what: String)
}

extension AlertBook {
    /// Of the format below.
    private static let memoryVersion: Int64 = 1
    /// After a longer time away, nobody knows whether a condition went on to hold: what was pending begins anew. As
    /// Prometheus' `--rules.alert.for-outage-tolerance`.
    static let outageTolerance = Duration.seconds(3_600)

    /// All that should survive: rules, silences, what is pending and for how long, what fires and who was told.
    func memory(now: UnixTime, uptime: Duration) -> JSONValue {
        let alerts = entries.map { entry -> JSONValue in
            [
                "rule": entry.rule.json, "origin": .string(entry.origin.rawValue),
                "silencedUntil": entry.silencedUntil.map { JSONValue($0.milliseconds) } ?? .null,
                "groups": .array(
                    entry.groups.map { $0.value.memory(of: $0.key, uptime: uptime) }),
            ]
        }
        return [
            "version": JSONValue(Self.memoryVersion), "savedAt": JSONValue(now.milliseconds),
            "alerts": .array(alerts),
        ]
    }

    /// The alerts as they were. ``configure(_:now:uptime:)`` must follow, which drops those of the configuration file
    /// that are not there any more.
    ///
    /// The time away counts for no duration. What fires goes on firing, and is not told again; what was pending goes on
    /// if it was not away for longer than ``outageTolerance``. A wall clock that was set back says nothing of how long
    /// it was; then it counts as short.
    init(
        memory: JSONValue, now: UnixTime, uptime: Duration
    ) throws(AlertMemoryProblem) {
        guard let version = memory["version"]?.int else { throw .damaged("version") }
        guard version == Self.memoryVersion else {
            throw version > Self.memoryVersion ? .newer(version: version) : .damaged("version")
        }
        guard let savedAt = memory["savedAt"]?.int else { throw .damaged("savedAt") }
        guard let alerts = memory["alerts"]?.array, alerts.count <= 2 * Self.ruleLimit else {
            throw .damaged("alerts")
        }
        let away = Duration.milliseconds(now.milliseconds) - .milliseconds(savedAt)
        let moment = AlertMoment(now: now, uptime: uptime)
        self.init()
        var names: Set<[UInt8]> = []
        for (index, alert) in alerts.enumerated() {
            guard
                let entry = Entry(memory: alert, keepsPending: away <= Self.outageTolerance, moment)
            else { throw .damaged("alerts[\(index)]") }
            guard names.insert(Array(entry.rule.name.utf8)).inserted else {
                throw .damaged("alerts[\(index)].rule.name")
            }
            entries.append(entry)
        }
    }
}

extension AlertBook.Entry {
    fileprivate init?(memory: JSONValue, keepsPending: Bool, _ moment: AlertMoment) {
        guard let json = memory["rule"], let rule = try? AlertRule(json: json),
            let origin = memory["origin"]?.string.flatMap(AlertStatus.Origin.init),
            let groups = memory["groups"]?.array, groups.count <= AlertBook.groupLimit
        else { return nil }
        self.init(rule: rule, origin: origin)
        switch memory["silencedUntil"] {
        case nil, .null?: break
        case let json?:
            guard let until = json.int else { return nil }
            silencedUntil = UnixTime(milliseconds: until)
        }
        for group in groups {
            guard let object = group["group"]?.object, object.count <= AlertRule.byLimit,
                var state = AlertState(memory: group, at: moment)
            else { return nil }
            var labels: [(String, String)] = []
            for (name, value) in object {
                guard let text = value.string else { return nil }
                labels.append((name, text))
            }
            if state.phase == .pending, !keepsPending { state.reset() }
            self.groups[Labels(labels)] = state
        }
    }
}

extension AlertState {
    fileprivate func memory(of group: Labels, uptime: Duration) -> JSONValue {
        func passed(since start: Duration) -> JSONValue {
            JSONValue(max(.zero, uptime - start).wholeMilliseconds)
        }
        return [
            "group": group.jsonObject, "state": .string(phase.rawValue), "told": .bool(isTold),
            "value": AlertText.json(value), "activeAt": JSONValue(activeAt.milliseconds),
            "heldFor": passed(since: activeSince),
            "firedAt": firedAt.map { JSONValue($0.milliseconds) } ?? .null,
            "unmatchedFor": unmatchedSince.map(passed) ?? .null,
        ]
    }

    fileprivate init?(memory: JSONValue, at moment: AlertMoment) {
        guard let phase = memory["state"]?.string.flatMap(Phase.init),
            let isTold = memory["told"]?.bool, let json = memory["value"],
            let activeAt = memory["activeAt"]?.int,
            let heldFor = memory["heldFor"]?.int, heldFor >= 0
        else { return nil }
        self.init(at: moment)
        (self.phase, self.isTold) = (phase, isTold)
        if !json.isNull {
            guard let value = AlertText.value(json) else { return nil }
            self.value = value
        }
        self.activeAt = UnixTime(milliseconds: activeAt)
        activeSince = moment.uptime - .milliseconds(heldFor)
        if let fired = memory["firedAt"], !fired.isNull {
            guard let fired = fired.int else { return nil }
            firedAt = UnixTime(milliseconds: fired)
        }
        if let unmatched = memory["unmatchedFor"], !unmatched.isNull {
            guard phase == .firing, let unmatched = unmatched.int, unmatched >= 0 else {
                return nil
            }
            unmatchedSince = moment.uptime - .milliseconds(unmatched)
        }
        waitsForDataUntil = moment.uptime + AlertBook.restoredWait
    }
}
