// graphite.swift — an exporter: a snapshot of metrics in, lines of Graphite's plaintext protocol out. The whole plugin
// is this file, manifest.json and Package.swift.
//
// A line is `path;label=value number seconds` (https://graphite.readthedocs.io/en/latest/feeding-carbon.html and
// tags.html). What Graphite knows no single number for, a distribution, becomes several paths.

import NocturnePlugin

/// Members of a distribution, and what their paths end in.
let parts = ["count", "sum", "min", "max", "p50", "p90", "p95", "p99", "p999"]

/// Lines of a snapshot; series without a value have none.
func lines(of snapshot: JSON, prefix: String) -> String {
    let seconds = (snapshot["time"]?.integer ?? 0) / 1_000
    var text = ""
    for metric in snapshot["metrics"]?.array ?? [] {
        let path = prefix + clean(metric["name"]?.string ?? "")
        for series in metric["series"]?.array ?? [] {
            let tags = tags(of: series["labels"])
            func add(_ path: String, _ value: JSON?) {
                // What is not finite stands there as a string, and Graphite has no word for it.
                guard let value, value.number != nil else { return }
                text += "\(path)\(tags) \(value) \(seconds)\n"
            }
            add(path, series["value"])
            for part in parts { add("\(path).\(part)", series[part]) }
        }
    }
    return text
}

func tags(of labels: JSON?) -> String {
    let pairs = (labels?.object ?? [:]).map { ($0.key, $0.value.string ?? "") }
    // Graphite refuses a tag without a value, and one that begins with a tilde.
    return pairs.filter { !$0.1.isEmpty }.sorted { $0.0 < $1.0 }.map { name, value in
        let value = clean(value)
        return ";\(clean(name))=\(value.hasPrefix("~") ? "_" + value.dropFirst() : value)"
    }.joined()
}

/// Without what ends a path, a tag or a line.
func clean(_ text: String) -> String {
    String(text.map { $0.isWhitespace || ";!^=".contains($0) || $0.asciiValue == 0 ? "_" : $0 })
}

let plugin = Plugin(
    exporters: [
        "graphite": Exporter { snapshot, call in
            let prefix = try call.host.configuration.get("prefix")?.string ?? ""
            let text = lines(of: snapshot, prefix: prefix)
            call.host.metrics.counter("graphite.lines", help: "Lines written.").add(
                Double(text.utf8.count { $0 == UInt8(ascii: "\n") }))
            return Array(text.utf8)
        }
    ],
    settingsChanged: { _, _ in }
)
