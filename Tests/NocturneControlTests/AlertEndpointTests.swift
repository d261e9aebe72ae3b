// AlertEndpointTests.swift — alerts over a real socket, in virtual time.

import NocturneCore
import NocturneMetrics
import TestKit
import Testing

@testable import NocturneControl

@Suite struct AlertEndpointTests {
    private static let hot: JSONValue = [
        "name": "too hot/now", "metricName": "heat", "condition": "gt", "threshold": 30,
        "duration": "10s", "by": ["room"], "message": "open a window", "severity": "critical",
        "annotations": ["link": "x"], "clearThreshold": 25, "noData": "keep",
    ]
    private static let route = "/v1/alerts/too%20hot%2Fnow"

    private static func collector(
        _ clock: VirtualClock, alerts: [AlertRule] = []
    ) throws -> MetricsCollector {
        var configuration = MetricsCollector.Configuration()
        (configuration.enableAutoFlush, configuration.alerts) = (false, alerts)
        return try MetricsCollector(configuration: configuration, clock: clock)
    }

    @Test func `an alert is added, pends, fires, is switched off and on, and is removed`()
        async throws
    {
        let clock = VirtualClock()
        let metrics = try Self.collector(clock)
        metrics.gauge("heat", 31, labels: ["room": "a"])
        metrics.gauge("heat", 20, labels: ["room": "b"])
        try await withServer(of: FakeHost(), metrics: metrics) { _, client in
            let states = try await blocking { () -> [JSONValue?] in
                let description = try Description(client)
                let added = try client.json("POST", "/v1/alerts", body: Self.hot)
                try description.check(added, of: "/v1/alerts", "post")
                #expect(added["duration"] == 10_000)
                #expect(added["origin"] == "program")
                var states = [added["state"]]
                func look() throws {
                    let list = try client.json("GET", "/v1/alerts")
                    try description.check(list, of: "/v1/alerts")
                    states.append(list.array?.first?["state"])
                }
                for _ in 1...2 {
                    _ = try client.json("POST", "/v1/collector/flush")
                    try look()
                    clock.advance(by: .seconds(10))
                }
                let groups = try client.json("GET", "/v1/alerts").array?.first?["groups"]?.array
                #expect(groups?.map { $0["group"] } == [["room": "a"]])
                #expect(groups?.first?["value"] == 31)
                for verb in ["disable", "enable"] {
                    let changed = try client.json("POST", "\(Self.route)/\(verb)")
                    try description.check(changed, of: "/v1/alerts/{name}/\(verb)", "post")
                    states.append(changed["state"])
                }
                #expect(try client.send("DELETE", Self.route) == [])
                #expect(try client.json("GET", "/v1/alerts") == [])
                return states
            }
            #expect(states == ["inactive", "pending", "firing", "disabled", "inactive"])
        }
    }

    @Test func `an alert is silent for a time, until a moment, and not any more`() async throws {
        let clock = VirtualClock()
        let now = clock.now.milliseconds
        try await withServer(of: FakeHost(), metrics: try Self.collector(clock)) { _, client in
            try await blocking {
                _ = try client.json("POST", "/v1/alerts", body: Self.hot)
                let hour = try client.json(
                    "POST", Self.route + "/silence", body: ["for": "1h"])
                #expect(hour["silencedUntil"] == JSONValue(now + 3_600_000))
                let moment = try client.json(
                    "POST", Self.route + "/silence", body: ["until": "2030-01-01T00:00:00Z"])
                #expect(moment["silencedUntil"] == 1_893_456_000_000)
                let loud = try client.json("POST", Self.route + "/unsilence")
                #expect(loud["silencedUntil"] == .null)
            }
            for body in [
                "{}", #"{"for":"1h","until":0}"#, #"{"for":"-1h"}"#, #"{"for":-1}"#,
                #"{"for":9223372036854775807}"#, #"{"until":"soon"}"#, #"{"while":1}"#, "1",
            ] {
                let error = await refusal {
                    try client.send("POST", Self.route + "/silence", body: Array(body.utf8))
                }
                #expect(error?.code == "wrongBody", "\(body)")
                #expect(error?.exitStatus == 65)
            }
        }
    }

    @Test func `an alert that is there, unknown, wrong or of the configuration is refused`()
        async throws
    {
        let fixed = AlertRule(name: "fixed", metricName: "m", condition: .gt, threshold: 1)
        let metrics = try Self.collector(VirtualClock(), alerts: [fixed])
        try await withServer(of: FakeHost(), metrics: metrics) { _, client in
            let list = try await blocking { try client.json("GET", "/v1/alerts") }
            #expect(list.array?.first?["origin"] == "configuration")
            let again = #"{"name":"fixed","metricName":"m","condition":"gt","threshold":1}"#
            let wrong = #"{"name":"a","metricName":"m","condition":"over","threshold":1}"#
            for (method, target, body, code, text) in [
                ("POST", "/v1/alerts", again, "alertExists", "there is an alert \"fixed\" already"),
                ("POST", "/v1/alerts", wrong, "invalidAlert", "\"condition\" is \"over\""),
                ("POST", "/v1/alerts", "[]", "wrongBody", "expected an object"),
                ("DELETE", "/v1/alerts/fixed", "", "invalidAlert", "configuration"),
                ("DELETE", "/v1/alerts/fixde", "", "notFound", "did you mean \"fixed\"?"),
                ("POST", "/v1/alerts/other/enable", "", "notFound", "no alert \"other\""),
            ] {
                let error = await refusal {
                    try client.send(method, target, body: Array(body.utf8))
                }
                #expect(error?.code == code)
                #expect(error?.exitStatus == 65)
                #expect(error?.message.contains(text) == true, "\(error?.message ?? "none")")
            }
        }
    }
}
