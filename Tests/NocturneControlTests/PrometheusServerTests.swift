// PrometheusServerTests.swift — a real Prometheus server scrapes our listener, and knows what we know.

import Glibc
import NocturneCore
import NocturneMetrics
import TestKit
import Testing

@testable import NocturneControl

/// Answers whatever it is asked with the same bytes: Prometheus 2 always asks for OpenMetrics first, so the other
/// format reaches it only from somebody who does not listen.
private final class StubbornServer: Sendable {
    private let listener: Int32
    let port: Int

    init(answering bytes: [UInt8], as format: ExportFormat) throws {
        let listener = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let status = withLoopbackAddress(0) { bind(listener, $0, $1) }
        try #require(status == 0 && listen(listener, 8) == 0)
        self.listener = listener
        var bound = sockaddr(), size = socklen_t(MemoryLayout<sockaddr>.size)
        try #require(getsockname(listener, &bound, &size) == 0)
        port = withUnsafeBytes(of: bound) { Int($0[2]) << 8 | Int($0[3]) }
        let head = "HTTP/1.0 200 OK\r\nContent-Type: \(format.contentType)\r\n\r\n"
        let answer = Array(head.utf8) + bytes
        Task {
            try await blocking {
                while case let client = accept(listener, nil, nil), client >= 0 {
                    var request = [UInt8](repeating: 0, count: 65_536)
                    _ = recv(client, &request, request.count, 0)
                    _ = answer.withUnsafeBytes {
                        send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                    close(client)
                }
            }
        }
    }

    /// Ends the wait for a client, and with it the thread.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    deinit { close(listener) }
}

@Suite struct PrometheusServerTests {
    private static let nasty = "q\"b\\n\nr\r\0\u{1F600}{}=,#\u{FEFF}"

    private static let metrics: [MetricSnapshot] = {
        func metric(
            _ name: String, _ kind: MetricKind, _ series: [(Labels, SeriesValue)]
        ) -> MetricSnapshot {
            MetricSnapshot(
                name: name, kind: kind, help: "Help: \(nasty)", unit: nil,
                series: series.map { labels, value in
                    SeriesSnapshot(
                        identity: SeriesIdentity(labels: labels),
                        created: UnixTime(milliseconds: 1_700_000_000_123), value: value)
                })
        }
        let sketch = Sketch(
            scale: 6, positive: [.init(index: -1, count: 3), .init(index: 640, count: 1)],
            zeros: 2)
        return [
            metric(
                "calls.total", .counter,
                [
                    (["text": nasty], .amount(Amount(whole: 9_007_199_254_740_992))),
                    (["text": "e\u{301}"], .amount(Amount(whole: 1))),
                    (["text": "\u{E9}"], .amount(Amount(whole: 2, fraction: 0.5))),
                ]),
            metric(
                "level", .gauge,
                [
                    (["of": "a"], .level(.infinity)), (["of": "b"], .level(-0.25)),
                    (["of": "c"], .level(.nan)), (["of": "d"], .level(.greatestFiniteMagnitude)),
                ]),
            metric(
                "size", .histogram,
                [
                    (
                        [:],
                        .distribution(
                            Distribution(count: 6, sum: 1_027, range: 0...1_024, sketch: sketch))
                    )
                ]),
            metric(
                "wait", .summary,
                [
                    (
                        [:],
                        .distribution(
                            Distribution(
                                count: 6, sum: 1_027, range: 0...1_024, sketch: sketch,
                                window: Sketch()))
                    )
                ]),
        ]
    }()

    @Test(.enabled(if: PrometheusServer.isWanted), .timeLimit(.minutes(1)))
    func `a Prometheus server reads OpenMetrics from the listener`() async throws {
        let listener = try MetricsListener(address: "127.0.0.1:0") { format in
            Exposition.render(Self.metrics, as: format, at: .now())
        }
        let port = try #require(try await listener.start())
        do {
            let results = try await scrape(port)
            await listener.shutdown()
            // Of three counters, a histogram and a summary, their creation: what text 0.0.4 has not.
            try expect(results, samples: 22 + 5)
            #expect(results["size_created"]?.map(\.value) == ["1700000000.123"])
        } catch {
            await listener.shutdown()
            throw error
        }
    }

    @Test(.enabled(if: PrometheusServer.isWanted), .timeLimit(.minutes(1)))
    func `a Prometheus server reads text format 0.0.4`() async throws {
        let bytes = Exposition.render(Self.metrics, as: .prometheus, at: .now())
        let server = try StubbornServer(answering: bytes, as: .prometheus)
        defer { server.stop() }
        let results = try await scrape(server.port)
        // Three counters, four gauges, six buckets and five quantiles, and twice sum and count.
        try expect(results, samples: 3 + 4 + 6 + 2 + 5 + 2)
    }

    private typealias Results = [String: [(labels: JSONObject, value: String)]]

    private func scrape(_ port: Int) async throws -> Results {
        try await blocking {
            let server = try PrometheusServer(scraping: ["host": port])
            defer { server.stop() }
            let limit = ContinuousClock.now + .seconds(30)
            while try server.query("up == 1").isEmpty {
                try #require(ContinuousClock.now < limit, "it was not scraped")
                usleep(20_000)
            }
            var results: Results = [:]
            for query in [
                "calls_total", "level", "size_bucket", "size_count", "size_sum", "wait", "wait_sum",
                "scrape_samples_scraped", "size_created",
            ] {
                results[query] = try server.query(query)
            }
            return results
        }
    }

    private func expect(_ results: Results, samples: Int) throws {
        func values(_ query: String, by label: String) -> [JSONValue: String] {
            Dictionary((results[query] ?? []).map { ($0.labels[label] ?? .null, $0.value) }) { $1 }
        }
        #expect(
            values("calls_total", by: "text") == [
                .string(Self.nasty): "9007199254740992", "e\u{301}": "1", "\u{E9}": "2.5",
            ])
        #expect(
            values("level", by: "of") == [
                "a": "+Inf", "b": "-0.25", "c": "NaN", "d": "1.7976931348623157e+308",
            ])
        #expect(
            values("size_bucket", by: "le") == [
                "0.0": "2", "0.5": "2", "1.0": "5", "1024.0": "5", "2048.0": "6", "+Inf": "6",
            ])
        #expect(values("size_count", by: "job") == ["host": "6"])
        #expect(values("size_sum", by: "job") == ["host": "1027"])
        #expect(
            values("wait", by: "quantile") == [
                "0.5": "NaN", "0.9": "NaN", "0.95": "NaN", "0.99": "NaN", "0.999": "NaN",
            ])
        #expect(values("scrape_samples_scraped", by: "job") == ["host": "\(samples)"])
    }
}
