// SolverBench.swift — what it costs to choose among the plugins of a directory: trees, random ones, hard ones and
// large ones. Next: SolverDirectories.swift.

import Glibc
import NocturneCore
import NocturneResolver

struct SolverBench {
    let isQuick: Bool

    private static let environment = HostEnvironment(
        version: SemanticVersion(1, 0, 0), abi: ABIVersion(major: 1, minor: 0))

    func run() throws {
        // Short enough for a busy machine to have a quiet moment, if there are many rounds.
        try row("tree.1k", SolverDirectories.tree(of: 1_000), rounds: isQuick ? 20 : 300)
        try row("tree.10k", SolverDirectories.tree(of: 10_000), rounds: isQuick ? 1 : 3)
        // Dependencies on any later id, with a bound below or above: most plugins fit, not all in their newest version.
        try row("random.500x20", SolverDirectories.random(500, 20, .oneBound), rounds: 3)
        try row(
            "random.500x20.root", SolverDirectories.random(500, 20, .oneBound), rounds: 3,
            hasRoot: true)
        // With both bounds most of them exclude each other: the largest set cannot be found.
        try row("hard.500x20", SolverDirectories.random(500, 20, .twoBounds), rounds: 1)
        if !isQuick {
            try row("random.5kx20", SolverDirectories.random(5_000, 20, .oneBound), rounds: 1)
            try row("random.500x200", SolverDirectories.random(500, 200, .oneBound), rounds: 1)
            try row("alone.100k", SolverDirectories.alone(100_000), rounds: 1)
            try row("tree.100k", SolverDirectories.tree(of: 100_000), rounds: 1)
            try row("versions.10k", SolverDirectories.versions(10_000), rounds: 3)
            try row("chain.100k", SolverDirectories.chain(of: 100_000), rounds: 1)
            try row("broken.2k", SolverDirectories.chain(of: 2_000, isBroken: true), rounds: 1)
            try row("ring.2k", SolverDirectories.ring(of: 2_000), rounds: 1)
        }
        try registry()
    }

    /// Prints the best round, in milliseconds of processor time, since nothing here waits and others may use the
    /// processors too; beside it the time that it takes to look every dependency up and to test one version; and
    /// how many were chosen, if not all were.
    private func row(
        _ name: String, _ candidates: [Candidate], rounds: Int, hasRoot: Bool = false
    ) throws {
        var request = ResolveRequest(candidates, for: Self.environment)
        if hasRoot { request.wanted = [candidates[0].id] }
        var resolution: Resolution?
        let value = milliseconds(rounds) { resolution = Resolver.resolve(request) }
        let floor = milliseconds(rounds) { Self.visit(candidates) }
        Bench.report("resolver.\(name)", value, "ms", floor: floor)
        if let resolution, !resolution.leftOut.isEmpty || !resolution.isProvenLargest {
            Bench.report(
                "resolver.\(name).chosen", Double(resolution.chosen.count),
                resolution.isProvenLargest ? "ids, the most" : "ids, steps spent")
        }
    }

    /// The least that any resolver does.
    private static func visit(_ candidates: [Candidate]) {
        let versions = Dictionary(grouping: candidates, by: \.id)
        var fitting = 0
        for candidate in candidates {
            for (id, range) in candidate.dependencies {
                if let other = versions[id]?.last, range.contains(other.version) { fitting += 1 }
            }
        }
        // Printed nowhere, but the loop must not be left out.
        if fitting < 0 { complain("\(fitting)") }
    }

    private func milliseconds(_ rounds: Int, _ operation: () -> Void) -> Double {
        var best = Double.infinity
        for _ in 0..<rounds {
            let start = Self.processorTime()
            operation()
            best = min(best, Self.processorTime() - start)
        }
        return best
    }

    /// Of this thread, in milliseconds.
    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
    }

    // MARK: - A real registry

    /// Every version of a registry as a root of its own: see `Benchmarks/README.md`.
    private func registry() throws {
        guard let candidates = try PubGrubCase.candidates() else { return }
        var loadable = 0
        let value = milliseconds(isQuick ? 3 : 20) {
            loadable = 0
            var directory = Loadability(ResolveRequest(candidates, for: Self.environment))
            for candidate in candidates {
                if case .loadable = directory.answer(for: candidate) { loadable += 1 }
            }
        }
        let floor = milliseconds(3) { Self.visit(candidates) }
        Bench.report("resolver.registry.\(candidates.count)", value, "ms", floor: floor)
        Bench.report("resolver.registry.loadable", Double(loadable), "roots")
    }
}
