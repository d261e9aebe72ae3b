// MetricsTests.swift — what a plugin measures and exports, through the ABI. Next: FakeMetrics.swift.

import CNocturne
import NocturnePlugin
import Testing

extension `Everything that goes through the one plugin of a process`.`Calls` {
    /// Runs a tool that measures, and returns what the host heard of it.
    private func measure(
        services: Bool = true, _ body: @escaping @Sendable (Metrics) throws -> JSON
    ) throws -> (answer: FakeCall.Answer?, said: [String]) {
        FakeMetrics.clear()
        let plugin = Plugin(tools: ["m": Tool { _, call in try body(call.host.metrics) }])
        let answer = try EnteredPlugin(plugin, services: services).call("m").first
        return (answer, FakeMetrics.said)
    }

    @Test func `a series is declared once, with all that is said of it, and then recorded into`()
        throws
    {
        let (answer, said) = try measure { metrics in
            for _ in 0..<2 {
                let pages = metrics.counter(
                    "pages", ["kind": "a", "where": "é"], help: "Pages.", unit: "pages")
                pages.add()
                pages.add(2.5)
            }
            metrics.upDownCounter("open").add(-3)
            metrics.gauge("level").set(7)
            metrics.gauge("level").add(1)
            metrics.histogram("seconds").observe(0.5)
            metrics.histogram("seconds").observe(.milliseconds(1_250))
            return nil
        }
        #expect(answer?.status == NOCTURNE_OK)
        #expect(
            said == [
                "0 pages kind=a where=é Pages./pages", "add 1.0", "add 2.5", "add 1.0", "add 2.5",
                "1 open /", "add -3.0", "2 level /", "set 7.0", "add 1.0", "3 seconds /",
                "observe 0.5", "observe 1.25",
            ])
    }

    @Test func `labels that only look the same are two series`() throws {
        let (_, said) = try measure { metrics in
            metrics.counter("c", ["v": "\u{E9}"]).add()
            metrics.counter("c", ["v": "e\u{301}"]).add()
            metrics.counter("c", ["va": ""]).add()
            metrics.counter("c").add()
            return nil
        }
        #expect(said.count { $0.hasPrefix("0 c") } == 4)
    }

    @Test func `what the host does not take records nothing, and harms nobody`() throws {
        let (answer, said) = try measure { metrics in
            metrics.counter("taken").add()
            metrics.counter("with \0 in it").add()
            return "fine"
        }
        #expect(answer?.json == "fine" && said == ["0 taken /"])
        let (without, nothing) = try measure(services: false) { metrics in
            metrics.histogram("seconds").observe(1)
            return "fine"
        }
        #expect(without?.json == "fine" && nothing.isEmpty)
    }

    @Test func `a plugin reads what it measured`() throws {
        let (answer, _) = try measure { metrics in
            [
                try metrics.read() ?? nil, try metrics.read("there") ?? nil,
                JSON(try metrics.read("not") == nil),
            ]
        }
        #expect(answer?.json == [[1, 2], [1], true])
        let (without, _) = try measure(services: false) { try $0.read() ?? nil }
        #expect(without?.text.contains(NOCTURNE_HOST_METRICS) == true)
    }

    @Test func `an exporter makes bytes that need not be JSON, or fails`() throws {
        let plugin = try EnteredPlugin(
            Plugin(exporters: [
                "lines": Exporter { snapshot, _ in
                    Array("time \(snapshot["time"]?.integer ?? 0)\n".utf8)
                },
                "slow": Exporter { snapshot, _ async throws in
                    await Task.yield()
                    throw PluginError("nothing to say", retryable: true)
                },
            ]))
        let lines = try plugin.call("lines", #"{"time": 5}"#, in: NOCTURNE_EXPORTERS)
        #expect(lines == [FakeCall.Answer(status: NOCTURNE_OK, text: "time 5\n")])
        let slow = try plugin.call("slow", in: NOCTURNE_EXPORTERS)
        #expect(slow == [FakeCall.Answer(status: NOCTURNE_RETRY, text: "nothing to say")])
    }
}
