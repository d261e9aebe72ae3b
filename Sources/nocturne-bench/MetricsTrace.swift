// MetricsTrace.swift — real figures to remember: what Linux counts of this machine, while the other rows keep it busy.
// Next: MetricsHistoryBench.swift.

import Glibc
import NocturneCore
import NocturneMetrics

/// Samples of all lines of /proc/vmstat and /proc/meminfo, about 250 series: many stand still, others always move.
struct MetricsTrace {
    /// A metric of several series.
    private struct Part {
        var name: String
        let kind: MetricKind
        var identities: [SeriesIdentity]
        /// Of each sample, by series.
        var samples: [[Int64]]
    }
    private var parts: [Part]

    /// Takes samples, one every so many microseconds.
    init(samples: Int, every pause: UInt32) {
        var texts: [[(String, Int64)]] = []
        for _ in 0..<samples {
            texts.append(Self.lines(of: "/proc/vmstat") + Self.lines(of: "/proc/meminfo"))
            usleep(pause)
        }
        let names = texts[0].map(\.0)
        // What begins with nr_ and everything of meminfo rises and falls, the rest counts.
        let isLevel = names.map { $0.hasPrefix("nr_") || $0.hasSuffix(":") }
        parts = [("levels", MetricKind.gauge), ("totals", .counter)].map { name, kind in
            let places = names.indices.filter { isLevel[$0] == (kind == .gauge) }
            return Part(
                name: name, kind: kind,
                identities: places.map { SeriesIdentity(labels: ["line": names[$0]]) },
                samples: texts.map { text in places.map { text[$0].1 } })
        }
    }

    private static func lines(of path: String) -> [(String, Int64)] {
        Process.read(path).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 2, let value = Int64(words[1]) else { return nil }
            return (String(words[0]), value)
        }
    }

    var seriesCount: Int { parts.reduce(0) { $0 + $1.identities.count } }

    /// The same series, of which none ever changes.
    var still: MetricsTrace {
        var still = self
        for place in parts.indices {
            let first = parts[place].samples[0]
            still.parts[place].samples = parts[place].samples.map { _ in first }
        }
        return still
    }

    /// The same as other series.
    func renamed(_ name: String) -> MetricsTrace {
        var renamed = self
        for place in parts.indices {
            renamed.parts[place].name = "\(name).\(parts[place].name)"
            renamed.parts[place].identities = parts[place].identities.map {
                SeriesIdentity(labels: $0.labels)
            }
        }
        return renamed
    }

    /// All series at one sample.
    func snapshots(_ sample: Int) -> [MetricSnapshot] {
        parts.map { part in
            let series = zip(part.identities, part.samples[sample]).map { identity, value in
                SeriesSnapshot(
                    identity: identity, created: MetricsHistoryBench.time(0),
                    value: part.kind == .gauge
                        ? .level(Double(value)) : .amount(Amount(whole: value)))
            }
            return MetricSnapshot(
                name: part.name, kind: part.kind, help: "Lines.", unit: nil, series: series)
        }
    }

    /// The same values as numbers.
    func values(_ sample: Int) -> [Double] {
        parts.flatMap { $0.samples[sample].map(Double.init) }
    }
}
