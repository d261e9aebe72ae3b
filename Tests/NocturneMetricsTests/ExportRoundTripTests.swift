// ExportRoundTripTests.swift — JSON gives back what it was made of, CSV is read as it was meant. Next:
// ExportValidatorTests.swift.

import NocturneCore
import Testing

@testable import NocturneMetrics

@Suite struct ExportRoundTripTests {
    private static let time = UnixTime(milliseconds: 1_700_000_000_123)

    private func metric(
        _ kind: MetricKind, unit: String? = nil, labels: Labels = [:], _ value: SeriesValue
    ) -> MetricSnapshot {
        MetricSnapshot(
            name: "a.b", kind: kind, help: "Help.", unit: unit,
            series: [
                SeriesSnapshot(
                    identity: SeriesIdentity(labels: labels), created: Self.time, value: value)
            ])
    }

    private func text(_ metrics: [MetricSnapshot], as format: ExportFormat) -> String {
        String(decoding: Exposition.render(metrics, as: format, at: Self.time), as: UTF8.self)
    }

    // MARK: - JSON

    @Test(arguments: Array(UInt64(1)...10))
    func `what is read from JSON is what was exported, to the last bit`(seed: UInt64) throws {
        var random = RandomSnapshots(seed: seed)
        let metrics = random.make(30)
        let (read, time) = try Exposition.read(
            Exposition.render(metrics, as: .json, at: Self.time))
        #expect(time == Self.time)
        #expect(read.count == metrics.count)
        for (read, metric) in zip(read, metrics) {
            #expect(Labels.isSame(read.name, metric.name) && Labels.isSame(read.help, metric.help))
            #expect(read.kind == metric.kind && read.unit == metric.unit)
            #expect(read.series.map(\.identity) == metric.series.map(\.identity))
            #expect(read.series.map(\.created) == metric.series.map(\.created))
            for (read, series) in zip(read.series, metric.series) {
                #expect(isSame(read.value, series.value), "\(read.value) is not \(series.value)")
            }
        }
    }

    /// NaN is not equal to itself, and one zero is equal to the other.
    private func isSame(_ left: SeriesValue, _ right: SeriesValue) -> Bool {
        func isSame(_ left: Double, _ right: Double) -> Bool {
            left.isNaN ? right.isNaN : left.bitPattern == right.bitPattern
        }
        switch (left, right) {
        case (.amount(let left), .amount(let right)): return left == right
        case (.level(let left), .level(let right)): return isSame(left, right)
        case (.distribution(var left), .distribution(var right)):
            guard isSame(left.sum, right.sum) else { return false }
            (left.sum, right.sum) = (0, 0)
            return left == right
        default: return false
        }
    }

    @Test func `JSON has the fields that are documented`() throws {
        let sketch = Sketch(scale: 0, positive: [.init(index: 0, count: 3)], zeros: 1)
        let histogram = Distribution(
            count: 4, sum: 6, range: 0...2, sketch: sketch, bounds: [1.5], boundCounts: [1, 3])
        let document = try JSONParser.parse(
            text(
                [metric(.histogram, unit: "s", labels: ["x": "\"\0"], .distribution(histogram))],
                as: .json))
        // Of scale 0 the bucket is (1, 2]; the estimate is 2/(1/1 + 1/2), which is 4/3, and so is the error 1/3.
        let estimate = JSONValue(2 / (1 + 1 / 2.0)) ?? nil
        let series: JSONValue = [
            "labels": ["x": "\"\0"], "created": 1_700_000_000_123, "count": 4, "sum": 6,
            "min": 0, "max": 2, "p50": estimate, "p90": estimate, "p95": estimate,
            "p99": estimate, "p999": estimate, "relativeError": JSONValue(1 / 3.0) ?? nil,
            "bounds": [1.5], "boundCounts": [1, 3],
            "sketch": ["scale": 0, "zeros": 1, "positive": [[0, 3]], "negative": []],
        ]
        let expected: JSONValue = [
            "time": 1_700_000_000_123,
            "metrics": [
                [
                    "name": "a.b", "kind": "histogram", "help": "Help.", "unit": "s",
                    "series": [series],
                ]
            ],
        ]
        #expect(document == expected)
    }

