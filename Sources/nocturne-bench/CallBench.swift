// CallBench.swift — what a sandboxed call costs, beside the bare floors.

import CLinux
import NocturneCore
import NocturneHost

struct CallBench {
    let isQuick: Bool
    private static let bytes = [UInt8](repeating: 0x31, count: 64)

    func run() async throws {
        let floor = Floor()
        let spinFloor = floor.sharedMemory(rounds: isQuick ? 20_000 : 200_000)
        defer { floor.end() }
        Bench.report("floor.shared-memory.p50", spinFloor, "us")

        let host = try await BenchHost()
        defer { Task { await host.end() } }
        try host.drop(try host.build(id: "bench-1", version: "1.0.0"), as: "bench-1")
        try host.drop(
            try host.build(id: "bench-16", version: "1.0.0", concurrency: 16), as: "bench-16")
        try await host.enabled("bench-1")
        try await host.enabled("bench-16")
        let manager = host.manager
        try await spinning(manager, spinFloor)
        try await asleep(manager, floor)
        try await tools(manager)
        try await pipelined(manager)
        await host.end()
    }

    private func spinning(_ manager: PluginManager, _ floor: Double) async throws {
        let rounds = isQuick ? 20_000 : 200_000
        let samples = try await onThread {
            var samples = Samples()
            for _ in 0..<rounds {
                let start = clinux_now()
                _ = try manager.callBytesBlocking("bench-1", Self.bytes)
                samples.add(clinux_now() - start)
            }
            return samples
        }
        Bench.report(
            "call.bytes64.spinning.sync.p50", samples.microseconds(0.5), "us", floor: floor)
        Bench.report(
            "call.bytes64.spinning.sync.p99", samples.microseconds(0.99), "us", floor: floor)
        var async = Samples()
        for _ in 0..<rounds {
            let start = clinux_now()
            _ = try await manager.callBytes("bench-1", Self.bytes)
            async.add(clinux_now() - start)
        }
        Bench.report("call.bytes64.spinning.async.p50", async.microseconds(0.5), "us", floor: floor)
        Bench.report(
            "call.bytes64.spinning.async.p99", async.microseconds(0.99), "us", floor: floor)
    }

    /// Floor and call in turn: what a wake-up costs changes from second to second with what else the machine does.
    private func asleep(_ manager: PluginManager, _ pipes: Floor) async throws {
        let rounds = isQuick ? 500 : 5_000
        let (bare, samples) = try await withTaskExecutorPreference(manager.callExecutor) {
            var bare = Samples(), samples = Samples()
            for _ in 0..<rounds {
                Floor.pause()
                bare.add(pipes.pipeRoundTrip())
                Floor.pause()
                let start = clinux_now()
                _ = try await manager.callBytes("bench-1", Self.bytes)
                samples.add(clinux_now() - start)
            }
            return (bare, samples)
        }
        let floor = bare.microseconds(0.5)
        Bench.report("floor.pipe.p50", floor, "us")
        // On a busy machine the median says how busy it is; the fastest tenth compares the two paths.
        Bench.report(
            "call.bytes64.asleep.async.p10", samples.microseconds(0.1), "us",
            floor: bare.microseconds(0.1))
        Bench.report("call.bytes64.asleep.async.p50", samples.microseconds(0.5), "us", floor: floor)
        Bench.report(
            "call.bytes64.asleep.async.p99", samples.microseconds(0.99), "us", floor: floor)
    }

    private func tools(_ manager: PluginManager) async throws {
        let rounds = isQuick ? 5_000 : 50_000
        let input: JSONValue = ["text": "the quick brown fox jumps over the lazy dog"]
        var samples = Samples()
        for _ in 0..<rounds {
            let start = clinux_now()
            _ = try await manager.call("bench-1", input)
            samples.add(clinux_now() - start)
        }
        Bench.report("call.tool.json.p50", samples.microseconds(0.5), "us")
        Bench.report("call.tool.json.p99", samples.microseconds(0.99), "us")
    }

    /// Many callers of one plugin at once.
    private func pipelined(_ manager: PluginManager) async throws {
        let callers = 16
        let each = (isQuick ? 40_000 : 400_000) / callers
        let start = clinux_now()
        try await withThrowingTaskGroup { group in
            for _ in 0..<callers {
                group.addTask {
                    for _ in 0..<each { _ = try await manager.callBytes("bench-16", Self.bytes) }
                }
            }
            try await group.waitForAll()
        }
        let seconds = Double(clinux_now() - start) / 1e9
        Bench.report("call.pipelined", Double(callers * each) / seconds, "calls/s")
    }

    private func onThread(_ body: @escaping @Sendable () throws -> Samples) async throws -> Samples
    {
        try await withCheckedThrowingContinuation { continuation in
            startThread { continuation.resume(with: Result { try body() }) }
        }
    }
}
