// AlertStatus.swift — an alert as it is listed: its rule, where that came from, and how far it is.
// Next: AlertBook.swift.

public import NocturneCore

/// An alert as it is listed.
public struct AlertStatus: Sendable {
    /// Where a rule comes from.
    public enum Origin: String, Sendable, Hashable, CaseIterable {
        /// Added while the host ran; kept over restarts.
        case program
        /// From the configuration file; goes when it leaves that file.
        case configuration
    }

    /// How far an alert is.
    public enum State: String, Sendable, Hashable, CaseIterable, Comparable {
        /// It is not evaluated.
        case disabled
        /// Its condition does not hold.
        case inactive
        /// Its condition holds, but not for long enough yet.
        case pending
        /// It fires.
        case firing

        /// By how much there is to worry about.
        public static func < (left: State, right: State) -> Bool { left.rank < right.rank }

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// A pending or firing alert: that of the family, or of one group.
    public struct Group: Sendable {
        /// The values of the labels in ``AlertRule/by``; empty without them.
        public let labels: Labels
        /// ``State/pending`` or ``State/firing``.
        public let state: State
        /// The last value; `nil` if there was none.
        public let value: Double?
        /// When its condition began to hold.
        public let activeAt: UnixTime
        /// When it began to fire.
        public let firedAt: UnixTime?
    }

    /// The rule.
    public let rule: AlertRule
    /// Where it comes from.
    public let origin: Origin
    /// The worst of all groups.
    public let state: State
    /// Until then no events are told; `nil` if it is not silenced.
    public let silencedUntil: UnixTime?
    /// What is pending or fires, in the order of the labels.
    public let groups: [Group]
    /// How many groups the last evaluation left out because there were too many (``AlertBook/groupLimit``).
    public let groupsLeftOut: Int

    /// The rule's own fields with `origin`, `state`, `silencedUntil`, `groups` and `groupsLeftOut`.
    public var json: JSONValue {
        var object = rule.json.object ?? [:]
        object["origin"] = .string(origin.rawValue)
        object["state"] = .string(state.rawValue)
        object["silencedUntil"] = silencedUntil.map { JSONValue($0.milliseconds) } ?? .null
        object["groups"] = .array(
            groups.map { group in
                [
                    "group": group.labels.jsonObject,
                    "state": .string(group.state.rawValue),
                    "value": AlertText.json(group.value),
                    "activeAt": JSONValue(group.activeAt.milliseconds),
                    "firedAt": group.firedAt.map { JSONValue($0.milliseconds) } ?? .null,
                ]
            })
        object["groupsLeftOut"] = JSONValue(groupsLeftOut)
        return .object(object)
    }
}
