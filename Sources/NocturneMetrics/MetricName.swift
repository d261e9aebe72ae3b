// MetricName.swift — which names metrics and labels may have, and what Prometheus calls them. Next: MetricsError.swift.

/// Rules for names of metrics and labels.
///
/// Names are as in the rest of a program, `api.requests`. Prometheus and OpenMetrics know no dots, so there such a
/// name is written `api_requests`, and a counter gets `_total` (https://prometheus.io/docs/concepts/data_model,
/// https://openmetrics.io: "Counter").
public enum MetricName {
    /// Bytes of a metric's or a label's name. The longest that anybody uses are under 100.
    public static let limitBytes = 200
    /// Bytes of a label's value. Longer ones are texts, which belong into a log.
    public static let valueLimitBytes = 1_024
    /// Labels of one series.
    public static let labelLimit = 32
    /// Series of all metrics of a process: as many slots as a slab has, without the first.
    public static let seriesLimit = 1_048_575
    /// What a value becomes when its label has too many.
    public static let overflow = "__overflow__"

    /// What is wrong with a metric's name, `nil` if nothing: `[A-Za-z_][A-Za-z0-9_.:/-]*`, at most ``limitBytes``.
    public static func check(_ name: String) -> String? {
        check(name, isAllowed: { isWordByte($0) || ".:/-".utf8.contains($0) }, "._:/-")
    }

    /// What is wrong with a label's name, `nil` if nothing: `[A-Za-z_][A-Za-z0-9_.-]*`, at most ``limitBytes``, not
    /// `le` or `quantile`, which the formats need for themselves, and not beginning with `__` or what becomes that in
    /// Prometheus' format, where a server takes such labels away.
    public static func checkLabel(_ name: String) -> String? {
        if let problem = check(
            name, isAllowed: { isWordByte($0) || ".-".utf8.contains($0) }, "._-")
        {
            return problem
        }
        if name == "le" || name == "quantile" { return "`le` and `quantile` are reserved" }
        return prometheusLabel(name).utf8.starts(with: "__".utf8)
            ? "names that begin with __ are reserved" : nil
    }

    private static func check(
        _ name: String, isAllowed: (UInt8) -> Bool, _ marks: String
    ) -> String? {
        guard let first = name.utf8.first else { return "it is empty" }
        guard name.utf8.count <= limitBytes else {
            return "it has \(name.utf8.count) bytes, the limit is \(limitBytes)"
        }
        guard isWordByte(first), !isDigit(first) else { return "it must begin with a letter or _" }
        guard name.utf8.allSatisfy(isAllowed) else {
            return "only letters and digits of ASCII and \(marks) are allowed"
        }
        return nil
    }

    /// The name of a family in Prometheus' text format, without a suffix: every byte that is not allowed there is `_`.
    public static func prometheus(_ name: String) -> String {
        String(
            decoding: name.utf8.map {
                isWordByte($0) || $0 == UInt8(ascii: ":") ? $0 : UInt8(ascii: "_")
            }, as: UTF8.self)
    }

    /// The name of a label there: as of a metric, but without colons.
    public static func prometheusLabel(_ name: String) -> String {
        guard !name.utf8.allSatisfy(isWordByte) else { return name }
        return String(
            decoding: name.utf8.map { isWordByte($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: "_")
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
