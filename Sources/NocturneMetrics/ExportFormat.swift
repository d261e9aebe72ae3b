// ExportFormat.swift — the formats that metrics are exported in: names, content types, and which one an HTTP client
// wants. Next: Exposition.swift.

/// A format that metrics are exported in.
public enum ExportFormat: String, Sendable, Hashable, CaseIterable {
    /// All that there is, exactly; can be read back.
    case json
    /// Prometheus' text format 0.0.4.
    case prometheus
    /// OpenMetrics 1.0.0.
    case openMetrics = "openmetrics"
    /// A row for each number (RFC 4180), for spreadsheets.
    case csv

    /// The format of a name: `json`, `prometheus`, `openmetrics` or `csv`. `nil` for any other.
    public init?(name: String) { self.init(rawValue: name) }

    /// Its name, as ``init(name:)`` takes it.
    public var name: String { rawValue }

    /// The content type of HTTP. Prometheus 3 refuses an answer without a proper one.
    public var contentType: String {
        switch self {
        case .json: "application/json"
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        case .csv: "text/csv; charset=utf-8; header=present"
        }
    }

    /// The format that an HTTP client likes best, by its `Accept` header (RFC 9110 §12.5.1).
    ///
    /// Wildcards stand for text 0.0.4 only: the other formats must be asked for by name. Of formats that are liked
    /// equally, the first counts of OpenMetrics, text 0.0.4, JSON, CSV. Who accepts nothing that there is, or sends no
    /// header or nonsense, gets text 0.0.4, which people can read.
    public static func negotiate(accept: String?) -> ExportFormat {
        guard let accept else { return .prometheus }
        let ranges = MediaRange.list(accept)
        var best: (format: ExportFormat, quality: Double)?
        for format in [Self.openMetrics, .prometheus, .json, .csv] {
            // The most specific range that fits is the one that counts, however much another likes it.
            let fitting = ranges.filter { format.isMeant(by: $0) }
            guard let most = fitting.map(\.precision).max() else { continue }
            let quality = fitting.filter { $0.precision == most }.map(\.quality).max() ?? 0
            if quality > (best?.quality ?? 0) { best = (format, quality) }
        }
        return best?.format ?? .prometheus
    }

    private func isMeant(by range: MediaRange) -> Bool {
        switch self {
        case .json: range.type == "application/json"
        case .csv: range.type == "text/csv"
        case .openMetrics:
            range.type == "application/openmetrics-text" && (range.version ?? "1.0.0") == "1.0.0"
        case .prometheus:
            range.type == "*/*" || range.type == "text/*"
                || range.type == "text/plain" && (range.version ?? "0.0.4") == "0.0.4"
        }
    }
}

/// One element of an `Accept` header: `text/plain;version=0.0.4;q=0.5`.
private struct MediaRange {
    /// In lower case; `*/*` and `text/*` are wildcards.
    var type = ""
    var version: String?
    var quality = 1.0

    /// How much it says: a wildcard, half of one, a type, a type with a version.
    var precision: Int {
        if type == "*/*" { return 0 }
        if type.hasSuffix("/*") { return 1 }
        return version == nil ? 2 : 3
    }

    /// The elements that have a type. Parameters that are not known here are ignored, as is a quality that is none.
    static func list(_ header: String) -> [MediaRange] {
        split(header, at: ",").compactMap { element in
            let parts = split(element, at: ";")
            guard let type = parts.first, type.contains("/") else { return nil }
            var range = MediaRange(type: type.lowercased())
            for part in parts.dropFirst() {
                let sides = part.split(separator: "=", maxSplits: 1).map(trimmed)
                guard sides.count == 2 else { continue }
                let value = sides[1].filter { $0 != "\"" }
                switch sides[0].lowercased() {
                case "version": range.version = value
                case "q": range.quality = min(max(Double(value) ?? 0, 0), 1)
                default: break
                }
            }
            return range
        }
    }

    /// The trimmed parts of a text between separators that are not in quotes.
    private static func split(_ text: some StringProtocol, at separator: Character) -> [String] {
        var isQuoted = false
        return text.split { character in
            if character == "\"" { isQuoted.toggle() }
            return character == separator && !isQuoted
        }.map { trimmed($0) }
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        let rest = text.drop(while: isSpace)
        return String(String(rest.reversed().drop(while: isSpace)).reversed())
    }
}
