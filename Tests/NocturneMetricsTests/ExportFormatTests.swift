// ExportFormatTests.swift — which format a client gets, by RFC 9110. Next: ExpositionTests.swift.

import NocturneMetrics
import Testing

@Suite struct ExportFormatTests {
    /// What Prometheus 2.42 sends.
    private static let prometheus2 =
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    /// What Prometheus 3 sends.
    private static let prometheus3 =
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        + "application/openmetrics-text;version=0.0.1;q=0.5,"
        + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    private static let browser =
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"

    @Test(
        arguments: [
            (nil, ExportFormat.prometheus), ("", .prometheus), ("*/*", .prometheus),
            (prometheus2, .openMetrics), (prometheus3, .openMetrics), (browser, .prometheus),
            ("application/openmetrics-text", .openMetrics),
            (
                "Application/OpenMetrics-Text; Version=\"1.0.0\" ; q=0.9, text/plain;q=0.8",
                .openMetrics
            ),
            ("application/openmetrics-text;version=0.0.1", .prometheus),
            ("application/openmetrics-text;version=2.0.0, */*;q=0.1", .prometheus),
            ("application/openmetrics-text;q=0.3, text/plain;q=0.5", .prometheus),
            ("application/openmetrics-text;q=0.3, text/plain;version=0.0.4;q=0.2", .openMetrics),
            ("application/openmetrics-text;q=0", .prometheus),
            // The precise one counts, though the wildcard likes text better.
            ("text/plain;q=0.1, */*;q=0.9, application/openmetrics-text;q=0.2", .openMetrics),
            ("application/json", .json), ("application/json, text/plain, */*", .prometheus),
            ("text/csv, */*;q=0.5", .csv), ("image/png", .prometheus),
            (";;,,=,\"", .prometheus), ("application/openmetrics-text;x=\"a,b;c\"", .openMetrics),
            ("application/json;q=nonsense", .prometheus), ("application/json;q=7", .json),
        ] as [(String?, ExportFormat)])
    func `a client gets what it likes best`(accept: String?, expected: ExportFormat) {
        #expect(ExportFormat.negotiate(accept: accept) == expected)
    }

    @Test func `formats are known by their names and have content types`() {
        #expect(ExportFormat.allCases.map(\.name) == ["json", "prometheus", "openmetrics", "csv"])
        #expect(ExportFormat.allCases.allSatisfy { ExportFormat(name: $0.name) == $0 })
        #expect(ExportFormat(name: "xml") == nil)
        #expect(ExportFormat.prometheus.contentType == "text/plain; version=0.0.4; charset=utf-8")
        #expect(
            ExportFormat.openMetrics.contentType
                == "application/openmetrics-text; version=1.0.0; charset=utf-8")
    }
}
