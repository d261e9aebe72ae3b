// AlertRuleTests.swift — rules as JSON: what is read, what is refused and in which words.

import NocturneCore
import Testing

@testable import NocturneMetrics

@Suite struct AlertRuleTests {
    private func rule(_ text: String) throws -> AlertRule {
        try AlertRule(json: try JSONParser.parse(text))
    }

    /// The seed's fields with one more or another.
    private func problem(_ change: String) throws -> String {
        var object = try #require(
            try JSONParser.parse(#"{"name":"a","metricName":"m","condition":"gt","threshold":1}"#)
                .object)
        for (key, value) in try #require(try JSONParser.parse("{\(change)}").object) {
            object[key] = value
        }
        do {
            _ = try AlertRule(json: .object(object))
            return "nothing"
        } catch {
            return error.description
        }
    }

    @Test func `the seed's example is read as it stands there`() throws {
        let rule = try rule(
            """
            {"name": "high-error-rate", "metricName": "api.errors", "condition": "gt",
             "threshold": 100, "duration": 60000, "enabled": true}
            """)
        #expect(rule == .errors(for: 60))
        #expect(
            String(decoding: rule.json.serialized(), as: UTF8.self)
                == #"{"name":"high-error-rate","metricName":"api.errors","condition":"gt","threshold":100.0,"#
                + #""duration":60000,"enabled":true}"#)
    }

    @Test(
        arguments: [
            #"{"name":"a","metricName":"m","condition":"lte","threshold":-0.5,"source":{"rate":"5m"}}"#,
            #"{"name":"a","metricName":"m","source":{"absence":"90s"},"labels":{"b":"1"}}"#,
            #"""
            {"name":"a \"b\" é","metricName":"m.n","condition":"gte","threshold":1e300,"duration":"1h",
             "enabled":false,"source":{"window":1500,"percentile":0.999},"labels":{"x":"\u0000\n","y":""},
             "by":["b","a"],"keepFiringFor":"5m","clearThreshold":3,"noData":"keep","message":"Slow",
             "severity":"critical","annotations":{"runbook":"https://example.org/a?b"}}
            """#,
        ])
    func `what a rule is written as is read as the same rule`(text: String) throws {
        let rule = try rule(text)
        let written = String(decoding: rule.json.serialized(), as: UTF8.self)
        #expect(try self.rule(written) == rule)
    }

    @Test func `all of a rule is read`() throws {
        let rule = try rule(
            """
            {"name": "a", "metricName": "m", "condition": "lt", "threshold": 5, "duration": "1m",
             "source": {"percentile": 0.9, "window": "10m"}, "labels": {"k": "v"}, "by": ["p", "q"],
             "keepFiringFor": 250, "clearThreshold": 7, "noData": "alert", "message": "M",
             "severity": "s", "annotations": {"x": "y"}, "enabled": null}
            """)
        let wanted = AlertRule(
            name: "a", metricName: "m", condition: .lt, threshold: 5, duration: .seconds(60),
            source: .percentile(0.9, window: .seconds(600)), labels: ["k": "v"], by: ["p", "q"],
            keepFiringFor: .milliseconds(250), clearThreshold: 7, noData: .alert, message: "M",
            severity: "s", annotations: ["x": "y"])
        #expect(rule == wanted)
    }

    @Test func `mistakes name the field, what was found and what is allowed`() throws {
        #expect(
            try problem(#""condition": "above""#)
                == #"the alert "a": "condition" is "above"; expected one of gt, gte, lt, lte, eq, neq"#
        )
        #expect(
            try problem(#""threshold": "1""#)
                == #"the alert "a": "threshold" is "1"; expected a number"#)
        #expect(
            try problem(#""threshold": null"#)
                == #"the alert "a": "threshold" is null; expected a number"#)
        #expect(
            try problem(#""threshold": 1e999"#)
                == #"the alert "a": "threshold" is inf; expected a finite number"#)
        #expect(
            try problem(#""duration": "1 m""#)
                == #"the alert "a": "duration" is "1 m"; expected milliseconds as a whole number, "#
                + #"or a text such as "250ms", "10s" or "1h""#)
        #expect(
            try problem(#""duration": -1"#)
                == #"the alert "a": "duration" is -1ms; expected 0 to 366d"#)
        #expect(
            try problem(#""keepFiringFor": "367d""#)
                == #"the alert "a": "keepFiringFor" is 367d; expected 0 to 366d"#)
        #expect(
            try problem(#""clearThreshold": 2"#)
                == #"the alert "a": "clearThreshold" is 2; expected at most the threshold, 1"#)
        #expect(
            try problem(#""clearThreshold": 1, "condition": "eq""#)
                == #"the alert "a": "clearThreshold" is there; expected none with eq"#)
        #expect(
            try problem(#""noData": "nodata""#)
                == #"the alert "a": "noData" is "nodata"; expected one of ok, alert, keep"#)
        #expect(
            try problem(#""by": "path""#)
                == #"the alert "a": "by" is "path"; expected an array of texts"#)
        #expect(
            try problem(#""by": ["p", "p"]"#) == #"the alert "a": "by" has "p" twice"#)
        #expect(
            try problem(#""by": ["le"]"#)
                == #"the alert "a": "by" has "le": `le` and `quantile` are reserved"#)
        #expect(
            try problem(#""labels": {"k": 1}"#)
                == #"the alert "a": "labels" is an object; expected an object whose values are texts"#
        )
        #expect(
            try problem(#""metricName": "5xx""#)
                == #"the alert "a": "metricName" is "5xx": it must begin with a letter or _"#)
        #expect(
            try problem(#""name": "a\nb""#)
                == #"the alert "a\u{A}b": "name" is "a\u{A}b"; expected one line without control characters"#
        )
        #expect(
            try problem(#""name": """#)
                == #"the alert "": "name" has 0 bytes; expected 1 to 200"#)
        #expect(
            try problem(#""treshold": 5"#).contains(#"unknown key "treshold"; known are name, "#))
    }

    @Test func `sources are one of four`() throws {
        for wrong in [
            "5", #""rate""#, "{}", #"{"rate": "fast"}"#, #"{"rate": "5m", "window": "5m"}"#,
            #"{"percentile": 0.5}"#, #"{"percentile": "p99", "window": "5m"}"#,
        ] {
            #expect(
                try problem(#""source": \#(wrong)"#).contains(
                    #"expected "value", {"rate": WINDOW}, {"percentile": PART, "window": WINDOW} or "#
                ),
                "\(wrong)")
        }
        #expect(try problem(#""source": "value""#) == "nothing")
        #expect(
            try problem(#""source": {"percentile": 1.5, "window": "5m"}"#)
                .hasSuffix(#""percentile" is 1.5; expected a number from 0 to 1"#))
        #expect(
            try problem(#""source": {"rate": 0}"#)
                .hasSuffix(#"the window of "source" is 0ms; expected 1ms to 366d"#))
        #expect(
            try problem(#""source": {"absence": "5m"}"#)
                .hasSuffix(#""condition" is "gt"; expected nothing with an absence"#))
    }

    @Test func `limits are held at their last value and not one past it`() throws {
        func check(_ change: (inout AlertRule) -> Void) -> Bool {
            (try? AlertRule.errors(change: change).check()) != nil
        }
        func text(_ count: Int) -> String { String(repeating: "x", count: count) }
        func texts(_ count: Int) -> [String: String] {
            Dictionary(uniqueKeysWithValues: (0..<count).map { ("k\($0)", "v") })
        }
        for past in 0...1 {
            let isRight = past == 0
            #expect(check { $0.name = text(200 + past) } == isRight)
            #expect(check { $0.message = text(1_024 + past) } == isRight)
            #expect(check { $0.severity = text(200 + past) } == isRight)
            #expect(check { $0.annotations = texts(16 + past) } == isRight)
            #expect(check { $0.annotations = ["k": text(1_024 + past)] } == isRight)
            #expect(check { $0.labels = Labels(texts(32 + past)) } == isRight)
            #expect(check { $0.labels = ["k": text(1_024 + past)] } == isRight)
            #expect(check { $0.by = texts(8 + past).keys.sorted() } == isRight)
            #expect(check { $0.duration = AlertRule.longest + .milliseconds(past) } == isRight)
            #expect(check { $0.duration = .milliseconds(-past) } == isRight)
            #expect(check { $0.source = .rate(window: .milliseconds(1 - past)) } == isRight)
            #expect(check { $0.clearThreshold = 100 + Double(past) } == isRight)
        }
        #expect(!check { $0.threshold = .nan })
        #expect(!check { $0.clearThreshold = -.infinity })
        #expect(!check { $0.source = .percentile(.nan, window: .seconds(1)) })
    }

    @Test func `a list has each name once`() throws {
        let one = #"{"name":"a","metricName":"m","condition":"gt","threshold":1}"#
        func list(_ text: String) throws -> [AlertRule] {
            try AlertRule.list(json: try JSONParser.parse(text))
        }
        #expect(try list("[]") == [])
        #expect(try list("[\(one)]").map(\.name) == ["a"])
        #expect(throws: MetricsError.alertExists("a")) { try list("[\(one),\(one)]") }
        #expect(throws: MetricsError.invalidOption("\"alerts\"", "an array of alerts")) {
            try list(one)
        }
        let many = (0...1_000).map {
            #"{"name":"\#($0)","metricName":"m","source":{"absence":"5m"}}"#
        }.joined(separator: ",")
        #expect(throws: MetricsError.invalidOption("\"alerts\"", "an array of at most 1000 alerts"))
        {
            try list("[\(many)]")
        }
    }

    @Test func `random JSON is read or refused and never more`() throws {
        var random = SystemRandomNumberGenerator()
        let words = [
            "name", "metricName", "condition", "threshold", "source", "rate", "gt", "5m", "by",
            "percentile", "window", "absence", "duration", "labels", "a",
        ]
        func value(_ depth: Int) -> JSONValue {
            switch Int.random(in: 0..<(depth > 2 ? 4 : 6), using: &random) {
            case 0: .null
            case 1: .bool(.random(using: &random))
            case 2: JSONValue(Int64.random(in: -5...5, using: &random))
            case 3: .string(words.randomElement(using: &random) ?? "")
            case 4: .array((0..<2).map { _ in value(depth + 1) })
            default:
                .object(
                    JSONObject(
                        (0..<6).map { _ in
                            (words.randomElement(using: &random) ?? "", value(depth + 1))
                        }))
            }
        }
        for _ in 0..<2_000 {
            var object = value(0).object ?? [:]
            object["name"] = "a"
            object["metricName"] = "m"
            guard let rule = try? AlertRule(json: .object(object)) else { continue }
            #expect(try AlertRule(json: rule.json) == rule)
        }
    }
}
