// Metrics.swift — what a plugin measures: counters, gauges and histograms of its own. Next: Tables+Metrics.swift.

public import NocturneJSON
internal import CNocturne
internal import Synchronization

/// What the plugin measures, beside what the host measures of every plugin.
///
/// ```swift
/// let greetings = host.metrics.counter("greetings", ["language": "en"], help: "People greeted.")
/// greetings.add()
/// ```
///
/// The first time a series is asked for, the host is asked, which blocks the thread for some ten microseconds;
/// recording takes some nanoseconds, on any thread. A series that the host does not take records nothing, and the
/// plugin's log says why: measuring never makes a plugin fail. From `activate` on; at most 1,024 series.
///
/// Names are as `pages.read`, labels have names and values. The host adds the label `plugin`. What was counted goes on
/// after a reload or a crash.
public struct Metrics: Sendable {
    let table: MetricsTable?
    let known: KnownSeries

    /// A total that only rises: pages read, bytes sent.
    public func counter(
        _ name: String, _ labels: KeyValuePairs<String, String> = [:], help: String = "",
        unit: String = ""
    ) -> Counter {
        Counter(series: series(NOCTURNE_COUNTER, name, labels, help, unit))
    }

    /// A total that rises and falls by amounts: things that are open. What a process has added ends with it.
    public func upDownCounter(
        _ name: String, _ labels: KeyValuePairs<String, String> = [:], help: String = "",
        unit: String = ""
    ) -> UpDownCounter {
        UpDownCounter(series: series(NOCTURNE_UP_DOWN_COUNTER, name, labels, help, unit))
    }

    /// A value that is set: a temperature.
    public func gauge(
        _ name: String, _ labels: KeyValuePairs<String, String> = [:], help: String = "",
        unit: String = ""
    ) -> Gauge {
        Gauge(series: series(NOCTURNE_GAUGE, name, labels, help, unit))
    }

    /// How values are distributed: durations in seconds, sizes in bytes.
    public func histogram(
        _ name: String, _ labels: KeyValuePairs<String, String> = [:], help: String = "",
        unit: String = ""
    ) -> Histogram {
        Histogram(series: series(NOCTURNE_HISTOGRAM, name, labels, help, unit))
    }

    /// What the host has of the plugin's own metric `name`, or of all of them.
    ///
    /// - Returns: `nil` if there is no such metric.
    public func read(_ name: String? = nil) throws(HostError) -> JSON? {
        guard let table else { throw .unavailable(service: NOCTURNE_HOST_METRICS) }
        guard let bytes = try table.read(name) else { return nil }
        do {
            return try JSON(parsing: bytes)
        } catch {
            throw .malformed("metrics (\(error))")
        }
    }

    private func series(
        _ kind: UInt32, _ name: String, _ labels: KeyValuePairs<String, String>, _ help: String,
        _ unit: String
    ) -> Series {
        let declared = DeclaredSeries(
            kind: kind, name: name, labels: labels.map { ($0.key, $0.value) }, help: help,
            unit: unit)
        return Series(table: table, number: known.number(of: declared, table))
    }
}

/// A total that only rises.
public struct Counter: Sendable {
    let series: Series

    /// Adds an amount, which is at least 0; others are ignored. Whole amounts up to 2^53 are added exactly.
    public func add(_ amount: Double = 1) { series.table?.add(series.number, amount) }
}

/// A total that rises and falls.
public struct UpDownCounter: Sendable {
    let series: Series

    /// Adds an amount; one below 0 lowers it.
    public func add(_ amount: Double) { series.table?.add(series.number, amount) }
}

/// A value that is set.
public struct Gauge: Sendable {
    let series: Series

    /// Sets it. What is no finite number is ignored.
    public func set(_ value: Double) { series.table?.set(series.number, value) }

    /// Moves it by an amount.
    public func add(_ amount: Double) { series.table?.add(series.number, amount) }
}

/// How values are distributed, in buckets that are 1.1 % wide.
public struct Histogram: Sendable {
    let series: Series

    /// Counts a value. What is no finite number is ignored.
    public func observe(_ value: Double) { series.table?.observe(series.number, value) }

    /// Counts a duration, in seconds.
    public func observe(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        observe(Double(seconds) + Double(attoseconds) * 1e-18)
    }
}

/// A series that the host has taken, or not: then its number is an error, and recording does nothing.
struct Series: Sendable {
    let table: MetricsTable?
    let number: Int32
}

/// A series as its author declares it.
struct DeclaredSeries {
    let kind: UInt32
    let name: String
    let labels: [(name: String, value: String)]
    let help: String, unit: String
}

/// The numbers of the series that the host has taken, so that it is asked once for each.
final class KnownSeries: Sendable {
    private struct Key: Hashable {
        let kind: UInt32
        /// Name and labels, each behind its length: Swift holds different bytes of a text for equal.
        let text: [UInt8]

        init(_ series: DeclaredSeries) {
            kind = series.kind
            var text: [UInt8] = []
            for part in [series.name] + series.labels.flatMap({ [$0.name, $0.value] }) {
                withUnsafeBytes(of: part.utf8.count) { text += $0 }
                text += part.utf8
            }
            self.text = text
        }
    }
    private let numbers = Mutex<[Key: Int32]>([:])

    func number(of series: DeclaredSeries, _ table: MetricsTable?) -> Int32 {
        let key = Key(series)
        if let number = numbers.withLock({ $0[key] }) { return number }
        guard let table else { return -1 }
        let number = table.create(series)
        if number > 0 { numbers.withLock { $0[key] = number } }
        return number
    }
}
