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

extension JSONValue {
    /// A number; what JSON has no number for, as text: `"NaN"`, `"+Inf"`, `"-Inf"`.
    package static func measured(_ value: Double) -> JSONValue {
        JSONValue(value)
            ?? .string(value.isNaN ? "NaN" : value > 0 ? "+Inf" : "-Inf")
    }
}
