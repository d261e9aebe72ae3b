// MetricEndpointTests.swift — metrics over a real socket, in virtual time: what is asked of the collector, and what
// comes back. Next: AlertEndpointTests.swift.

import NocturneCore
import NocturneMetrics
import TestKit
import Testing

@testable import NocturneControl

@Suite struct MetricEndpointTests {
    /// Metrics in memory, flushed when a test says so.
    private static func collector(_ clock: VirtualClock) throws -> MetricsCollector {
        var configuration = MetricsCollector.Configuration()
        configuration.enableAutoFlush = false
        return try MetricsCollector(configuration: configuration, clock: clock)
    }

    @Test func `the list has each metric with its series and what they come to`() async throws {
        let metrics = try Self.collector(VirtualClock())
        let gets = try metrics.makeCounter(
            "api.requests", labels: ["method": "GET"], help: "Requests.", unit: "requests")
        gets.increment(2)
        metrics.increment("api.requests", 0.5, labels: ["method": "PUT"])
        metrics.gauge("heat", 21.5, labels: ["room": "a"])
        metrics.gauge("heat", 22.5, labels: ["room": "b"])
        metrics.gauge("load", .infinity)
        metrics.histogram("time", 3)
        metrics.histogram("time", 4)
        try await withServer(of: FakeHost(), metrics: metrics) { _, client in
            let list = try await blocking { try client.json("GET", "/v1/metrics") }
            let rows = (list.array ?? []).map { row in
                ["name", "kind", "unit", "series", "value"].map { "\(row[$0] ?? "absent")" }
            }
            #expect(
                rows == [
                    [#""api.requests""#, #""counter""#, #""requests""#, "2", "2.5"],
                    // The sum of two rooms' heat means nothing.
                    [#""heat""#, #""gauge""#, "null", "2", "null"],
                    [#""load""#, #""gauge""#, "null", "1", #""+Inf""#],
                    [#""time""#, #""histogram""#, "null", "1", "2.0"],
                ])
            #expect(list.array?.first?["help"] == "Requests.")
        }
    }

    @Test func `a report is of a range, of some series, and percentiles have bounds`() async throws
    {
        let clock = VirtualClock()
        let metrics = try Self.collector(clock)
        for value in 1...100 { metrics.histogram("time", Double(value), labels: ["at": "a"]) }
        await metrics.flush()
        clock.advance(by: .seconds(3_000))
        metrics.histogram("time", 1_000, labels: ["at": "a"])
        metrics.histogram("time", 2_000, labels: ["at": "b"])
        try await withServer(of: FakeHost(), metrics: metrics) { _, client in
            try await blocking {
                let life = try client.json("GET", "/v1/metrics/time?label=at%3Da")
                #expect(life["series"] == 1)
                #expect(life["aggregations"]?["count"] == 101)
                #expect(life["aggregations"]?["sum"] == 6_050)
                #expect(life["aggregations"]?["max"] == 1_000)
                let median = try #require(life["aggregations"]?["bounds"]?["p50"]?.array)
                let bounds = median.compactMap(\.double)
                // Number 51 of 101 in order; the bounds are 1.1 % apart at most.
                #expect(bounds.count == 2 && bounds[0] <= 51 && 51 <= bounds[1])
                #expect(bounds[1] / bounds[0] < 1.0111)
                let last = try client.json("GET", "/v1/metrics/time?from=-15m")
                #expect(last["aggregations"]?["count"] == 2)
                #expect(last["startTime"] == JSONValue(clock.now.milliseconds - 900_000))
                let both = try client.json(
                    "GET", "/v1/metrics/time?from=-15m&label=at%3Da&label=at2%3D%3Dx%26")
                #expect(both["series"] == 0)
                let first = clock.now.milliseconds - 2_999_000
                let past = try client.json("GET", "/v1/metrics/time?from=0&to=\(first)")
                #expect(past["aggregations"]?["count"] == 100)
            }
        }
    }

    @Test func `a time series has what was sampled, and the present; steps join samples`()
        async throws
    {
        let clock = VirtualClock(at: UnixTime(seconds: 1_750_000_020))
        let metrics = try Self.collector(clock)
        let start = clock.now.milliseconds
        for value in [1.0, 5, 3] {
            metrics.gauge("level", value)
            metrics.increment("total", value)
            await metrics.flush()
            clock.advance(by: .seconds(10))
        }
        metrics.gauge("level", 9)
        try await withServer(of: FakeHost(), metrics: metrics) { _, client in
            try await blocking {
                let all = try client.json("GET", "/v1/metrics/level/series")
                let points = all.array?.first?["points"]?.array ?? []
                #expect(points.map { $0["value"]?.double } == [1, 5, 3, 9])
                #expect(
                    points.map { $0["time"]?.int }
                        == [0, 10_000, 20_000, 30_000].map { start + $0 })
                // 1,750,000,020 is a multiple of 60.
                for step in ["1m", "60000"] {
                    let minute = try client.json("GET", "/v1/metrics/level/series?step=\(step)")
                    #expect(minute.array?.first?["step"] == 60_000)
                    let joined = try #require(minute.array?.first?["points"]?.array?.first)
                    #expect(joined["time"] == JSONValue(start))
                    #expect([joined["min"], joined["max"], joined["value"]] == [1, 9, 9])
                }
                let total = try client.json("GET", "/v1/metrics/total/series?from=-25s")
                let increases = total.array?.first?["points"]?.array?.map { $0["increase"]?.double }
                #expect(increases?.prefix(2) == [5, 3])
            }
        }
    }

    @Test(arguments: [
        "export", "statistics", "flush", "collector", "series", "a.b", "a/b", "a/series", "a:b-c",
    ])
    func `a metric of any name can be reached, and removed`(name: String) async throws {
        let metrics = try Self.collector(VirtualClock())
        metrics.increment(name, 7)
        metrics.increment("other")
        try await withServer(of: FakeHost(), metrics: metrics) { _, client in
            try await blocking {
                let route = "/v1/metrics/" + PercentEncoding.encode(name)
                #expect(try client.json("GET", route)["name"] == .string(name))
                #expect(try client.json("GET", route)["value"] == 7)
                #expect(
                    try client.json("GET", route + "/series").array?.first?["name"]
                        == .string(name))
                #expect(try client.send("DELETE", route) == [])
                let list = try client.json("GET", "/v1/metrics")
                #expect(list.array?.map { $0["name"] } == ["other"])
            }
            let gone = await refusal {
                try client.send("DELETE", "/v1/metrics/" + PercentEncoding.encode(name))
            }
            #expect(gone?.code == "notFound")
        }
    }

    @Test func `a name that is mistyped or too short is met with those that may be meant`()
        async throws
    {
        let metrics = try Self.collector(VirtualClock())
        for name in ["api.requests", "api.errors", "disk.free"] { metrics.increment(name) }
        try await withServer(of: FakeHost(), metrics: metrics) { _, client in
            for (name, meant) in [
                ("api.reqeusts", #": did you mean "api.requests"?"#),
                ("api", #": did you mean "api.errors" or "api.requests"?"#), ("xyz", ""),
            ] {
                for route in ["/v1/metrics/\(name)", "/v1/metrics/\(name)/series"] {
                    let error = await refusal { try client.send("GET", route) }
                    #expect(error?.message == "there is no metric \"\(name)\"" + meant)
                    #expect(error?.exitStatus == 65)
                }
            }
            let format = await refusal { try client.send("GET", "/v1/exports/prometeus") }
            #expect(
                format?.message
                    == #"there is no format or exporter "prometeus": did you mean "prometheus"?"#)
        }
    }

    @Test(arguments: [
        ("?from=yesterday", "from is \"yesterday\": expected milliseconds since 1970, a time such"),
        ("?from=-15", "from is \"-15\""), ("?to=-15x", "to is \"-15x\""),
        ("?from=-1m&to=-2m", "a moment before `to`"),
        ("?from=99999999999999", "a moment that has been"),
        ("?label=a", "the name of a label, =, its value"), ("?label=%3Da", "the name of a label"),
        ("?label=le%3D1", "the name of a label"), ("?label=a%3D1&label=a%3D2", "each label once"),
        ("?from=0&from=0", "to be there once"), ("/series?step=0", "at least 1"),
        ("/series?step=-5m", "at least 1"), ("/series?step=soon", "at least 1"),
        ("?step=5m", "one of from, to, label"),
    ])
    func `a question that cannot be meant is refused in words`(
        query: String, text: String
    ) async throws {
        let metrics = try Self.collector(VirtualClock())
        metrics.increment("a")
        try await withServer(of: FakeHost(), metrics: metrics) { _, client in
            let error = await refusal { try client.send("GET", "/v1/metrics/a\(query)") }
            #expect(error?.code == "invalidParameter")
            #expect(error?.exitStatus == 64)
            #expect(error?.message.contains(text) == true, "\(error?.message ?? "none")")
        }
    }

    @Test(arguments: [
        ("", "text/plain; version=0.0.4; charset=utf-8", "# TYPE hits_total counter\n"),
        (
            "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n",
            "application/openmetrics-text; version=1.0.0; charset=utf-8", "# TYPE hits counter\n"
        ),
        (
            "Accept: text/html\r\nAccept: */*;q=0.1\r\n",
            "text/plain; version=0.0.4; charset=utf-8", "hits_total{a=\"\\\"\\n\"} 3\n"
        ),
    ])
    func `a scrape gets the format that it asks for`(
        header: String, type: String, line: String
    ) async throws {
        let metrics = try Self.collector(VirtualClock())
        metrics.increment("hits", 3, labels: ["a": "\"\n"])
        try await withServer(of: FakeHost(), metrics: metrics) { _, client in
            let answer = try await Self.get("/metrics", header, from: client)
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
            #expect(answer.lowercased().contains("\r\ncontent-type: \(type)\r\n"))
            #expect(answer.contains(line), "\(answer)")
            #expect(answer.hasSuffix("# EOF\n") == type.contains("openmetrics"))
        }
    }

    @Test func `an export has its format's type and bytes; exporters are asked by their names`()
        async throws
    {
        let metrics = try Self.collector(VirtualClock())
        metrics.increment("hits", 3)
        // Not UTF-8, and not a character of HTTP's.
        try metrics.setExporter("own", to: Exporter { _ in [0xFF, 0x00, 0x0D, 0x0A] })
        try metrics.setExporter("bad", to: Exporter { _ in throw RawError(errno: 5) })
        try await withServer(of: FakeHost(), metrics: metrics) { _, client in
            let bytes = try await blocking {
                let names = try client.json("GET", "/v1/exports")
                #expect(names == ["json", "prometheus", "openmetrics", "csv", "bad", "own"])
                let json = try client.json("GET", "/v1/exports/json")
                #expect(json["metrics"]?.array?.first?["name"] == "hits")
                return try client.send("GET", "/v1/exports/own")
            }
            #expect(bytes == [0xFF, 0x00, 0x0D, 0x0A])
            let answer = try await Self.get("/v1/exports/own", "", from: client)
            #expect(answer.lowercased().contains("\r\ncontent-type: image/own\r\n"))
            let csv = try await Self.get("/v1/exports/csv", "", from: client)
            #expect(csv.lowercased().contains("\r\ncontent-type: text/csv"))
            let error = await refusal { try client.send("GET", "/v1/exports/bad") }
            #expect(error?.code == "exporterFailed")
            #expect(error?.exitStatus == 75)
            #expect(error?.isRetryable == true)
        }
    }

    @Test func `a flush says what it did, and statistics what went wrong`() async throws {
        let metrics = try Self.collector(VirtualClock())
        _ = try metrics.makeCounter("hits")
        metrics.increment("hits", -1)
        try metrics.setExporter(
            "push", to: Exporter(isPushed: true) { _ in throw RawError(errno: 5) })
        try await withServer(of: FakeHost(), metrics: metrics) { _, client in
            try await blocking {
                let report = try client.json("POST", "/v1/collector/flush")
                #expect(report["series"] == 1)
                #expect(report["exporters"] == 1)
                #expect(report["failures"]?["push"] != nil)
                let all = try client.json("GET", "/v1/collector")
                #expect(all["flushes"] == 1)
                #expect(all["lastFlush"] == report)
                #expect(all["exporters"] == ["push"])
                #expect(all["misuse"]?.object?.map(\.value) == [1])
                #expect(all["recentMisuse"]?.array?.first?["metric"] == "hits")
            }
        }
    }

    @Test func `each answer is as the API's own description says`() async throws {
        let clock = VirtualClock()
        let metrics = try Self.collector(clock)
        for kind in 0..<2 {
            for value in [0.0, 1.5, -2, .infinity] {
                metrics.gauge("g", value, labels: ["kind": "\(kind)"])
                metrics.histogram("h", value)
                metrics.summary("s", value, labels: ["kind": "\(kind)"])
                metrics.increment("c", value)
                metrics.decrement("u", value)
                clock.advance(by: .seconds(10))
                await metrics.flush()
            }
        }
        metrics.gauge("g", .nan)
        _ = try metrics.makeGauge("never", help: "Set by nobody.", unit: "seconds")
        try await withServer(of: FakeHost(), metrics: metrics) { _, client in
            try await blocking {
                let description = try Description(client)
                for path in ["/v1/metrics", "/v1/collector", "/v1/exports"] {
                    try description.check(try client.json("GET", path), of: path)
                }
                for name in ["g", "h", "s", "c", "u", "never"] {
                    let report = "/v1/metrics/{name}"
                    for query in ["", "?from=-35s", "?from=0&to=1", "?label=kind%3D1"] {
                        let answer = try client.json("GET", "/v1/metrics/\(name)\(query)")
                        try description.check(answer, of: report)
                    }
                    for query in ["", "?step=1m"] {
                        let answer = try client.json("GET", "/v1/metrics/\(name)/series\(query)")
                        try description.check(answer, of: report + "/series")
                    }
                }
                let flush = "/v1/collector/flush"
                try description.check(try client.json("POST", flush), of: flush, "post")
                try description.check(try client.json("GET", "/v1/collector"), of: "/v1/collector")
                // It would notice.
                #expect(throws: JSONSchemaViolation.self) {
                    try description.check([["name": "g"]], of: "/v1/metrics")
                }
            }
        }
    }

    /// A whole answer, with its head.
    private static func get(
        _ target: String, _ header: String, from client: ControlClient
    ) async throws -> String {
        let path = client.socketPath
        return try await blocking {
            let connection = try RawConnection(to: path)
            try connection.send(
                "GET \(target) HTTP/1.1\r\nHost: x\r\n\(header)Connection: close\r\n\r\n")
            return connection.receive()
        }
    }
}

/// What a test exports.
private struct Exporter: MetricsExporter {
    var isPushed = false
    let body: @Sendable (MetricsSnapshot) throws -> [UInt8]
    var contentType: String { "image/own" }

    func export(_ snapshot: MetricsSnapshot) async throws -> [UInt8] { try body(snapshot) }
}

/// The API's description, as a host gives it.
struct Description {
    private let document: JSONValue

    init(_ client: ControlClient) throws { document = try client.json("GET", "/openapi.json") }

    /// Checks an answer against the schema that its route promises.
    func check(_ answer: JSONValue, of path: String, _ method: String = "get") throws {
        let responses = try #require(document["paths"]?[path]?[method]?["responses"]?.object)
        let success = try #require(responses.first { $0.key.hasPrefix("2") }?.value)
        let schema = try #require(success["content"]?["application/json"]?["schema"])
        let whole: JSONValue = [
            "allOf": [schema], "components": document["components"] ?? .null,
        ]
        try JSONSchema(compiling: whole).validate(answer)
    }
}
