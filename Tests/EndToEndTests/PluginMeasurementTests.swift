// PluginMeasurementTests.swift — what the host counts of its plugins, against what was done to them.

import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct PluginMeasurementTests {
    private func measured(_ id: PluginID, _ harness: HostHarness) throws -> PluginMeasurement {
        try #require(harness.host.measurements().first { $0.plugin == id })
    }

    @Test func `calls are counted by how they ended, and how long they took`() async throws {
        try await HostHarness.run(["slow", "fails"]) { harness in
            for _ in 0..<3 { _ = try await harness.host.call("slow", ["n": 30]) }
            for _ in 0..<2 { _ = try await harness.failure("fails") }
            let slow = try measured("slow", harness), fails = try measured("fails", harness)
            #expect(slow.calls == 3 && slow.failures.isEmpty && slow.latency.count == 3)
            // 30 ms and more lie above the bucket of 2^-6 s = 15.6 ms.
            #expect(slow.latency.buckets.allSatisfy { $0.index >= -6 << slow.latency.scale })
            #expect(slow.latency.seconds >= 0.09 && slow.latency.seconds < 60)
            #expect(fails.calls == 2 && fails.failures == ["failed": 2])
            let info = try #require(await harness.info("fails"))
            #expect(info.calls == 2 && info.errors == 2)
        }
    }

    @Test func `what runs and what waits is seen while it does`() async throws {
        try await HostHarness.run(["slow"]) { harness in
            let calls = (0..<3).map { _ in
                Task { try await harness.host.call("slow", ["n": 400]) }
            }
            try await harness.eventually("one runs, two wait") {
                let slow = try measured("slow", harness)
                return slow.inFlight == 1 && slow.waiting == 2
            }
            let bytes = try #require(try measured("slow", harness).residentBytes)
            #expect(bytes > 100_000 && bytes < 1 << 30)
            for call in calls { _ = try await call.value }
            let slow = try measured("slow", harness)
            #expect((slow.inFlight, slow.waiting) == (0, 0) && slow.latency.count == 3)
        }
    }

    @Test func `crashes, restarts and reloads are counted over generations`() async throws {
        try await HostHarness.run(["crash-call", "counting"]) { harness in
            _ = try await harness.failure("crash-call")
            try await harness.eventually("it is started again") {
                try measured("crash-call", harness).restarts == 1
            }
            let crashed = try measured("crash-call", harness)
            #expect(crashed.crashes == 1)
            #expect(crashed.failures == ["crashed": 1] && crashed.denials == 0)
            try harness.drop("counting-b", as: "counting")
            try await harness.eventually("the reload is counted") {
                try measured("counting", harness).reloads == 1
            }
            let reloaded = try measured("counting", harness)
            #expect(reloaded.reloadSeconds > 0.000_1 && reloaded.reloadSeconds < 30)
            #expect(reloaded.crashes == 0)
        }
    }

    @Test func `what was dropped is counted`() async throws {
        try await HostHarness.run(["event-flood", "log-flood"]) { harness in
            _ = try? await harness.host.call("event-flood")
            _ = try? await harness.host.call("log-flood")
            try await harness.eventually("drops are counted") {
                let events = try measured("event-flood", harness)
                let log = try measured("log-flood", harness)
                return events.eventsDropped + events.recordsDropped > 0
                    && log.logLinesDropped + log.recordsDropped > 0
            }
        }
    }
}
