// Exposition.swift — metrics as bytes in one of the formats. Next: PrometheusText.swift, JSONExport.swift,
// CSVExport.swift.

public import NocturneCore

/// Metrics as bytes in one of the formats.
///
/// All formats have the metrics in the order of their names there, and series in the order of the snapshots.
public enum Exposition {
    /// All of some metrics in a format.
    ///
    /// - Parameters:
    ///   - snapshots: what is exported; no two with the same name in Prometheus' format, which the registry refuses.
    ///   - time: when they were taken. JSON and CSV say it; to the text formats it is the time at which they are read.
    public static func render(
        _ snapshots: [MetricSnapshot], as format: ExportFormat, at time: UnixTime
    ) -> [UInt8] {
        switch format {
        case .json: json(snapshots, at: time)
        case .prometheus: PrometheusText.render(snapshots, .prometheus)
        case .openMetrics: PrometheusText.render(snapshots, .openMetrics)
        case .csv: csv(snapshots, at: time)
        }
    }

    /// The percentiles that exports have, with their names in JSON and CSV.
    static let percentiles: [(name: StaticString, part: Double)] = [
        ("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999),
    ]

    /// Things by names, in the order of the names' bytes.
    static func sorted<Named>(
        _ all: [Named], by name: (Named) -> some Collection<UInt8>
    ) -> [Named] {
        let isSorted = zip(all, all.dropFirst()).allSatisfy {
            !name($1).lexicographicallyPrecedes(name($0))
        }
        return isSorted ? all : all.sorted { name($0).lexicographicallyPrecedes(name($1)) }
    }
}

extension Distribution {
    /// What percentiles are told of: of a summary its window, of a histogram all values.
    func sketch(of kind: MetricKind) -> Sketch? { kind == .summary ? window : sketch }
}
