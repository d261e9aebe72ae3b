// SessionSimulationTests.swift — ten thousand schedules of everything that can go wrong. Next: SessionCoreTests.swift.

import NocturneCore
import Testing

@testable import NocturneCoordination

struct SessionSimulationTests {
    /// 16 parts of 640 schedules.
    private static let parts = 0..<16
    private static let partSize: UInt64 = 640

    @Test(arguments: parts)
    func `no work is lost, none is accepted twice, and every session ends`(part: Int) throws {
        let first = UInt64(part) * Self.partSize
        for seed in first..<first + Self.partSize {
            var simulation = try SessionSimulation.random(seed: seed)
            simulation.run()
            // An execution that was refused, because nobody could do it, has no end.
            let wasRefused = !simulation.log.contains {
                if case .execute = $0.0 { true } else { false }
            }
            let violations = wasRefused ? [] : simulation.violations
            #expect(violations.isEmpty, "seed \(seed)")
            if !violations.isEmpty { return }
        }
    }

    @Test func `the same seed is the same run, and a replay of the log has the same effects`()
        throws
    {
        for seed in UInt64(20_000)..<20_120 {
            var first = try SessionSimulation.random(seed: seed)
            first.run()
            var second = try SessionSimulation.random(seed: seed)
            second.run()
            try #require(first.effects == second.effects, "seed \(seed)")

            var replayed = try SessionCore(first.core.setup, catalog: .builtIn)
            for (index, (input, time)) in first.log.enumerated() {
                let effects = try replayed.apply(input, at: time)
                try #require(effects == first.effects[index], "seed \(seed), input \(index)")
            }
        }
    }

    @Test func `the schedules come to all kinds of ends`() throws {
        var names: Set<String> = []
        for seed in UInt64(30_000)..<30_150 {
            var simulation = try SessionSimulation.random(seed: seed)
            simulation.run()
            if let outcome = simulation.outcome { names.insert(outcome.status.name) }
        }
        #expect(
            names.isSuperset(of: ["completed", "partial", "failed", "cancelled", "budgetExhausted"])
        )
    }
}
