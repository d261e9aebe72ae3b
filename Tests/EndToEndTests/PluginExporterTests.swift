// PluginExporterTests.swift — exporters of plugins, as an engine calls them: what they make, and how they fail. Next:
// PluginMeasurementTests.swift.

import Glibc
import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct PluginExporterTests {
    private func export(
        _ name: String, _ input: String = "{}", in harness: HostHarness,
        of plugin: PluginID = "exports", timeLeft: Duration = .seconds(5)
    ) async throws -> PluginEngineCallEnd {
        let place = try #require(await harness.host.caller.waitForPlace(in: plugin))
        return await place.call(
            PluginEngineCall(
                kind: .exporter, name: name, input: Array(input.utf8), timeLeft: timeLeft,
                stopGrace: .milliseconds(500)))
    }

    private func pid(_ harness: HostHarness) async throws -> Int64 {
        try await harness.number("exports", "pid")
    }

    @Test(.enabled(if: getenv("NOCTURNE_SAMPLES") != nil, "needs Scripts/build-samples"))
    func `the samples measure and export as their READMEs say`() async throws {
        let samples = try String(cString: #require(getenv("NOCTURNE_SAMPLES")))
        try await HostHarness.run { harness in
            let sink = RecordingSink()
            harness.host.setMetricsSink(sink)
            try harness.drop(file: "\(samples)/word-count-a.so", as: "word-count")
            try harness.drop(file: "\(samples)/graphite.so", as: "graphite")
            try await harness.status("word-count", .enabled)
            try await harness.status("graphite", .enabled)
            _ = try await harness.host.call("count", ["text": "to be or not to be\n"])
            harness.host.sampleMetrics()
            #expect(sink.total("word-count", "words.counted")?.whole == 6)
            #expect(sink.total("word-count", "words.text_size")?.observed.sum == 19)

            let snapshot = """
                {"time": 1700000000123, "metrics": [
                 {"name": "words.counted", "kind": "counter", "help": "", "series": [
                  {"labels": {"plugin": "word-count"}, "created": 0, "value": 9007199254740993}]},
                 {"name": "a b", "kind": "histogram", "help": "", "series": [
                  {"labels": {"x;": "~1=", "e": "", "b": "2"}, "count": 2, "sum": 0.5, "p50": 0.25, "max": "+Inf"}]}]}
                """
            let exported = try await export("graphite", snapshot, in: harness, of: "graphite")
            guard case .completed(let bytes) = exported else {
                Issue.record("\(exported)")
                return
            }
            #expect(
                String(decoding: bytes, as: UTF8.self) == """
                    nocturne.words.counted;plugin=word-count 9007199254740993 1700000000
                    nocturne.a_b.count;b=2;x_=_1_ 2 1700000000
                    nocturne.a_b.sum;b=2;x_=_1_ 0.5 1700000000
                    nocturne.a_b.p50;b=2;x_=_1_ 0.25 1700000000

                    """)
            harness.host.sampleMetrics()
            #expect(sink.total("graphite", "graphite.lines")?.whole == 4)
        }
    }

    @Test func `the host tells which exporters there are, and what they make`() async throws {
        try await HostHarness.run(["exports"]) { harness in
            let exporters = harness.host.exporters
            #expect(
                exporters.map(\.name)
                    == ["crashes", "fails", "good", "hangs", "large", "later", "polite"])
            let good = try #require(exporters.first { $0.name == "good" })
            #expect(good.plugin == "exports" && good.contentType == "text/x-test" && !good.isPush)
            #expect(exporters.filter(\.isPush).map(\.name) == ["polite"])
            let info = try #require(await harness.info("exports"))
            #expect(info.exporters.count == 7 && info.inactive.isEmpty)
            _ = try await harness.host.disable("exports")
            #expect(harness.host.exporters.isEmpty)
        }
    }

    @Test func `bytes go in and bytes come out, up to 16 MiB`() async throws {
        try await HostHarness.run(["exports"]) { harness in
            #expect(
                try await export("good", "metrics", in: harness)
                    == .completed(Array("<metrics>".utf8)))
            let large = String(repeating: "m", count: 16 << 20)
            guard case .failed(let why, false) = try await export("good", large, in: harness) else {
                Issue.record("its result is two bytes over the limit")
                return
            }
            #expect(why.contains("exports"))
            guard case .completed(let bytes) = try await export("large", large, in: harness) else {
                Issue.record("16 MiB both ways")
                return
            }
            #expect(bytes.count == 16 << 20)
            guard case .failed(let why, false) = try await export("good", large + "m", in: harness)
            else {
                Issue.record("a byte over the limit goes in")
                return
            }
            #expect(why.contains("16777217") && why.contains("16777216"))
        }
    }

    @Test func `an exporter that fails says so, and one that is not there is not called`()
        async throws
    {
        try await HostHarness.run(["exports"]) { harness in
            let pid = try await pid(harness)
            for (name, says, isRetryable) in [
                ("fails", "no export today", false), ("later", "not yet", true),
            ] {
                guard case .failed(let why, isRetryable) = try await export(name, in: harness)
                else {
                    Issue.record("\(name) does not fail so")
                    continue
                }
                #expect(why.contains(says) && why.contains("exports"))
            }
            guard case .withdrawn(let why) = try await export("nobody", in: harness) else {
                Issue.record("there is no such exporter")
                return
            }
            #expect(why.contains("exporter"))
            #expect(try await self.pid(harness) == pid, "the same process serves on")
        }
    }

    @Test
    func
        `an exporter that is slow is stopped, one that hangs is killed, and the place is free again`()
        async throws
    {
        try await HostHarness.run(["exports"]) { harness in
            let task = Task { try await export("polite", in: harness, timeLeft: .seconds(60)) }
            try await harness.eventually("it runs") {
                harness.host.measurements().first { $0.plugin == "exports" }?.inFlight == 1
            }
            let pid = try await pid(harness)
            task.cancel()
            #expect(try await task.value == .cancelled)
            #expect(try await self.pid(harness) == pid)
            guard
                case .timedOut(let why) = try await export(
                    "hangs", in: harness, timeLeft: .milliseconds(200))
            else {
                Issue.record("it hangs")
                return
            }
            #expect(why.contains("200 ms") && why.contains("hangs"))
            try await harness.status("exports", .enabled)
            #expect(
                try await export("good", "again", in: harness) == .completed(Array("<again>".utf8)))
        }
    }

    @Test func `an exporter that crashes is named, and the next export finds the next process`()
        async throws
    {
        try await HostHarness.run(["exports"]) { harness in
            guard case .crashed(let why) = try await export("crashes", in: harness) else {
                Issue.record("it crashes")
                return
            }
            #expect(why.contains("exports") && why.contains("SIGABRT"))
            #expect(
                try await export("good", "again", in: harness) == .completed(Array("<again>".utf8)))
        }
    }
}
