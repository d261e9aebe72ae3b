// MetricsScrapeTests.swift — a host that runs, as a Prometheus server sees it. Next: HostProcess.swift.

import TestKit
import Testing

@Suite struct MetricsScrapeTests {
    @Test(.enabled(if: PrometheusServer.isWanted), .timeLimit(.minutes(2)))
    func `a Prometheus server scrapes a host, its plugins and what they measure themselves`()
        async throws
    {
        try await HostProcess.run { host in
            let port = try host.startWithMetrics()
            try host.drop("measures.so")
            try host.waitUntil("the plugin serves") { try host.serving() == 1 }
            for _ in 0..<3 { _ = try host.command("call", "measures", #"{"n":5}"#) }
            let server = try PrometheusServer(scraping: ["host": port])
            defer { server.stop() }
            func value(_ query: String) throws -> String? {
                try server.query(query).first?.value
            }
            try host.waitUntil("it was scraped") {
                try value("nocturne_plugin_calls_total{plugin=\"measures\"}") == "3"
            }
            #expect(try value("up") == "1")
            // As the fixture says: for each n, 1 and 0.5, and two values.
            #expect(try value("measured_total{plugin=\"measures\"}") == "22.5")
            // It has values below 0, so OpenMetrics allows it neither sum nor count.
            #expect(
                try value("measured_seconds_bucket{plugin=\"measures\",le=\"+Inf\"}") == "30")
            #expect(try value("nocturne_build_info") == "1")
            #expect(try value("process_resident_memory_bytes > 1000000") != nil)
            #expect(
                try value("nocturne_plugin_call_duration_seconds_count{plugin=\"measures\"}")
                    == "3")
        }
    }
}
