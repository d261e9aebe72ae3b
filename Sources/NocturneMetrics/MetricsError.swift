// MetricsError.swift — why something that was asked of metrics was not done. Next: Snapshot.swift.

public import NocturneCore

/// Why something that was asked of metrics was not done.
///
/// Recording never throws: what is recorded wrongly is counted as ``Misuse`` and left out.
public enum MetricsError: ReportableError, Hashable {
    /// A name that cannot be one.
    case invalidName(_ what: String, String, _ problem: String)
    /// The name is taken by a metric of another kind.
    case kindClash(String, found: MetricKind, wanted: MetricKind)
    /// Another metric has the same name in Prometheus' format.
    case nameClash(String, with: String, both: String)
    /// Two labels of one series have the same name in Prometheus' format.
    case labelClash(metric: String, String, String)
    /// Bounds that do not rise, are not finite, or are too many.
    case invalidBounds(String, _ problem: String)
    /// An option that makes no sense.
    case invalidOption(_ what: String, _ allowed: String)
    /// There are as many already as there may be.
    case limitReached(_ what: String, _ limit: Int)
    /// There is no such metric, alert or exporter; `near` are names that may have been meant.
    case notFound(_ what: String, String, near: [String] = [])
    /// There is such an alert already.
    case alertExists(String)
    /// An alert that cannot be.
    case invalidAlert(String, _ problem: String)
    /// An exporter failed.
    case exporterFailed(String, _ reason: String)
    /// The file of the history or of the alerts cannot be used.
    case file(String, _ reason: String)
    /// What should be an export as JSON is none.
    case invalidExport(_ problem: String)
    /// The collector was shut down.
    case shutDown

    /// Stable name of the kind.
    public var code: String {
        switch self {
        case .invalidName: "invalidName"
        case .kindClash: "kindClash"
        case .nameClash, .labelClash: "nameClash"
        case .invalidBounds: "invalidBounds"
        case .invalidOption: "invalidOption"
        case .limitReached: "limitReached"
        case .notFound: "notFound"
        case .alertExists: "alertExists"
        case .invalidAlert: "invalidAlert"
        case .exporterFailed: "exporterFailed"
        case .file: "metricsFile"
        case .invalidExport: "invalidExport"
        case .shutDown: "metricsShutDown"
        }
    }

    /// None: this is about metrics.
    public var plugin: PluginID? { nil }

    /// Whether the same may succeed later.
    public var isRetryable: Bool {
        if case .exporterFailed = self { true } else { false }
    }

    /// As in sysexits(3).
    public var exitStatus: Int32 {
        switch self {
        case .shutDown: 69
        case .file: 70
        case .exporterFailed: 75
        default: 65
        }
    }

    /// What failed, on what, and what to do.
    public var description: String {
        switch self {
        case .invalidName(let what, let name, let problem):
            "\(what) \(quoted(name)) is not allowed: \(problem)"
        case .kindClash(let name, let found, let wanted):
            "\(quoted(name)) is a \(found) already, so it cannot be used as a \(wanted): "
                + "use another name, or remove the \(found) first"
        case .nameClash(let name, let other, let both):
            "\(quoted(name)) and \(quoted(other)) would both be \(both) in Prometheus' format: rename one"
        case .labelClash(let metric, let name, let other):
            "the labels \(quoted(name)) and \(quoted(other)) of \(quoted(metric)) would have one name"
                + " in Prometheus' format: rename one"
        case .invalidBounds(let name, let problem): "the bounds of \(quoted(name)): \(problem)"
        case .invalidOption(let what, let allowed): "\(what) must be \(allowed)"
        case .limitReached(let what, let limit):
            "there are as many \(what) as there may be, \(limit): record fewer, or raise the limit if it has an option"
        case .notFound(let what, let name, let near):
            "there is no \(what) \(quoted(name))"
                + (near.isEmpty
                    ? "" : ": did you mean \(near.map { quoted($0) }.joined(separator: " or "))?")
        case .alertExists(let name): "there is an alert \(quoted(name)) already: remove it first"
        case .invalidAlert(let name, let problem): "the alert \(quoted(name)): \(problem)"
        case .exporterFailed(let name, let reason): "the exporter \(quoted(name)) failed: \(reason)"
        case .file(let path, let reason): "\(path): \(reason)"
        case .invalidExport(let problem): "not metrics as JSON: \(problem)"
        case .shutDown: "the metrics collector was shut down"
        }
    }
}
