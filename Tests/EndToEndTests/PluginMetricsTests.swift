// PluginMetricsTests.swift — what plugins measure gets to a collector: all of it, whatever becomes of their processes,
// and nothing that cannot be. Next: PluginExporterTests.swift.

import Glibc
import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct PluginMetricsTests {
    /// A host with a collector that has `fixtures`.
    private func run(
        _ fixtures: [String], _ body: (HostHarness, RecordingSink) async throws -> Void
    ) async throws {
        try await HostHarness.run { harness in
            let sink = RecordingSink()
            harness.host.setMetricsSink(sink)
            for fixture in fixtures {
                try harness.drop(fixture)
                try await harness.status(fixture, .enabled)
            }
            try await body(harness, sink)
        }
    }

    @Test func `what several threads record is counted, to the last one`() async throws {
        try await run(["measures"]) { harness, sink in
            _ = try await harness.host.call("measures", ["n": 700, "threads": 4])
            harness.host.sampleMetrics()
            let total = try #require(sink.total("measures", "measured.total", "a"))
            #expect((total.whole, total.fraction) == (2_800, 1_400))
            #expect(sink.total("measures", "measured.open")?.whole == 2_800)
            let seconds = try #require(sink.total("measures", "measured.seconds"))
            // 2^k is the upper bound of its bucket, so in the last one of the power below: 64 k - 1.
            let expected = Dictionary(
                uniqueKeysWithValues: (0..<7).map { (Int32(64 * $0 - 1), UInt64(400)) })
            #expect(seconds.positive == expected)
            #expect(seconds.negative == [-1: 2_800])
            #expect(seconds.observed.sum == Double(400 * 127 - 2_800))
            #expect(seconds.observed.range == -1...64)
        }
    }

    @Test func `a sample hands out what came since the one before`() async throws {
        try await run(["measures"]) { harness, sink in
            for round in 1...3 {
                _ = try await harness.host.call("measures", ["n": 7])
                harness.host.sampleMetrics()
                harness.host.sampleMetrics()
                #expect(sink.total("measures", "measured.total", "a")?.whole == Int64(7 * round))
                #expect(sink.total("measures", "measured.seconds")?.count == UInt64(14 * round))
            }
        }
    }

    @Test func `a gauge has the value that was set or moved to last`() async throws {
        try await run(["measures"]) { harness, sink in
            harness.host.sampleMetrics()
            #expect(sink.total("measures", "measured.level")?.level == nil, "never set")
            for (what, number, level) in [("set", 0, 0.0), ("set", 12, 12), ("move", -5, 7)] {
                let input: JSONValue = ["do": .string(what), "n": JSONValue(number)]
                let code = try await harness.host.call("measures", input)
                #expect(code == 0)
                harness.host.sampleMetrics()
                #expect(sink.total("measures", "measured.level")?.level == level)
            }
        }
    }

    @Test func `counts go on over a reload; things that were open end with their process`()
        async throws
    {
        try await run(["measures"]) { harness, sink in
            _ = try await harness.host.call("measures", ["n": 100])
            try harness.drop("measures-b", as: "measures")
            try await harness.eventually("the new build serves and the old one is read") {
                await harness.info("measures")?.version == "1.1.0"
                    && sink.total("measures", "measured.total", "a")?.whole == 100
                    && sink.total("measures", "measured.open")?.whole == 0
            }
            _ = try await harness.host.call("measures", ["n": 11])
            harness.host.sampleMetrics()
            let total = try #require(sink.total("measures", "measured.total", "a"))
            #expect((total.whole, total.fraction, total.declared) == (111, 55.5, 2))
            #expect(sink.total("measures", "measured.open")?.whole == 11)
            #expect(sink.total("measures", "measured.seconds")?.count == 222)
        }
    }

    @Test func `what was recorded up to a crash is there`() async throws {
        try await run(["measures"]) { harness, sink in
            let error = try await harness.failure("measures", ["do": "crash", "n": 70])
            guard case .crashed = error else { throw error }
            try await harness.eventually("its last words are read") {
                sink.total("measures", "measured.total", "a")?.whole == 70
                    && sink.total("measures", "measured.seconds")?.count == 140
                    && sink.total("measures", "measured.level")?.level == 7
            }
            try await harness.status("measures", .enabled)
            _ = try await harness.host.call("measures", ["n": 1])
            harness.host.sampleMetrics()
            #expect(sink.total("measures", "measured.total", "a")?.whole == 71)
        }
    }

    @Test func `what is not allowed comes back as an error and changes nothing`() async throws {
        try await run(["measures"]) { harness, sink in
            // -EINVAL is -22, -ENOSPC -28, -EMSGSIZE -90; the negative handle is given back.
            let codes: JSONValue = [
                -22, -22, -22, -22, -22, -22, -22, -22, -22, -22, -28, -22, -22, -90, -22,
            ]
            let came = try await harness.host.call("measures", ["do": "misuse"])
            #expect(came == codes)
            harness.host.sampleMetrics()
            #expect(sink.total("measures", "measured.total", "a")?.whole == 0)
            #expect(sink.total("measures", "measured.level")?.level == nil)
            #expect(sink.total("measures", "measured.seconds")?.count == 0)
            #expect(sink.seriesCount == 4)
        }
    }

    @Test func `a plugin has 1,024 series, and the ones that it has go on when it wants more`()
        async throws
    {
        try await run(["measures"]) { harness, sink in
            let made = try await harness.host.call("measures", ["do": "many", "n": 1_020])
            #expect(made == [1_020, 1_024, 1])
            let more = try await harness.host.call("measures", ["do": "many", "n": 1_021])
            #expect(more == [1_020, -28, 1])
            harness.host.sampleMetrics()
            #expect(sink.seriesCount == 1_024)
            let last = try #require(sink.total("measures", "measured.many", "1019"))
            #expect(last.whole == 2 * 1_020)
            try await harness.eventually("the log says why") {
                try await harness.host.logs(of: "measures").contains {
                    $0.message.contains("measured.many") && $0.message.contains("1024 series")
                }
            }
        }
    }

    @Test func `a plugin is told when nobody measures, and when its series is not taken`()
        async throws
    {
        try await HostHarness.run(["measures"]) { harness in
            // -ENOSYS is -38, -EEXIST -17.
            let codes = try await harness.host.call("measures", ["do": "codes"])
            #expect(codes == [-38, -38, -38, -38])
            #expect(try await harness.host.call("measures", ["n": 3]) == [:], "it works without")
            #expect(try await harness.host.call("measures", ["do": "read"]) == -38)
            let sink = RecordingSink()
            sink.refuse(.taken("it is a gauge of somebody else's"))
            harness.host.setMetricsSink(sink)
            _ = try await harness.host.reload("measures")
            #expect(
                try await harness.host.call("measures", ["do": "codes"]) == [-17, -17, -17, -17])
            try await harness.eventually("the log says why") {
                try await harness.host.logs(of: "measures").contains {
                    $0.message.contains("measured.level")
                        && $0.message.contains("somebody else's")
                }
            }
        }
    }

    @Test func `a plugin reads its own metrics`() async throws {
        try await run(["measures"]) { harness, _ in
            let all = try await harness.host.call("measures", ["do": "read"])
            #expect(
                all == ["measured.level", "measured.open", "measured.seconds", "measured.total"])
            let one = try await harness.host.call(
                "measures", ["do": "read", "name": "measured.open"])
            #expect(one == ["measured.open"])
            // -ENOENT is -2.
            #expect(
                try await harness.host.call("measures", ["do": "read", "name": "none"]) == -2)
        }
    }

    @Test(arguments: ["fall", "negative", "huge", "nan", "directory", "all"])
    func `a plugin that writes all over its slab counts nothing that cannot be`(
        how: String
    ) async throws {
        try await run(["scribbles"]) { harness, sink in
            harness.host.sampleMetrics()
            let before = try #require(sink.total("scribbles", "scribbled.total"))
            #expect(before.whole == 5_566_778_899)
            #expect(try await harness.host.call("scribbles", ["how": .string(how)]) == true)
            harness.host.sampleMetrics()
            harness.host.sampleMetrics()
            let after = try #require(sink.total("scribbles", "scribbled.total"))
            #expect((after.whole, after.fraction) == (before.whole, 0))
            #expect(sink.total("scribbles", "scribbled.level")?.level == 1)
            let seconds = try #require(sink.total("scribbles", "scribbled.seconds"))
            #expect(seconds.count == 1 && seconds.observed.sum == 1)
            let lies = harness.host.measurements().first { $0.plugin == "scribbles" }?.metricLies
            #expect(lies ?? 0 > 0)
            // What is right again counts again.
            if how == "fall" {
                _ = try await harness.host.call("scribbles", ["how": "right"])
                harness.host.sampleMetrics()
                let right = sink.total("scribbles", "scribbled.total")?.whole
                #expect(right == before.whole + 10)
            }
        }
    }

    @Test func `noise in a slab is bounded, and harms nobody else`() async throws {
        try await run(["scribbles", "measures"]) { harness, sink in
            var last: Int64 = 0
            for seed in 1...20 {
                _ = try await harness.host.call(
                    "scribbles", ["how": "noise", "seed": JSONValue(seed)])
                harness.host.sampleMetrics()
                let total = try #require(sink.total("scribbles", "scribbled.total"))
                #expect(total.whole >= last && total.whole <= 1 << 53 && total.fraction.isFinite)
                last = total.whole
                let seconds = try #require(sink.total("scribbles", "scribbled.seconds"))
                #expect(seconds.positive.count + seconds.negative.count <= 64 * 64)
                #expect(seconds.positive.values.allSatisfy { $0 <= 1 << 53 })
                #expect(seconds.observed.sum.isFinite)
            }
            _ = try await harness.host.call("measures", ["n": 5])
            harness.host.sampleMetrics()
            #expect(sink.total("measures", "measured.total", "a")?.whole == 5)
        }
    }

    @Test
    func `a plugin that measures nothing costs no memory file, and one that has ended leaves none`()
        async throws
    {
        try await HostHarness.run(isAlone: true) { harness in
            let sink = RecordingSink()
            harness.host.setMetricsSink(sink)
            func slabs() -> Int {
                let maps = (try? readFile("/proc/self/maps")) ?? []
                return String(decoding: maps, as: UTF8.self).split(separator: "\n")
                    .count { $0.contains("memfd:nocturne-metrics") }
            }
            try harness.drop("payload")
            try await harness.status("payload", .enabled)
            #expect(slabs() == 0)
            try harness.drop("measures")
            try await harness.status("measures", .enabled)
            #expect(slabs() == 1)
            _ = try await harness.host.disable("measures")
            try await harness.eventually("its memory is given back") { slabs() == 0 }
        }
    }
}
