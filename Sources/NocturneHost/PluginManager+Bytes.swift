// PluginManager+Bytes.swift — calls whose payload is bytes, not JSON: nothing is parsed on the way. For benchmarks now,
// for typed functions later.

import CLinux
import CWire
import NocturneCore

extension PluginManager {
    /// The thread that hears the workers' doorbells: a task that runs on it is resumed without a second wake-up.
    package nonisolated var callExecutor: some TaskExecutor { state.reactor }

    /// Calls a tool with bytes as they are. Neither they nor the result are checked.
    package nonisolated func callBytes(
        _ tool: String, _ input: [UInt8]
    ) async throws(CallError) -> [UInt8] {
        try await router.callBytes(tool, input)
    }

    /// The same for a thread that may block; never from a task.
    package nonisolated func callBytesBlocking(
        _ tool: String, _ input: [UInt8]
    ) throws(CallError) -> [UInt8] {
        try router.callBytesBlocking(tool, input)
    }
}

extension Router {
    fileprivate func callBytes(_ name: String, _ input: [UInt8]) async throws(CallError) -> [UInt8]
    {
        guard let entry = registry.entry(.tool, name) else {
            throw .unknownTool(name: name, kind: ContributionKind.tool.rawValue)
        }
        let milliseconds = entry.generation.deadlineMilliseconds
        let deadline = clinux_now() + Int64(milliseconds) * 1_000_000
        let generation: Generation
        if let entered = entry.gate.enterAtOnce() {
            generation = entered
        } else {
            generation = try await enter(entry.gate, deadline, entry.plugin, name, milliseconds)
        }
        defer { entry.gate.leave(generation) }
        let call = try wireCall(entry, generation, name, deadline, milliseconds)
        let outcome = await generation.worker.link.call(call, input)
        return try Self.result(of: outcome, entry.plugin, name, milliseconds, entry.contribution)
    }

    fileprivate func callBytesBlocking(
        _ name: String, _ input: [UInt8]
    ) throws(CallError) -> [UInt8] {
        guard let entry = registry.entry(.tool, name) else {
            throw .unknownTool(name: name, kind: ContributionKind.tool.rawValue)
        }
        let milliseconds = entry.generation.deadlineMilliseconds
        let deadline = clinux_now() + Int64(milliseconds) * 1_000_000
        guard let generation = entry.gate.enterAtOnce() else {
            throw .busy(entry.plugin, waiting: 0)
        }
        defer { entry.gate.leave(generation) }
        let call = try wireCall(entry, generation, name, deadline, milliseconds)
        let outcome = generation.worker.link.callBlocking(call, input)
        return try Self.result(of: outcome, entry.plugin, name, milliseconds, entry.contribution)
    }

    private func wireCall(
        _ entry: Registry.Entry, _ generation: Generation, _ name: String, _ deadline: Int64,
        _ milliseconds: Int
    ) throws(CallError) -> WireCall {
        let contribution =
            generation === entry.generation
            ? entry.contribution : generation.contribution(.tool, name)
        guard let contribution else {
            throw .gone(entry.plugin, name: name)
        }
        return WireCall(
            kind: WIRE_CALL_TOOL, target: contribution.index, name: name, deadline: deadline,
            milliseconds: milliseconds)
    }
}
