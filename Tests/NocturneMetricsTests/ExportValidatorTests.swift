// ExportValidatorTests.swift — what outside programs say about our exports, and a reader of our own about what they
// do not look at. Next: RandomSnapshots.swift.

import Glibc
import NocturneCore
import Testing

@testable import NocturneMetrics

/// A program that judges an export.
struct Validator: CustomTestStringConvertible {
    let name: String
    /// A shell command that succeeds if the program is there.
    private let probe: String

    /// Prometheus' own.
    static let promtool = Validator(name: "promtool", probe: "command -v promtool")
    /// A Python with the parser of prometheus_client; Debian's package is for its own Python only.
    static let python = Validator(
        name: "prometheus_client", probe: "PYTHON -c 'import prometheus_client.openmetrics.parser'")

    var testDescription: String { name }

    /// The Python to use, for commands that say PYTHON.
    private static let interpreter =
        ["python3", "/usr/bin/python3"].first { name in
            run(python.probe.replacing("PYTHON", with: name), "").status == 0
        } ?? "python3"

    /// Whether it is there, or must be.
    var isWanted: Bool {
        getenv("NOCTURNE_REQUIRE_VALIDATORS").map { String(cString: $0) } == "1"
            || Self.shell(probe, "").status == 0
    }

    /// What a shell command said about an input: 127 if there is no such program.
    static func shell(_ command: String, _ input: String) -> (status: Int32, output: String) {
        shell(command, Array(input.utf8))
    }

    static func shell(_ command: String, _ input: [UInt8]) -> (status: Int32, output: String) {
        run(command.replacing("PYTHON", with: interpreter), input)
    }

    private static func run(_ command: String, _ input: String) -> (status: Int32, output: String) {
        run(command, Array(input.utf8))
    }

    private static func run(_ command: String, _ input: [UInt8]) -> (status: Int32, output: String)
    {
        var path = Array("/tmp/nocturne-export.XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        guard descriptor >= 0 else { return (-1, "mkstemp: \(errno)") }
        let file = path.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        defer { unlink(file) }
        var rest = input[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return (-1, "write: \(errno)") }
            rest = rest.dropFirst(count)
        }
        close(descriptor)
        guard let pipe = popen("{ \(command); } < \(file) 2>&1", "r") else {
            return (-1, "popen: \(errno)")
        }
        var output: [UInt8] = [], part = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&part, 1, part.count, pipe), count > 0 {
            output += part.prefix(count)
        }
        let status = pclose(pipe)
        return ((status >> 8) & 0xFF, String(decoding: output, as: UTF8.self))
    }
}

@Suite struct ExportValidatorTests {
    private static let time = UnixTime(milliseconds: 1_700_000_000_123)
    private static let seeds = Array(UInt64(1)...6)

    private func export(_ seed: UInt64, as format: ExportFormat) -> [UInt8] {
        var random = RandomSnapshots(seed: seed)
        return Exposition.render(random.make(25), as: format, at: Self.time)
    }

    @Test(.enabled(if: Validator.promtool.isWanted), arguments: seeds)
    func `promtool reads whatever is exported`(seed: UInt64) {
        // 3: it would have chosen other names.
        let (status, output) = Validator.shell(
            "promtool check metrics", export(seed, as: .prometheus))
        #expect(status == 0 || status == 3, "\(output)")
    }

    @Test(.enabled(if: Validator.promtool.isWanted))
    func `promtool finds nothing to improve in well named metrics`() {
        let series = SeriesSnapshot(
            identity: SeriesIdentity(labels: ["method": "GET"]), created: Self.time,
            value: .amount(Amount(whole: 3)))
        let metric = MetricSnapshot(
            name: "api.requests", kind: .counter, help: "Requests.", unit: nil, series: [series])
        let text = Exposition.render([metric], as: .prometheus, at: Self.time)
        #expect(Validator.shell("promtool check metrics", text) == (0, ""))
        // And that it would say so.
        #expect(Validator.shell("promtool check metrics", "a{x=\"\"y\"} 1\n").status == 1)
    }

