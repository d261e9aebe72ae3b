// ReloadBench.swift — how long it takes from a renamed-in file to the first answer of the new code, under load.

import CLinux
import Glibc
import NocturneCore
import NocturneHost
import Synchronization

struct ReloadBench {
    let isQuick: Bool

    func run() async throws {
        let floor = processStart()
        Bench.report("floor.process-start.p50", floor, "ms")
        let host = try await BenchHost()
        try await measure(host, "reload.c", try c(host, id: "bench-1", state: false), floor)
        try await measure(host, "reload.c.stateful", try c(host, id: "bench-2", state: true), floor)
        try await measure(host, "reload.swift.stateful", try swift(host), floor)
        await host.end()
    }

    /// A plugin in two builds that can be told apart.
    private struct Subject {
        let id: PluginID
        let files: [String]
        /// A tool for the load.
        let tool: String
        let input: JSONValue
        /// Asks the plugin itself which of the two answers.
        let answering: (PluginManager) async throws -> Int
    }

    private func c(_ host: BenchHost, id: PluginID, state: Bool) throws -> Subject {
        let files = try ["a", "b"].map { label in
            try host.build(id: "\(id)", version: "1.0.0", label: label, state: state)
        }
        return Subject(id: id, files: files, tool: "\(id)", input: ["n": 1]) { manager in
            try await manager.call("\(id)-label") == "b" ? 1 : 0
        }
    }

    /// The sample greeter, and the same with another version in its manifest.
    private func swift(_ host: BenchHost) throws -> Subject {
        let files = ["a", "b"].map { "\(host.root)/built/greeter-\($0).so" }
        let greeter = ".build/samples/greeter.so"
        let edit = #"s/"version":"1.0.0"/"version":"1.0.1"/"#
        guard host.run("cp \(greeter) '\(files[0])'") == 0,
            host.run("sed '\(edit)' \(greeter) > '\(files[1])'") == 0
        else { throw BenchError("no \(greeter): run `Scripts/build-samples .build/samples` first") }
        let input: JSONValue = ["name": "Ada"]
        return Subject(id: "greeter", files: files, tool: "greet", input: input) { manager in
            let serves = await manager.plugin("greeter")?.version == "1.0.1" ? 1 : 0
            _ = try await manager.call("greet", input)
            return serves
        }
    }

    private func measure(
        _ host: BenchHost, _ name: String, _ subject: Subject, _ floor: Double
    ) async throws {
        let rounds = isQuick ? 20 : 200
        try host.drop(subject.files[0], as: "\(subject.id)")
        try await host.enabled(subject.id)
        let load = Load(host.manager, tool: subject.tool, input: subject.input)
        let callers = (0..<2).map { _ in Task { await load.run() } }
        var samples = Samples()
        let gate = GateTimes()
        let token = gate.listen(to: host.manager, of: subject.id)
        defer { token.cancel() }
        for round in 1...rounds {
            try host.prepare(subject.files[round % 2])
            let start = clinux_now()
            rename("\(subject.files[round % 2]).copy", "\(host.root)/plugins/\(subject.id).so")
            while try await subject.answering(host.manager) != round % 2 {
                guard clinux_now() - start < 10_000_000_000 else { throw BenchError("no reload") }
                try await Task.sleep(for: .microseconds(100))
            }
            samples.add(clinux_now() - start)
            // The old generation is retired before the next replacement is measured.
            try await Task.sleep(for: .milliseconds(150))
        }
        load.stop()
        for caller in callers { await caller.value }
        let milliseconds = { (share: Double) in samples.microseconds(share) / 1_000 }
        Bench.report("\(name).p50", milliseconds(0.5), "ms", floor: floor)
        Bench.report("\(name).p99", milliseconds(0.99), "ms", floor: floor)
        if let gate = gate.p99 { Bench.report("\(name).gate.p99", gate, "ms") }
        Bench.report("\(name).longest-call", load.longest, "ms")
        Bench.report("\(name).calls", Double(load.calls), "calls")
        Bench.report("\(name).failed-calls", Double(load.failed), "calls")
    }

    /// What the kernel needs to start a process that ends at once.
    private func processStart() -> Double {
        var samples = Samples()
        for _ in 0..<20 {
            let start = clinux_now()
            var pid: pid_t = 0
            let name = strdup("/bin/true")
            _ = clinux_spawn("/bin/true", [name, nil], [nil], [0, 1, 2], 3, &pid)
            waitpid(pid, nil, 0)
            free(name)
            samples.add(clinux_now() - start)
        }
        return samples.microseconds(0.5) / 1_000
    }
}

/// How long new calls had to wait in each reload of one plugin, as the host's events say.
final class GateTimes: Sendable {
    private let samples = Mutex(Samples())

    /// Listens as long as the token that this returns lives.
    func listen(to manager: PluginManager, of plugin: PluginID) -> EventToken {
        manager.on(.reloaded) { event in
            guard case .reloaded(plugin, _, _, _, _, let parked) = event, parked > 0 else { return }
            self.samples.withLock { $0.add(Int64(parked * 1_000_000)) }
        }
    }

    /// Milliseconds; `nil` if none had to wait.
    var p99: Double? {
        samples.withLock { $0.isEmpty ? nil : $0.microseconds(0.99) / 1_000 }
    }
}

/// Callers that never stop calling, and what became of their calls.
final class Load: Sendable {
    private struct State {
        var calls = 0
        var failed = 0
        var longest: Int64 = 0
        var isStopped = false
    }
    private let state = Mutex(State())
    private let manager: PluginManager
    private let tool: String, input: JSONValue

    init(_ manager: PluginManager, tool: String, input: JSONValue) {
        self.manager = manager
        self.tool = tool
        self.input = input
    }

    func run() async {
        while !state.withLock({ $0.isStopped }) {
            let start = clinux_now()
            var hasFailed = false
            do {
                _ = try await manager.call(tool, input)
            } catch {
                hasFailed = true
                complain("failed call: \(error)")
            }
            let taken = clinux_now() - start
            state.withLock { state in
                state.calls += 1
                state.failed += hasFailed ? 1 : 0
                state.longest = max(state.longest, taken)
            }
            try? await Task.sleep(for: .microseconds(500))
        }
    }

    func stop() { state.withLock { $0.isStopped = true } }
    var calls: Int { state.withLock { $0.calls } }
    var failed: Int { state.withLock { $0.failed } }
    /// Milliseconds.
    var longest: Double { state.withLock { Double($0.longest) / 1e6 } }
}
