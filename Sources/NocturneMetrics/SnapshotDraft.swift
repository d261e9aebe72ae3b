// SnapshotDraft.swift — from a metric to its snapshot: its series are listed under the registry's lock, and read
// outside. Next: Snapshot.swift.

internal import CMetrics

/// What a metric was when its series were listed.
struct SnapshotDraft: Sendable {
    private let name: String, kind: MetricKind, help: String, unit: String?
    private let series: [Series]
    private let windows: [ObjectIdentifier: SummaryWindow]

    init(_ family: Family) {
        (name, kind) = (family.tag.name, family.kind)
        help = family.help.isEmpty ? "\(family.tag.name), a \(family.kind.words)" : family.help
        unit = family.unit
        series = family.shown()
        windows = family.allWindows
    }

    /// `nil` without series. Totals are looked up in `totals`, or added up one by one.
    func snapshot(_ totals: SnapshotTotals?) -> MetricSnapshot? {
        guard !series.isEmpty else { return nil }
        return MetricSnapshot(
            name: name, kind: kind, help: help, unit: unit, series: values(totals))
    }

    private func values(_ totals: SnapshotTotals?) -> [SeriesSnapshot] {
        switch kind {
        case .counter, .upDownCounter:
            series.map { $0.snapshot(.amount(totals?[$0.slot] ?? $0.amount)) }
        case .gauge: series.map { $0.snapshot(.level($0.gaugeLevel)) }
        case .histogram, .summary:
            zip(series, DistributionReading.read(series)).map { series, distribution in
                var distribution = distribution
                if kind == .summary {
                    let window = windows[ObjectIdentifier(series), default: SummaryWindow()]
                    distribution.window = distribution.sketch.map(window.window)
                }
                return series.snapshot(.distribution(distribution))
            }
        }
    }
}

extension Series {
    fileprivate func snapshot(_ value: SeriesValue) -> SeriesSnapshot {
        SeriesSnapshot(identity: identity, created: created, value: value)
    }
}

/// The totals of all slots at one moment, read from slab to slab rather than from series to series.
struct SnapshotTotals {
    private let totals: [cmetrics_amount_t]

    init() {
        let count = cmetrics_slot_count()
        totals = Array(unsafeUninitializedCapacity: Int(count)) { totals, used in
            cmetrics_totals(totals.baseAddress, count)
            used = Int(count)
        }
    }

    /// `nil` for a slot that came later.
    subscript(slot: UInt32) -> Amount? {
        Int(slot) < totals.count ? Amount(totals[Int(slot)]) : nil
    }
}

extension MetricKind {
    /// For people.
    var words: String { self == .upDownCounter ? "up-down counter" : rawValue }
}
