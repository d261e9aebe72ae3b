// MetricsConfiguration.swift — the options of a collector, with their defaults and ranges. Next:
// MetricsCollector.swift.

extension MetricsCollector {
    /// The options of a collector.
    public struct Configuration: Sendable, Hashable {
        /// How long the history goes back, in every tier. At least a second, to which less is moved.
        /// `retentionPeriod` of the seed.
        public var retentionPeriod = Duration.seconds(3_600) {
            didSet { retentionPeriod = max(retentionPeriod, .seconds(1)) }
        }
        /// Whether a flush happens by itself each ``flushInterval``; else only when ``MetricsCollector/flush()`` is
        /// called. `enableAutoFlush` of the seed.
        public var enableAutoFlush = true
        /// From one flush to the next: how fine the history is and how soon an alert is noticed. From 100 ms to a
        /// day, to which others are moved.
        public var flushInterval = Duration.seconds(10) {
            didSet { flushInterval = min(max(flushInterval, .milliseconds(100)), .seconds(86_400)) }
        }
        /// Whether histograms and summaries keep their values in buckets fine enough for percentiles. Without, they
        /// have count, sum, least and greatest, and percentiles are absent. `computePercentiles` of the seed.
        public var computePercentiles = true
        /// The directory of the history's and the alerts' files, so that both outlast the process. Made, for its owner
        /// only, if there is none; its parent must exist. `nil`: memory only.
        public var statePath: String?
        /// Bytes of the history at most, in memory and again in its file. When they are reached the oldest samples go.
        /// From 0, with which nothing is kept, to 1 TiB, to which others are moved.
        public var historyLimitBytes = 64 << 20 {
            didSet { historyLimitBytes = min(max(historyLimitBytes, 0), 1 << 40) }
        }
        /// How many metrics and series there may be, and for how long those are kept that do not change.
        public var limits = RegistryLimits()
        /// How long an exporter may take.
        public var exporterDeadline = Duration.seconds(5)
        /// Alerts that belong to the configuration: they replace others of their names, and are gone when they are not
        /// here at the next start.
        public var alerts: [AlertRule] = []

        /// The defaults.
        public init() {}
    }
}
