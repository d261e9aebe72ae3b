// RandomInstanceTests.swift — the solver against brute force, and against itself in another order.
// Next: ReasonTests.swift.

import Testing

import NocturneCore
import NocturneResolver

@Suite struct RandomInstanceTests {
    /// A taste: `Scripts/brute-force` tries 100,000 in an optimized build.
    private static let instances = 1_000

    @Test func `brute force finds no better set, and all proofs are right`() throws {
        for seed in 0..<Self.instances {
            let fault = try RandomInstances.fault(seed)
            #expect(fault == nil)
            if fault != nil { return }
        }
    }

    @Test func `of what is wanted as much is chosen as can be, and the rest comes along`() throws {
        for seed in 0..<Self.instances {
            let fault = try RandomInstances.faultOfWanted(seed)
            #expect(fault == nil)
            if fault != nil { return }
        }
    }

    @Test func `with any budget the answer is one that works, and what is claimed is so`() throws {
        for seed in 0..<150 {
            var request = try RandomInstances.instance(seed)
            let best = Resolver.resolve(request)
            for budget in [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144] {
                request.stepBudget = budget
                let resolution = resolve(request)
                let ids = Set(request.candidates.map(\.id))
                #expect(Set((resolution.chosen.map(\.id) + resolution.leftOut.map(\.id))) == ids)
                if resolution.isProvenLargest {
                    #expect(resolution.chosen == best.chosen, "seed \(seed), budget \(budget)")
                }
            }
        }
    }

    @Test func `the order of the candidates changes no byte of the answer`() throws {
        for seed in 0..<200 {
            let request = try RandomInstances.instance(seed)
            let answer = "\(Resolver.resolve(request))"
            var random = SeededGenerator(seed: UInt64(seed) &+ 1)
            for _ in 0..<5 {
                var other = request
                other.candidates.shuffle(using: &random)
                let otherAnswer = "\(Resolver.resolve(other))"
                #expect(otherAnswer == answer, "seed \(seed)")
            }
        }
    }
}
