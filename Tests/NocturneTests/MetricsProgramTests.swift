// MetricsProgramTests.swift — `nocturne-plugins metrics` as people and scripts use it: the program, a real control
// server, and metrics whose time stands still. Next: MetricsServer.swift.

import Glibc
import Nocturne
import TestKit
import Testing

@testable import nocturne_plugins

@Suite struct MetricsProgramTests {
    @Test func `list is a table, empty or not, and JSON`() async throws {
        try await MetricsServer.run { server in
            #expect(try await server.command("list") == "no metrics\n")
            let metrics = server.metrics
            let hits = try metrics.makeCounter(
                "api.requests", labels: ["a": "1"], help: "Requests\u{1B}[2J.", unit: "requests")
            hits.increment(1_234_567)
            metrics.increment("api.requests", 0.25, labels: ["a": "2"])
            metrics.gauge("room.heat", .nan)
            let list = try await server.command("list")
            #expect(
                list == """
                    NAME          KIND     SERIES  VALUE      UNIT      HELP
                    api.requests  counter  2       1234567.2  requests  Requests\\u{1B}[2J.
                    room.heat     gauge    1       NaN        -         \(try help("room.heat", server))

                    """)
            let json = try JSONParser.parse(try await server.command("list", "--json"))
            #expect(json.array?.map { $0["value"] } == [1_234_567.25, "NaN"])
        }
    }

    /// Metrics always have a help; what it is when nobody gave one is the collector's matter.
    private func help(_ name: String, _ server: MetricsServer) throws -> String {
        try #require(server.metrics.snapshot().metrics.first { $0.name == name }).help
    }

    @Test func `get shows what came to what, with the bounds of percentiles`() async throws {
        try await MetricsServer.run { server in
            for value in 1...1_000 {
                server.metrics.histogram("t", Double(value) / 1_000, labels: ["at": "a=b"])
            }
            let text = try await server.command("get", "t", "--label", "at=a=b")
            let lines = text.split(separator: "\n").map(String.init)
            #expect(lines.contains("count       1000"), "\(text)")
            #expect(lines.contains("sum         500.5"))
            #expect(lines.contains("mean        0.5005"))
            #expect(lines.contains("least       0.001"))
            #expect(lines.contains("greatest    1"))
            let median = try #require(lines.first { $0.hasPrefix("p50 ") })
            let numbers = median.split { !"0123456789.".contains($0) }.compactMap { Double($0) }
            // After "50": the estimate and its bounds, with half a percent of error.
            #expect(numbers.count == 4 && numbers[2] <= 0.5 && 0.5 <= numbers[3], "\(median)")
            #expect(abs(numbers[1] - 0.5) < 0.0055 * 0.5)
            let other = try await server.command("get", "t", "--label", "at=c", "--from", "-15m")
            #expect(other.contains("series      0\n"))
        }
    }

    @Test func `series draws a line and a table, in ASCII where the locale is not UTF-8`()
        async throws
    {
        try await MetricsServer.run { server in
            for value in [0.0, 7, 3.5] {
                server.metrics.gauge("level", value, labels: ["tank": "a"])
                await server.metrics.flush()
                server.clock.advance(by: .seconds(10))
            }
            server.metrics.gauge("level", 7, labels: ["tank": "a"])
            let unicode = try await server.result(["series", "level"], with: ["LC_ALL=C.UTF-8"])
            #expect(
                unicode.output == """
                    level{tank="a"}
                    ▁█▅█  0 to 7
                    TIME                      VALUE  LEAST  GREATEST
                    2025-06-15T15:06:40.000Z  0      0      0
                    2025-06-15T15:06:50.000Z  7      7      7
                    2025-06-15T15:07:00.000Z  3.5    3.5    3.5
                    2025-06-15T15:07:10.000Z  7      7      7

                    """, "\(unicode.errors)")
            for variables in [["LC_ALL=C"], ["LC_ALL=", "LC_CTYPE=POSIX", "LANG=C.UTF-8"]] {
                let ascii = try await server.result(["series", "level"], with: variables)
                #expect(ascii.output.contains("\n_#=#  0 to 7\n"), "\(ascii.output)")
            }
            let json = try await server.command("series", "level", "--step", "1h", "--json")
            #expect(try JSONParser.parse(json).array?.first?["step"] == 3_600_000)
        }
    }

    @Test func `a counter is drawn as its rate`() async throws {
        try await MetricsServer.run { server in
            for amount in [5.0, 20, 40] {
                server.metrics.increment("hits", amount)
                await server.metrics.flush()
                server.clock.advance(by: .seconds(10))
            }
            let text = try await server.result(["series", "hits"], with: ["LC_ALL=C"]).output
            // 5 at once, then 20 and 40 in 10 s each, then nothing in 10 s.
            #expect(text.contains("\n=#_  0 to 4 per second\n"), "\(text)")
            #expect(text.contains("Z  25     20        2\n"), "\(text)")
        }
    }

    @Test func `export prints or writes each format`() async throws {
        try await MetricsServer.run { server in
            server.metrics.increment("hits", 3)
            #expect(try await server.command("export").contains("\nhits_total 3\n"))
            let openMetrics = try await server.command("export", "--format", "openmetrics")
            #expect(openMetrics.hasSuffix("# EOF\n"))
            #expect(try await server.command("export", "--format", "csv").contains("\r\n"))
            let json = try JSONParser.parse(try await server.command("export", "--json"))
            #expect(json["metrics"]?.array?.count == 1)
            let file = server.directory + "/metrics.prom"
            #expect(try await server.command("export", "-o", file) == "")
            #expect(
                try String(decoding: Terminal.read(file), as: UTF8.self).contains("hits_total 3"))
            let nowhere = try await server.result(["export", "-o", server.directory + "/no/file"])
            #expect(nowhere.status == 70)
            #expect(nowhere.errors.contains("cannot be written: No such file or directory"))
            let unknown = try await server.result(["export", "--format", "jsno"])
            #expect(unknown.status == 65)
            #expect(unknown.errors.contains("did you mean \"json\"?"), "\(unknown.errors)")
        }
    }

    @Test func `an unknown metric is met with those that may be meant, also as JSON`() async throws
    {
        try await MetricsServer.run { server in
            server.metrics.increment("api.requests")
            let text = try await server.result(["get", "api.request"])
            #expect(text.status == 65)
            #expect(
                text.errors == "nocturne-plugins: there is no metric \"api.request\": "
                    + "did you mean \"api.requests\"?\n")
            let json = try await server.result(["remove", "api.request", "--json"])
            #expect(json.status == 65)
            #expect(try JSONParser.parse(json.errors)["error"]?["code"] == "notFound")
            let removed = try await server.command("remove", "api.requests")
            #expect(removed == "api.requests: removed\n")
            #expect(try await server.command("list") == "no metrics\n")
        }
    }

    @Test func `an alert is added, listed, silenced, switched and removed`() async throws {
        try await MetricsServer.run { server in
            let added = try await server.command(
                "alerts", "add", "slow", "--metric", "t", "--label", "at=a", "--percentile", "0.99",
                "--window", "5m", "--gt", "-0.5", "--clear", "-1", "--for", "10s", "--by", "path",
                "--severity", "critical")
            let condition = #"p99 of t{at="a"} over 5m > -0.5 for 10s by path"#
            #expect(added == "slow: inactive (\(condition)); critical\n")
            _ = try await server.command(
                "alerts", "add", "gone", "--metric", "m", "--absent", "90s")
            for path in ["/a", "/b"] {
                server.metrics.histogram("t", 2, labels: ["at": "a", "path": path])
            }
            await server.metrics.flush()
            server.clock.advance(by: .seconds(10))
            await server.metrics.flush()
            let list = try await server.command("alerts").split(separator: "\n").map(String.init)
            #expect(list.count == 3)
            #expect(
                list[0].split(separator: " ") == [
                    "NAME", "STATE", "WHEN", "VALUE", "SINCE", "NOTE",
                ])
            #expect(list[1].hasPrefix("slow  firing    \(condition)  "), "\(list[1])")
            #expect(
                list[1].hasSuffix("  2025-06-15T15:06:50.000Z  2 groups, critical"), "\(list[1])")
            #expect(list[2].hasPrefix("gone  inactive  no m for 90s "))
            let silent = try await server.command("alerts", "silence", "slow", "--for", "1h")
            #expect(silent.contains("silent until 2025-06-15T16:06:50.000Z"), "\(silent)")
            #expect(!(try await server.command("alerts", "unsilence", "slow")).contains("silent"))
            let off = try await server.command("alerts", "disable", "slow", "--json")
            #expect(try JSONParser.parse(off)["state"] == "disabled")
            #expect(
                try await server.command("alerts", "enable", "slow").hasPrefix("slow: inactive"))
            #expect(try await server.command("alerts", "remove", "slow") == "slow: removed\n")
            let again = try await server.result(["alerts", "remove", "slow"])
            #expect(again.status == 65)
        }
    }

    @Test func `stats says what was recorded wrongly`() async throws {
        try await MetricsServer.run { server in
            _ = try server.metrics.makeCounter("hits")
            server.metrics.increment("hits", -1)
            await server.metrics.flush()
            let text = try await server.command("stats")
            #expect(text.contains("metrics     1\n"), "\(text)")
            #expect(text.contains("misuse      "), "\(text)")
            #expect(text.contains("flushes     1, the last one in 0 ms\n"), "\(text)")
        }
    }

    @Test func `what makes no sense is refused before anything is sent`() throws {
        let add = ["alerts", "add", "a", "--metric", "m"]
        for (words, text) in [
            (["get", ""], "The metric's name is empty"),
            (["get", "a", "--label", "b"], "A label is written name=value"), (add, "--gt, --gte"),
            (add + ["--gt", "1", "--lt", "2"], "--gt, --gte"),
            (add + ["--gt", "1", "--absent", "5m"], "--absent compares nothing"),
            (
                add + ["--gt", "1", "--percentile", "0.5"],
                "--percentile and --window belong together"
            ),
            (add + ["--gt", "1", "--rate", "5m", "--absent", "1m"], "exclude each other"),
            (["alerts", "silence", "a"], "either with --for or with --until"),
        ] {
            let result = try Program.run(["metrics"] + words)
            #expect(result.status == 64)
            #expect(result.errors.contains(text), "\(result.errors)")
        }
    }

    @Test func `watch goes on with what is recorded until a signal ends it`() async throws {
        try await MetricsServer.run { server in
            server.metrics.gauge("level", 1)
            let file = server.directory + "/watched"
            let descriptor = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
            defer { close(descriptor) }
            let words = ["metrics", "watch", "level", "--json", "--socket", server.socket]
            let pid = try Program.start(words, saying: descriptor)
            let all = { @Sendable in try String(decoding: Terminal.read(file), as: UTF8.self) }
            try await eventually("the first value is told") { try all().contains(#""value":1"#) }
            server.metrics.gauge("level", 2.5)
            try await eventually("the second value is told") { try all().contains(#""value":2.5"#) }
            #expect(kill(pid, SIGINT) == 0)
            #expect(try await blocking { Program.end(of: pid) } == nil)
        }
    }

    @Test func `watch draws over what it has drawn on a terminal`() async throws {
        try await MetricsServer.run { server in
            server.metrics.gauge("level", 1)
            server.metrics.increment("hits")
            var (terminal, other) = (Int32(-1), Int32(-1))
            #expect(openpty(&terminal, &other, nil, nil, nil) == 0)
            for descriptor in [terminal, other] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
            defer {
                close(terminal)
                close(other)
            }
            let (screen, program) = (terminal, other)
            let pid = try Program.start(
                ["metrics", "watch", "--socket", server.socket], saying: program)
            let text = try await blocking {
                var bytes: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 4_096)
                // Two looks: the second one goes up three lines, the heading and two metrics.
                while !String(decoding: bytes, as: UTF8.self).contains("\u{1B}[3A") {
                    let count = read(screen, &buffer, buffer.count)
                    guard count > 0 else { break }
                    bytes += buffer[..<count]
                }
                return String(decoding: bytes, as: UTF8.self)
            }
            #expect(text.contains("METRIC  NOW  SINCE -15m"), "\(text)")
            #expect(text.contains("\u{1B}[3A"), "\(text)")
            #expect(kill(pid, SIGTERM) == 0)
            #expect(try await blocking { Program.end(of: pid) } == nil)
        }
    }
}
