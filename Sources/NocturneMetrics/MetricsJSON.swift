// MetricsJSON.swift — labels and measured numbers as JSON. Next: JSONExport.swift.

package import NocturneCore

extension Labels {
    /// `{"method": "GET"}`, by name.
    package var json: JSONValue {
        var object = JSONObject()
        for pair in sorted { object[pair.name] = .string(pair.value) }
        return .object(object)
    }
}

extension MetricSnapshot {
    /// `{"name", "kind", "unit", "help", "series", "value"}`: how many series there are, and what they come to as in
    /// ``MetricReport/value``; `null` for what there is not.
    package var summaryJSON: JSONValue {
        let values = series.map(\.value.total)
        let value =
            kind == .gauge && values.count != 1 || values.isEmpty
            ? nil : values.reduce(0, +)
        return [
            "name": .string(name), "kind": .string(kind.rawValue),
            "unit": unit.map { .string($0) } ?? .null, "help": .string(help),
            "series": JSONValue(series.count), "value": value.map { .measured($0) } ?? .null,
        ]
    }
}

extension JSONValue {
    /// A number; what JSON has no number for, as text: `"NaN"`, `"+Inf"`, `"-Inf"`.
    package static func measured(_ value: Double) -> JSONValue {
        JSONValue(value)
            ?? .string(value.isNaN ? "NaN" : value > 0 ? "+Inf" : "-Inf")
    }
}