    @Test func `whole numbers keep their digits, and what is not finite is a string`() {
        let big = metric(.counter, .amount(Amount(whole: 9_007_199_254_740_993)))
        #expect(text([big], as: .json).contains("\"value\":9007199254740993}"))
        #expect(
            text([metric(.gauge, .level(-.infinity))], as: .json).contains("\"value\":\"-Inf\"}"))
        let both = metric(.upDownCounter, .amount(Amount(whole: .max, fraction: 0.5)))
        #expect(
            text([both], as: .json).contains(
                "\"value\":9.223372036854776e+18,\"whole\":9223372036854775807,\"fraction\":0.5}"))
    }

    @Test(arguments: [
        ("", "not JSON"), ("[]", "metrics must be an array"),
        ("{\"metrics\":[]}", "time must be a whole number"),
        (#"{"time":0,"metrics":[{"kind":"x"}]}"#, "metrics[0].kind must be one of counter"),
        (
            #"{"time":0,"metrics":[{"kind":"gauge","name":"1","help":"","series":[]}]}"#,
            "must begin"
        ),
        (series("gauge", #""labels":{"le":"1"},"created":0,"value":1"#), "reserved"),
        (
            series("gauge", #""labels":{"a":1},"created":0,"value":1"#),
            "series[0].labels must be an object of strings"
        ),
        (
            series("gauge", #""labels":{},"created":0,"value":"1""#),
            "series[0].value must be a number"
        ),
        (
            series("counter", #""labels":{},"created":0,"value":9223372036854775808"#),
            "value must be a whole"
        ),
        (
            series("summary", #""labels":{},"created":0,"count":-1,"sum":0"#),
            "count must be a whole number from 0"
        ),
        (series("summary", distribution + #","min":1,"max":0"#), "max must be at least min"),
        (
            series("summary", distribution + #","min":"NaN","max":"NaN""#),
            "max must be at least min"
        ),
        (
            series("histogram", distribution + #","bounds":[2,1],"boundCounts":[0,0,0]"#),
            "bounds must be rising"
        ),
        (
            series("histogram", distribution + #","bounds":[1],"boundCounts":[0]"#),
            "boundCounts must be"
        ),
        (
            series("summary", distribution + #","sketch":{"scale":7}"#),
            "sketch.scale must be from -10 to 6"
        ),
        (
            series("summary", sketch("[[2,1],[2,1]]")),
            "sketch.positive must be pairs of a rising index"
        ),
        (series("summary", sketch("[[1,0]]")), "a count that is not 0"),
        (series("summary", sketch("[[2147483648,1]]")), "pairs of a rising index"),
        (series("summary", sketch("[1]")), "pairs of a rising index"),
        // At scale 0 there are buckets for 2^-1022 to 2^1024.
        (series("summary", sketch("[[-2147483648,1]]")), "of a number"),
        (series("summary", sketch("[[1024,1]]")), "of a number"),
    ])
    func `what is no export is refused, and it is said where`(json: String, problem: String) {
        let error = #expect(throws: MetricsError.self) { try Exposition.read(Array(json.utf8)) }
        #expect(
            "\(error.map { "\($0)" } ?? "")".contains(problem), "\(error.map { "\($0)" } ?? "")")
    }

    private static let distribution = #""labels":{},"created":0,"count":0,"sum":0"#

    private static func sketch(_ positive: String) -> String {
        distribution + #","sketch":{"scale":0,"zeros":0,"negative":[],"positive":\#(positive)}"#
    }

    private static func series(_ kind: String, _ fields: String) -> String {
        #"{"time":0,"metrics":[{"kind":"\#(kind)","name":"a","help":"h","series":[{\#(fields)}]}]}"#
    }

    // MARK: - CSV

    @Test func `CSV has a row for each number, in the columns of its header`() {
        let window = Sketch(scale: 0, positive: [], zeros: 1)
        let summary = Distribution(count: 1, sum: 0, range: 0...0, sketch: window, window: window)
        let start = "2023-11-14T22:13:20.123Z,a.b,summary,s,\"{\"\"x\"\":\"\"1,2\"\"}\","
        let fields = [
            "count,1", "sum,0", "min,0", "max,0", "p50,0", "p90,0", "p95,0", "p99,0", "p999,0",
        ]
        #expect(
            text(
                [metric(.summary, unit: "s", labels: ["x": "1,2"], .distribution(summary))],
                as: .csv)
                == (["time,name,kind,unit,labels,field,value"] + fields.map { start + $0 })
                .map { $0 + "\r\n" }.joined())
    }

    @Test func `CSV has declared bounds, and numbers as spreadsheets know them`() {
        let histogram = Distribution(
            count: 3, sum: .infinity, bounds: [-0.5, 10], boundCounts: [1, 1, 1])
        let rows = text([metric(.histogram, .distribution(histogram))], as: .csv).split(
            separator: "\r\n")
        #expect(
            rows.dropFirst().map {
                $0.dropFirst("2023-11-14T22:13:20.123Z,a.b,histogram,,{},".count)
            } == [
                "count,3", "sum,Inf", "le -0.5,1", "le 10,2",
            ])
    }

    @Test(arguments: ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\0x"])
    func
        `a text that a spreadsheet would run is put behind an apostrophe, unless that is switched off`(
            unit: String
        )
    {
        let metrics = [metric(.gauge, unit: unit, .level(-5))]
        let quoted = unit.contains("\r") ? "\"'\(unit)\"" : "'\(unit)"
        #expect(text(metrics, as: .csv).contains(",gauge,\(quoted),{},value,-5\r\n"))
        let plain = Exposition.csv(metrics, at: Self.time, spreadsheetSafe: false)
        #expect(!String(decoding: plain, as: UTF8.self).contains("'"))
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (951_782_400_001, "2000-02-29T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"), (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        (.max, "9223372036854775807"),
    ])
    func `CSV has times of RFC 3339`(milliseconds: Int64, expected: String) {
        let csv = Exposition.csv(
            [metric(.gauge, .level(1))], at: UnixTime(milliseconds: milliseconds))
        #expect(
            String(decoding: csv, as: UTF8.self).split(separator: "\r\n")[1].hasPrefix(
                expected + ","))
    }

    @Test(
        .enabled(if: Validator.shell("PYTHON -c 'import csv, json'", "").status == 0),
        arguments: [UInt64(1), 2])
    func `Python's reader of CSV gets back names, labels and values`(seed: UInt64) throws {
        var random = RandomSnapshots(seed: seed)
        let metrics = random.make(30)
        let script = """
            import csv, io, json, sys
            rows = csv.reader(io.StringIO(sys.stdin.buffer.read().decode(), newline=""), strict=True)
            print(json.dumps([r[1:4] + [json.loads(r[4])] + r[5:] for r in rows if r[0] != "time"]))
            """
        let csv = Exposition.csv(metrics, at: Self.time, spreadsheetSafe: false)
        let (status, output) = Validator.shell("PYTHON -c '\(script)'", csv)
        #expect(status == 0, "\(output)")
        let rows = try #require(JSONParser.parse(output).array)
        for metric in metrics {
            for series in metric.series {
                let labels = JSONObject(
                    series.identity.labels.sorted.map { ($0.name, .string($0.value)) })
                let own = rows.filter { $0[0] == .string(metric.name) && $0[3] == .object(labels) }
                #expect(
                    own.allSatisfy { $0.array?.count == 6 && $0[2] == .string(metric.unit ?? "") })
                let value = own.first { $0[4] == "value" || $0[4] == "count" }?[5]?.string
                switch series.value {
                case .amount(let amount) where amount.fraction == 0:
                    #expect(value == "\(amount.whole)")
                case .amount(let amount): #expect(value.flatMap(Double.init) == amount.value)
                case .level(let level):
                    #expect(
                        level.isNaN || value.flatMap(Double.init)?.bitPattern == level.bitPattern)
                case .distribution(let distribution): #expect(value == "\(distribution.count)")
                }
            }
        }
    }
}
