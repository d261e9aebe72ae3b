// ScaleTests.swift — large and hopeless directories end soon, measured in steps: the machine does not matter. Small
// enough for a debug build; `nocturne-bench resolver` has ten to a hundred times as many.

import Testing

import NocturneCore
import NocturneResolver

@Suite struct ScaleTests {
    /// `count` plugins, each depending on those that `needs` names, in any version.
    private func plugins(
        _ count: Int, needs: (Int) -> [Int] = { _ in [] }
    ) throws -> [Candidate] {
        let ids = try (0...count).map { try PluginID("p\($0)") }
        return (0..<count).map { number in
            var one = Candidate(ids[number], SemanticVersion(1, 0, 0), label: "\(number)")
            for other in needs(number) { one.dependencies[ids[other]] = .any }
            return one
        }
    }

    private func answer(_ candidates: [Candidate]) -> Resolution {
        Resolver.resolve(ResolveRequest(candidates, for: testHost))
    }

    @Test(arguments: [250, 2_500])
    func `a tree takes at most two steps for each plugin`(size: Int) throws {
        let tree = try plugins(size) { number in
            [2 * number + 1, 2 * number + 2].filter { $0 < size }
        }
        let resolution = answer(tree)
        #expect(resolution.chosen.count == size)
        // A binary tree has as many layers as its size has bits.
        #expect(resolution.order.count == Int.bitWidth - size.leadingZeroBitCount)
        #expect(resolution.steps <= 2 * size)
    }

    @Test func `4,000 plugins that need nothing take no step`() throws {
        let resolution = answer(try plugins(4_000))
        #expect(resolution.chosen.count == 4_000)
        #expect(resolution.order.count == 1)
        #expect(resolution.steps == 0)
    }

    @Test func `of 10,000 versions the newest is chosen at once`() throws {
        let id: PluginID = "many"
        let resolution = answer(
            (1...10_000).map {
                Candidate(id, SemanticVersion(VersionNumber(UInt64($0)), 0, 0), label: "\($0)")
            })
        #expect(resolution.chosen.map(\.version) == [SemanticVersion(10_000, 0, 0)])
        #expect(resolution.rejected.count == 9_999)
        #expect(resolution.steps == 0)
    }

    @Test func `a chain of 2,000 starts one after the other`() throws {
        let resolution = answer(try plugins(2_000) { $0 < 1_999 ? [$0 + 1] : [] })
        #expect(resolution.order.count == 2_000)
        #expect(resolution.order.first == ["p1999"])
        #expect(resolution.steps <= 4_000)
    }

    @Test func `a chain of 200 that ends nowhere is told for each, on a page`() throws {
        let request = ResolveRequest(try plugins(200) { [$0 + 1] }, for: testHost)
        let resolution = resolve(request)
        #expect(resolution.leftOut.count == 200)
        #expect(resolution.leftOut.allSatisfy { $0.reason == .missing || $0.reason == .dependency })
        #expect(resolution.leftOut.allSatisfy { $0.text.utf8.count < 4_096 })
        #expect(resolution.steps <= 200 * 20)
    }

    @Test func `a ring of 500 is told in a few names`() throws {
        let request = ResolveRequest(try plugins(500) { [($0 + 1) % 500] }, for: testHost)
        let resolution = Resolver.resolve(request)
        #expect(resolution.leftOut.count == 500)
        #expect(resolution.leftOut.allSatisfy { $0.reason == .cycle })
        let first = try #require(resolution.leftOut.first)
        #expect(first.text.utf8.count < 1_000)
        #expect(first.proof.map { ProofChecker($0, of: request).faults } == [])
        #expect(resolution.steps <= 500 * 20)
    }

    @Test func `plugins that need themselves stay out, and nobody else does`() throws {
        let resolution = answer(try plugins(400) { $0 % 2 == 0 ? [$0] : [] })
        #expect(resolution.chosen.count == 200)
        #expect(resolution.leftOut.count == 200)
        #expect(resolution.leftOut.allSatisfy { $0.reason == .cycle })
    }

    @Test func `where 8 want one version and 12 another, the 12 are loaded`() throws {
        var candidates = try plugins(21) { $0 > 0 ? [0] : [] }
        for number in 1...20 {
            candidates[number].dependencies["p0"] = try VersionRange(
                number <= 8 ? "=1.0.0" : "=2.0.0")
        }
        candidates.append(Candidate("p0", SemanticVersion(2, 0, 0), label: "new"))
        let resolution = resolve(ResolveRequest(candidates, for: testHost))
        #expect(resolution.chosen.count == 13)
        #expect(resolution.leftOut.allSatisfy { $0.proof != nil })
    }

    @Test func `a hopeless directory ends within its budget, and still loads something`() throws {
        var random = SeededGenerator(seed: 1)
        let ids = try (0..<40).map { try PluginID("p\($0)") }
        var candidates: [Candidate] = []
        for number in 0..<40 {
            for version in 1...10 {
                var one = Candidate(
                    ids[number], SemanticVersion(VersionNumber(UInt64(version)), 0, 0),
                    label: "\(number)-\(version)")
                for _ in 0..<3 where number < 39 {
                    let low = 1 + random.below(10)
                    let high = low + 1 + random.below(11 - low)
                    one.dependencies[ids[number + 1 + random.below(39 - number)]] =
                        try VersionRange(">=\(low).0.0, <\(high).0.0")
                }
                candidates.append(one)
            }
        }
        var request = ResolveRequest(candidates, for: testHost)
        request.stepBudget = 8_000
        let resolution = resolve(request)
        #expect(!resolution.isProvenLargest)
        #expect(resolution.chosen.count > 5)
        // Twice the budget, and the conflict at its end.
        #expect(resolution.steps < 3 * request.stepBudget)
    }
}
