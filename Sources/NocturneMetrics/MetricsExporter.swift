// MetricsExporter.swift — takes all metrics somewhere, or puts them into a form of its own. Next:
// MetricsCollector.swift.

public import NocturneCore

/// Puts metrics into a form of its own, or takes them somewhere.
///
/// Each runs by itself: one that is slow or fails delays neither the collector nor another exporter. One that is still
/// at work at the next flush is left out of that.
public protocol MetricsExporter: Sendable {
    /// The media type of what ``export(_:)`` returns.
    var contentType: String { get }
    /// Whether it is handed the metrics at each flush; what it then returns is dropped.
    var isPushed: Bool { get }
    /// Makes bytes of all metrics, or takes them somewhere.
    ///
    /// Its task is cancelled after ``MetricsCollector/Configuration/exporterDeadline``.
    func export(_ snapshot: MetricsSnapshot) async throws -> [UInt8]
}

/// All metrics at one moment.
public struct MetricsSnapshot: Sendable {
    /// When that was.
    public let time: UnixTime
    /// By name.
    public let metrics: [MetricSnapshot]

    /// Them in one of the built-in formats.
    public func rendered(as format: ExportFormat) -> [UInt8] {
        Exposition.render(metrics, as: format, at: time)
    }
}

/// What an exporter or a format made of the metrics.
public struct MetricsExport: Sendable {
    /// Its media type.
    public let contentType: String
    /// The bytes.
    public let bytes: [UInt8]
}