    /// Prints what the parser understood, as `name|labels|value` with labels by their names.
    private static let openMetricsScript = """
        import sys
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
        for family in parse(sys.stdin.buffer.read().decode()):
            for s in family.samples:
                print(ascii((s.name, sorted(s.labels.items()), float(s.value))))
        """

    @Test(.enabled(if: Validator.python.isWanted), arguments: seeds)
    func `Python's parser of OpenMetrics reads whatever is exported`(seed: UInt64) throws {
        let text = export(seed, as: .openMetrics)
        let (status, output) = Validator.shell(
            "PYTHON -c \"$(cat <<'END'\n\(Self.openMetricsScript)\nEND\n)\"", text)
        #expect(status == 0, "\(output)")
        let samples = try TextFormatReader.read(text, isOpenMetrics: true).reduce(0) {
            $0 + $1.samples.count
        }
        #expect(output.split(separator: "\n").count == samples)
    }

    @Test(arguments: seeds, [ExportFormat.prometheus, .openMetrics])
    func `a reader of the grammar gets back each series and each value`(
        seed: UInt64, format: ExportFormat
    ) throws {
        var random = RandomSnapshots(seed: seed)
        let metrics = random.make(25)
        let isOpenMetrics = format == .openMetrics
        let families = try TextFormatReader.read(
            Exposition.render(metrics, as: format, at: Self.time), isOpenMetrics: isOpenMetrics)
        #expect(families.count == metrics.count)
        let names = families.map(\.name)
        #expect(
            zip(names, names.dropFirst()).allSatisfy { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        for metric in metrics {
            var name = MetricName.prometheus(metric.name)
            if metric.kind == .counter {
                if name.hasSuffix("_total") { name.removeLast(6) }
                if !isOpenMetrics { name += "_total" }
            }
            let family = try #require(families.first { $0.name == name })
            #expect(family.help.map { Array($0.utf8) } == Array(metric.help.utf8))
            for series in metric.series {
                let labels = series.identity.labels.sorted.map {
                    (MetricName.prometheusLabel($0.name), $0.value)
                }
                let samples = family.samples.filter { sample in
                    let own = sample.labels.filter { $0.name != "le" && $0.name != "quantile" }
                    return own.count == labels.count
                        && zip(own, labels).allSatisfy {
                            Labels.isSame($0.name, $1.0) && Labels.isSame($0.value, $1.1)
                        }
                }
                expect(samples, say: series.value, in: family)
            }
        }
    }

    private func expect(_ samples: [ReadSample], say expected: SeriesValue, in family: ReadFamily) {
        func value(_ suffix: String) -> String? {
            samples.first { $0.name == family.name + suffix }?.value
        }
        switch expected {
        case .amount(let amount):
            let text = value("") ?? value("_total")
            if amount.fraction == 0 {
                #expect(text == String(amount.whole))
            } else {
                #expect(text.flatMap(Double.init) == amount.value)
            }
        case .level(let level):
            let read = value("").flatMap(Double.init)
            #expect(level.isNaN ? read?.isNaN == true : read?.bitPattern == level.bitPattern)
        case .distribution(let distribution):
            if let sum = value("_sum").flatMap(Double.init) {
                #expect(sum == distribution.sum || sum.isNaN && distribution.sum.isNaN)
            }
            let buckets = samples.filter {
                $0.name.hasSuffix("_bucket") && family.type == "histogram"
            }
            let bounds = buckets.compactMap { $0.label("le").flatMap(Double.init) }
            let counts = buckets.compactMap { UInt64($0.value) }
            #expect(bounds.count == buckets.count && counts.count == buckets.count)
            #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
            #expect(zip(counts, counts.dropFirst()).allSatisfy { $0 <= $1 })
            if family.type == "histogram" {
                #expect(bounds.last == .infinity && counts.last == distribution.count)
                for bound in distribution.bounds { #expect(bounds.contains(bound)) }
            } else {
                #expect(value("_count") == String(distribution.count))
            }
        }
    }
}
