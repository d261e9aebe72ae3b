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
