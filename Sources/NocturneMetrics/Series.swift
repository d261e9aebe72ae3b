// Series.swift — where one series is recorded: a slot in the slab of each thread, or one level. Next: Family.swift.

internal import CMetrics
internal import NocturneCore
public import Synchronization

/// One series of a metric. It is in its family as long as that has it, and works as long as anybody has a handle.
@usableFromInline
final class Series: Sendable {
    /// Of which metric.
    let family: FamilyTag
    /// Its labels.
    let identity: SeriesIdentity
    /// When it was created.
    let created: UnixTime
    /// Where it is recorded; of a gauge, 0.
    @usableFromInline
    let slot: UInt32
    /// The bits of a gauge's value.
    @usableFromInline
    let level = Atomic<UInt64>(0)
    /// Whether a gauge was set since somebody asked.
    @usableFromInline
    let wasSet = Atomic<Bool>(false)
    /// What it was when somebody last looked for a change, and the uptime of the last change in nanoseconds.
    private let fingerprint = Atomic<UInt64>(0), changed: Atomic<Int64>

    init(
        of family: FamilyTag, identity: SeriesIdentity, slot: UInt32, created: UnixTime,
        uptime: Duration
    ) {
        (self.family, self.identity, self.slot) = (family, identity, slot)
        self.created = created
        changed = Atomic(Self.nanoseconds(uptime))
    }

    deinit {
        if slot > 0 { cmetrics_free(slot, family.kind.isDistribution) }
    }

    /// How long it has been as it is, if it `hasChanged` since the last call or not.
    func idleTime(at uptime: Duration, hasChanged: Bool) -> Duration {
        let now = Self.nanoseconds(uptime)
        if hasChanged || changed.load(ordering: .relaxed) == .max {
            changed.store(now, ordering: .relaxed)
        }
        return .nanoseconds(now - changed.load(ordering: .relaxed))
    }

    /// Lets the idle time begin anew when it is next asked for.
    func startIdleTime() { changed.store(.max, ordering: .relaxed) }

    /// Whether anything was recorded since that was last asked.
    var hasChanged: Bool { Self.takeChanges([self])[0] }

    /// In which of some series of one family anything was recorded since the last call. Called under the registry's
    /// lock.
    static func takeChanges(_ all: [Series]) -> [Bool] {
        guard let kind = all.first?.family.kind else { return [] }
        switch kind {
        case .gauge: return all.map { $0.wasSet.exchange(false, ordering: .relaxed) }
        case .counter, .upDownCounter: return all.map { $0.takeChange($0.amount.bits) }
        case .histogram, .summary:
            return zip(all, DistributionReading.read(all)).map { $0.takeChange($1.count) }
        }
    }

    private func takeChange(_ now: UInt64) -> Bool {
        fingerprint.exchange(now, ordering: .relaxed) != now
    }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000
    }
}

/// What all series of a metric know of it.
final class FamilyTag: Sendable {
    /// As it was created.
    let name: String
    /// What it was created as. A counter that was not declared may become an up-down counter later.
    let kind: MetricKind
    /// Declared bounds of a distribution.
    let bounds: [Double]
    /// Whether a distribution is counted in buckets.
    let hasSketch: Bool
    /// Whom to tell.
    let misuse: MisuseLog, listener: RecordListener

    init(
        _ name: String, _ kind: MetricKind, bounds: [Double], hasSketch: Bool, misuse: MisuseLog,
        listener: RecordListener
    ) {
        (self.name, self.kind) = (name, kind)
        (self.bounds, self.hasSketch) = (bounds, hasSketch)
        (self.misuse, self.listener) = (misuse, listener)
    }

    /// A slot for a series; 0 if a level is enough, `nil` if there are no more.
    func claimSlot() -> UInt32? {
        switch kind {
        case .gauge: return 0
        case .counter, .upDownCounter:
            let slot = cmetrics_claim()
            return slot > 0 ? slot : nil
        case .histogram, .summary:
            let slot = cmetrics_claim_distribution(bounds, UInt32(bounds.count), hasSketch)
            return slot > 0 ? slot : nil
        }
    }
}

extension Amount {
    init(_ amount: cmetrics_amount_t) {
        self.init(whole: amount.whole, fraction: amount.fraction)
    }

    /// Other bits for another amount, as good as always.
    fileprivate var bits: UInt64 {
        UInt64(bitPattern: whole) ^ (fraction.bitPattern &* 0x9E37_79B9_7F4A_7C15)
    }
}

// MARK: - Recording, where it is not the short way of the handles

extension Series {
    /// Adds to a counter or an up-down counter, whatever the amount.
    @usableFromInline
    @inline(never)
    func add(_ amount: Double, as kind: MetricKind) {
        guard amount.isFinite else { return noteNotFinite(amount) }
        guard amount >= 0 || kind != .counter else {
            return family.misuse.note(
                .negativeIncrement, family.name,
                "\(quoted(family.name)) is a counter, which only rises: \(amount) was left out; "
                    + "an up-down counter can fall")
        }
        cmetrics_add(slot, amount)
        tell(amount, as: kind)
    }

    /// Adds a whole amount, exactly.
    @usableFromInline
    @inline(never)
    func add(_ amount: Int, as kind: MetricKind) {
        guard amount >= 0 || kind != .counter else { return add(Double(amount), as: kind) }
        cmetrics_add_whole(slot, Int64(amount))
        tell(Double(amount), as: kind)
    }

    /// Records into a distribution, whatever the value.
    @usableFromInline
    @inline(never)
    func record(_ value: Double) {
        guard cmetrics_record(slot, value) else { return noteNotFinite(value) }
        tell(value, as: family.kind)
    }

    /// Tells whoever listens, if anybody does.
    @usableFromInline
    @inline(never)
    func tell(_ value: Double, as kind: MetricKind) {
        guard cmetrics_is_heard() else { return }
        family.listener.tell(
            Recorded(name: family.name, kind: kind, value: value, labels: identity.labels))
    }

    /// Counts a value that is no number to add.
    @usableFromInline
    @inline(never)
    func noteNotFinite(_ value: Double) {
        family.misuse.note(
            .notFinite, family.name,
            "\(value) was recorded with \(quoted(family.name)) and left out: it cannot be added")
    }
}

// MARK: - Reading

extension Series {
    /// Of a counter or an up-down counter: its total.
    var amount: Amount { Amount(cmetrics_total(slot)) }

    /// Of a gauge: its value.
    var gaugeLevel: Double { Double(bitPattern: level.load(ordering: .relaxed)) }

    /// Of a histogram or summary: what was recorded, without a window.
    var distribution: Distribution {
        DistributionReading.read([self]).first ?? Distribution()
    }
}
