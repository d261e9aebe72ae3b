// AlertEntry.swift — one rule's part in an evaluation: which groups there are, and what is told of them.
// Next: AlertState.swift.

internal import NocturneCore

extension AlertBook.Entry {
    /// As it is listed.
    var status: AlertStatus {
        let active = groups.filter { $0.value.phase != .inactive }
        let listed = inOrder(active, \.key).map { labels, state in
            AlertStatus.Group(
                labels: labels, state: state.isFiring ? .firing : .pending, value: state.value,
                activeAt: state.activeAt, firedAt: state.isFiring ? state.firedAt : nil)
        }
        return AlertStatus(
            rule: rule, origin: origin,
            state: rule.enabled ? listed.map(\.state).max() ?? .inactive : .disabled,
            silencedUntil: silencedUntil, groups: listed, groupsLeftOut: groupsLeftOut)
    }

    /// Takes one step with each group.
    ///
    /// - Parameter room: how many groups more all rules together may keep.
    /// - Returns: what is to be told in the order of the groups, and whether anything changed that a restart should
    ///   know.
    mutating func evaluate(
        _ readings: [AlertReading], room: inout Int, at moment: AlertMoment
    ) -> (events: [AlertEvent], isChanged: Bool) {
        let before = groups.count
        groupsLeftOut = 0
        turn &+= 1
        var isChanged = false
        var events: [AlertEvent] = []
        var stepped = 0
        // The family's own alert is there even if the family is not.
        let isOfNothing = rule.by.isEmpty && readings.isEmpty
        for reading in isOfNothing ? [AlertReading(group: [:], value: nil)] : readings {
            guard let place = place(of: reading, room: room - groups.count + before, at: moment),
                // Of two readings of one group, the first counts.
                groups.values[place].turn != turn
            else { continue }
            stepped += 1
            if step(place, reading.value, at: moment, &events) { isChanged = true }
        }
        if stepped < groups.count {
            for place in groups.indices where groups.values[place].turn != turn {
                if step(place, nil, at: moment, &events) { isChanged = true }
            }
        }
        isChanged = isChanged || groups.count != before
        if isChanged { groups = groups.filter { isKept($0.value) } }
        room -= groups.count - before
        return (inOrder(events, \.group), isChanged)
    }

    /// Where a group is; a new one is added if there is something to keep of it and room.
    private mutating func place(
        of reading: AlertReading, room: Int, at moment: AlertMoment
    ) -> Dictionary<Labels, AlertState>.Index? {
        if let place = groups.index(forKey: reading.group) { return place }
        var state = AlertState(at: moment)
        if case .holds(true) = state.finding(reading.value, rule: rule, at: moment) {
        } else if !isRemembering {
            return nil
        }
        guard room > 0, groups.count < AlertBook.groupLimit else {
            groupsLeftOut += 1
            return nil
        }
        groups[reading.group] = state
        return groups.index(forKey: reading.group)
    }

    /// - Returns: whether anything changed that a restart should know.
    private mutating func step(
        _ place: Dictionary<Labels, AlertState>.Index, _ value: Double?, at moment: AlertMoment,
        _ events: inout [AlertEvent]
    ) -> Bool {
        let before = groups.values[place].phase
        let finding = groups.values[place].finding(value, rule: rule, at: moment)
        groups.values[place].step(finding, rule: rule, at: moment)
        groups.values[place].turn = turn
        if let event = tell(place, .resolved, at: moment) {
            events.append(event)
            return true
        }
        return groups.values[place].phase != before || groups.values[place].isCounting
    }

    /// Whether groups are kept whose condition does not hold, because it would be an alert if they went.
    private var isRemembering: Bool { rule.noData == .alert && !rule.by.isEmpty }

    private func isKept(_ state: AlertState) -> Bool {
        state.phase != .inactive || state.isTold || isRemembering
    }

    // MARK: - What is told

    /// The event that is due, if listeners believe something else than what is.
    private mutating func tell(
        _ place: Dictionary<Labels, AlertState>.Index, _ end: AlertEnd, at moment: AlertMoment
    ) -> AlertEvent? {
        let state = groups.values[place]
        guard state.isTold != state.isFiring, !isSilent(at: moment) else { return nil }
        groups.values[place].isTold = state.isFiring
        return event(of: state, group: groups.keys[place], end, at: moment)
    }

    private func isSilent(at moment: AlertMoment) -> Bool {
        silencedUntil.map { moment.now < $0 } ?? false
    }

    private func event(
        of state: AlertState, group: Labels, _ end: AlertEnd, at moment: AlertMoment
    ) -> AlertEvent {
        let message =
            state.isFiring
            ? AlertText.triggered(rule, state, group: group)
            : AlertText.resolved(rule, state, group: group, at: moment.now, end)
        return AlertEvent(
            kind: state.isFiring ? .triggered : .resolved, alert: rule, group: group,
            value: state.value, message: message, activeAt: state.activeAt)
    }

    /// Ends all alerts of a rule that is not evaluated any more; what is silenced is told later. Does nothing to one
    /// that is enabled.
    mutating func settle(at moment: AlertMoment) -> [AlertEvent] {
        guard !rule.enabled else { return [] }
        var events: [AlertEvent] = []
        for place in groups.indices {
            groups.values[place].reset()
            if let event = tell(place, .disabled, at: moment) { events.append(event) }
        }
        groups = groups.filter { $0.value.isTold }
        return inOrder(events, \.group)
    }

    /// Ends all alerts of a rule that goes. There is no later, so silence does not hold back what listeners must know.
    mutating func end(at moment: AlertMoment) -> [AlertEvent] {
        let told = inOrder(groups.filter { $0.value.isTold }, \.key)
        groups = [:]
        return told.map { group, state in
            var state = state
            state.reset()
            return event(of: state, group: group, .removed, at: moment)
        }
    }
}

/// In the order of their labels as text, so that what is listed and told is the same each time.
private func inOrder<Element>(
    _ elements: some Collection<Element>, _ labels: (Element) -> Labels
) -> [Element] {
    guard elements.count > 1 else { return Array(elements) }
    let keyed = elements.map { (key: Array(labels($0).description.utf8), element: $0) }
    return keyed.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.element)
}
