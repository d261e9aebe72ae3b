// Family.swift — the series of one metric: found by their labels, kept in order, and not too many of them.
// Next: FamilyLimits.swift.

internal import NocturneCore

/// One metric and its series. Guarded by the registry's lock.
final class Family {
    let tag: FamilyTag
    /// What it is now: a counter that was not declared becomes an up-down counter when it first falls.
    var kind: MetricKind
    /// Whether somebody said what it is, rather than record it.
    var isDeclared = false
    var help = ""
    var unit: String?
    var options = FamilyOptions()

    private var byLabels: [LabelKey: Series] = [:]
    /// In the order of their labels, but for those that were added since.
    private var ordered: [Series] = []
    private var added: [Series] = []
    /// Not changed for a long time, but somebody has a handle: not shown until they change.
    private var idle: [Series] = []
    /// The last while of summaries.
    private var windows: [ObjectIdentifier: SummaryWindow] = [:]
    var cardinality = Cardinality()

    init(_ tag: FamilyTag) { (self.tag, kind) = (tag, tag.kind) }

    /// How many series there are, the idle ones, too.
    var count: Int { byLabels.count }

    /// How many of them are idle.
    var idleCount: Int { idle.count }

    func series(_ key: LabelKey) -> Series? { byLabels[key] }

    func add(_ series: Series, _ key: LabelKey) {
        byLabels[key] = series
        added.append(series)
        cardinality.add(key.labels)
    }

    /// All that are shown, in the order of their labels.
    func shown() -> [Series] {
        wake()
        if !added.isEmpty {
            // What is in order already is merged, not sorted again: a family that grows by one at a time stays linear.
            added.sort(by: Self.isBefore)
            ordered = ordered.isEmpty ? added : Self.merged(ordered, added)
            added = []
        }
        return ordered
    }

    private static func isBefore(_ left: Series, _ right: Series) -> Bool {
        left.identity.labelText.isBefore(right.identity.labelText)
    }

    private static func merged(_ left: [Series], _ right: [Series]) -> [Series] {
        var all: [Series] = []
        all.reserveCapacity(left.count + right.count)
        var next = 0
        for series in left {
            while next < right.count, isBefore(right[next], series) {
                all.append(right[next])
                next += 1
            }
            all.append(series)
        }
        return all + right[next...]
    }

    // MARK: - Windows

    /// Of a summary.
    var allWindows: [ObjectIdentifier: SummaryWindow] { windows }

    /// Begins the next part of the windows of all summaries where one is due.
    func rotate(at uptime: Duration) {
        guard kind == .summary, tag.hasSketch else { return }
        let due = byLabels.values.filter {
            windows[ObjectIdentifier($0), default: SummaryWindow()].isDue(at: uptime)
        }
        for (series, distribution) in zip(due, DistributionReading.read(due)) {
            windows[ObjectIdentifier(series), default: SummaryWindow()].rotate(
                at: uptime, distribution.sketch ?? Sketch())
        }
    }

    // MARK: - Idleness

    /// Shows those again that have changed.
    private func wake() {
        guard !idle.isEmpty else { return }
        var still: [Series] = []
        for (series, hasChanged) in zip(idle, Series.takeChanges(idle)) {
            if hasChanged { show(series) } else { still.append(series) }
        }
        idle = still
    }

    private func show(_ series: Series) {
        series.startIdleTime()
        added.append(series)
    }

    /// Shows a series again that somebody asks for.
    func wake(_ series: Series) {
        guard let index = idle.firstIndex(where: { $0 === series }) else { return }
        show(idle.remove(at: index))
    }

    /// Removes those that have not changed for as long as `limit`, or hides them while somebody has a handle.
    ///
    /// - Returns: whether there were any.
    func expire(at uptime: Duration, after limit: Duration) -> Bool {
        let count = idle.count
        hide(at: uptime, after: limit)
        let hasHidden = idle.count > count
        dropIdle()
        return hasHidden
    }

    private func hide(at uptime: Duration, after limit: Duration) {
        let all = shown()
        ordered = []
        for (series, hasChanged) in zip(all, Series.takeChanges(all)) {
            let idleTime = series.idleTime(at: uptime, hasChanged: hasChanged)
            if idleTime < limit { ordered.append(series) } else { idle.append(series) }
        }
    }

    /// Forgets the idle ones that only the family has.
    private func dropIdle() {
        var kept: [Series] = []
        while var series = idle.popLast() {
            let key = LabelKey(series.identity.labels)
            byLabels[key] = nil
            let isHeld = !isKnownUniquelyReferenced(&series)
            // If nobody has a handle, nothing can be recorded any more.
            if !isHeld, !series.hasChanged {
                windows[ObjectIdentifier(series)] = nil
                cardinality.remove(key.labels)
                continue
            }
            byLabels[key] = series
            if isHeld { kept.append(series) } else { show(series) }
        }
        idle = kept
    }

    /// Removes a series. Who has a handle of it records into nothing.
    func remove(_ series: Series) {
        let key = LabelKey(series.identity.labels)
        guard byLabels[key] === series else { return }
        byLabels[key] = nil
        ordered.removeAll { $0 === series }
        added.removeAll { $0 === series }
        idle.removeAll { $0 === series }
        windows[ObjectIdentifier(series)] = nil
        cardinality.remove(key.labels)
    }
}

extension [UInt8] {
    /// Byte by byte.
    fileprivate func isBefore(_ other: [UInt8]) -> Bool { lexicographicallyPrecedes(other) }
}

/// Labels with their hash, so that it is worked out once.
struct LabelKey: Hashable {
    let labels: Labels
    let contentHash: UInt64

    init(_ labels: Labels) { (self.labels, contentHash) = (labels, labels.contentHash) }

    static func == (left: LabelKey, right: LabelKey) -> Bool {
        left.contentHash == right.contentHash && left.labels == right.labels
    }

    func hash(into hasher: inout Hasher) { hasher.combine(contentHash) }
}
