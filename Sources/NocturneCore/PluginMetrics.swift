// PluginMetrics.swift — how what plugins measure gets to whoever collects it, and what there is to export it, without
// either side knowing the other. Next: NocturneHost/MetricSlab.swift.

/// Takes what plugins measure. Given to the host by whoever composes the two.
package protocol PluginMetricsSink: AnyObject, Sendable {
    /// A plugin declares a series; a series that is declared again, also by a newer generation, goes on. Must not block
    /// for long: the storage of all plugins waits meanwhile.
    ///
    /// - Returns: where its changes go.
    func series(
        _ series: PluginSeries, of plugin: PluginID
    ) throws(PluginSeriesRefusal) -> any PluginSeriesRecorder

    /// What there is of a plugin's own metric, or of all of them; `nil`: it has no such metric.
    func metrics(of plugin: PluginID, named name: String?) async -> JSONValue?
}

/// One series of one generation of a plugin.
package protocol PluginSeriesRecorder: Sendable {
    /// Called by one thread at a time, in order. Must not block.
    func record(_ change: PluginSeriesChange)
}

/// A series as its plugin declares it: the texts are UTF-8 and within the limits of the SDK's `plugin.h`, nothing else
/// is checked.
package struct PluginSeries: Sendable, Hashable {
    package enum Kind: UInt32, Sendable, Hashable {
        case counter, upDownCounter, gauge, histogram
    }
    package struct Label: Sendable, Hashable {
        package let name: String, value: String

        package init(name: String, value: String) { (self.name, self.value) = (name, value) }
    }
    package let kind: Kind
    package let name: String
    /// Empty: none.
    package let help: String, unit: String
    /// In the plugin's order.
    package let labels: [Label]

    package init(kind: Kind, name: String, help: String, unit: String, labels: [Label]) {
        (self.kind, self.name, self.help) = (kind, name, help)
        (self.unit, self.labels) = (unit, labels)
    }
}

/// Why a series is not taken, as a sentence for the plugin's log.
package enum PluginSeriesRefusal: Error, Sendable, Hashable {
    /// A name or a label that is not allowed.
    case invalid(String)
    /// The name belongs to a metric of another kind.
    case taken(String)
    /// There are too many.
    case full(String)
}

/// What came since the change before it. Checked, but not true: a plugin may say anything.
package enum PluginSeriesChange: Sendable, Hashable {
    /// To a counter, both at least 0; to an up-down counter, anything. Of an up-down counter, what a process had added
    /// is taken back when it ends. `whole` is at most 2^53 in magnitude, `fraction` is finite.
    case added(whole: Int64, fraction: Double)
    /// A gauge's value; finite.
    case set(Double)
    /// To a histogram.
    case observed(PluginObservations)
}

/// Values of a histogram.
package struct PluginObservations: Sendable, Hashable {
    package struct Bucket: Sendable, Hashable {
        /// Bucket *i* holds magnitudes in (2^(i/64), 2^((i+1)/64)].
        package var index: Int32
        /// Never 0; at most 2^53.
        package var count: UInt64

        package init(index: Int32, count: UInt64) { (self.index, self.count) = (index, count) }
    }
    /// By rising index.
    package var positive: [Bucket] = [], negative: [Bucket] = []
    /// Values of which the magnitude is at most 2^-1022.
    package var zeros: UInt64 = 0
    /// Values that count, but are in no bucket: the plugin's memory for buckets was used up.
    package var unsorted: UInt64 = 0
    /// Of all of them; finite. May come a change later than the counts.
    package var sum: Double = 0
    /// The least and the greatest of the generation so far; `nil`: not known.
    package var range: ClosedRange<Double>?

    package init() {}

    /// How many there are.
    package var count: UInt64 {
        (positive + negative).reduce(zeros &+ unsorted) { $0 &+ $1.count }
    }
}

/// An exporter that a plugin has, as the manifest describes it.
package struct PluginExporter: Sendable, Hashable {
    /// No other enabled plugin has one of this name.
    package let name: String
    package let plugin: PluginID
    package let description: String?
    /// The media type of what it makes; `nil`: bytes.
    package let contentType: String?
    /// It is to be called with each sample.
    package let isPush: Bool

    package init(
        name: String, plugin: PluginID, description: String?, contentType: String?, isPush: Bool
    ) {
        (self.name, self.plugin, self.description) = (name, plugin, description)
        (self.contentType, self.isPush) = (contentType, isPush)
    }
}
