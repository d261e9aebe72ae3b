// RandomInstanceTests.swift — the solver against brute force, and against itself in another order.
// Next: ReasonTests.swift.

import Glibc
import Testing

import NocturneCore
import NocturneResolver

@Suite struct RandomInstanceTests {
    /// Instances of a plain run. `NOCTURNE_RESOLVER_INSTANCES=100000` tries more.
    private static let defaultInstances = 3_000

    private static var instances: Int {
        getenv("NOCTURNE_RESOLVER_INSTANCES").flatMap { Int(String(cString: $0)) }
            ?? defaultInstances
    }

    private static let ranges = [
        "*", "^1.0.0", "^2.0.0", ">=1.1.0", "<2.0.0", "=1.0.0", "^3.0.0", "^2.0.0-rc.1",
    ]
    private static let versions = ["1.0.0", "1.1.0", "2.0.0", "2.0.0-rc.1"]
    private static let ids: [PluginID] = ["a", "b", "c", "d", "e"]
    private static let names: [PluginID] = ["a", "b", "c", "d", "e", "cap", "gone"]

    /// At most five ids of three versions, with everything that a manifest can say.
    static func instance(_ seed: Int) throws -> ResolveRequest {
        var random = SeededGenerator(seed: UInt64(seed))
        let density = 1 + random.below(3)
        var candidates: [Candidate] = []
        for id in ids.prefix(1 + random.below(5)) {
            var versions = versions.shuffled(using: &random)
            versions.removeLast(1 + random.below(3))
            for version in versions {
                var one = Candidate(id, try SemanticVersion(version), label: "\(id)-\(version).so")
                func range() throws -> VersionRange {
                    try VersionRange(ranges[random.below(ranges.count)])
                }
                for name in names where name != id {
                    switch random.below(30 / density) {
                    case 0, 1: one.dependencies[name] = try range()
                    case 2: one.optionalDependencies[name] = try range()
                    case 3: one.conflicts[name] = try range()
                    case 4:
                        one.provides[random.below(2) == 0 ? name : "cap"] = try SemanticVersion(
                            Self.versions[random.below(3)])
                    default: break
                    }
                }
                if random.below(12) == 0 { one.abi = ABIVersion(major: 2, minor: 0) }
                candidates.append(one)
            }
        }
        var request = ResolveRequest(candidates.shuffled(using: &random), for: testHost)
        for id in ids where random.below(5) == 0 {
            request.running[id] = RunningPlugin(SemanticVersion(1, 0, 0))
        }
        for id in ids where random.below(5) == 0 { request.kept.insert(id) }
        return request
    }

    @Test func `brute force finds no better set, and all proofs are right`() throws {
        for seed in 0..<Self.instances {
            let request = try Self.instance(seed)
            let resolution = resolve(request)
            let best = BruteForce(request).best().map { request.candidates[$0].label }
            guard resolution.chosen.map(\.label) == best, resolution.isProvenLargest else {
                Issue.record(
                    "seed \(seed): found \(resolution.chosen.map(\.label)), best is \(best)")
                return
            }
        }
    }

    @Test func `of what is wanted as much is chosen as can be, and the rest comes along`() throws {
        for seed in 0..<Self.instances / 3 {
            var request = try Self.instance(seed)
            var random = SeededGenerator(seed: UInt64(seed) &+ 7)
            let wanted = Set(Self.ids.filter { _ in random.below(2) == 0 })
            request.wanted = wanted
            let resolution = resolve(request)
            let best = BruteForce(request).best().map { request.candidates[$0].label }
            let found = resolution.chosen.filter { wanted.contains($0.id) }.map(\.label)
            guard found == best, resolution.isProvenLargest else {
                Issue.record(
                    "seed \(seed), wanted \(wanted.sorted()): found \(found), best is \(best)")
                return
            }
            // Nothing comes along that nobody names.
            let named = resolution.chosen.flatMap { choice in
                request.candidates.filter { $0.label == choice.label }.flatMap {
                    Array($0.dependencies.keys) + Array($0.optionalDependencies.keys)
                }
            }
            for choice in resolution.chosen where !wanted.contains(choice.id) {
                let provided =
                    request.candidates.first { $0.label == choice.label }?.provides ?? [:]
                #expect(
                    !Set(named).isDisjoint(with: [choice.id] + provided.keys), "seed \(seed)")
            }
        }
    }

    @Test func `with any budget the answer is one that works, and what is claimed is so`() throws {
        for seed in 0..<150 {
            var request = try Self.instance(seed)
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
            let request = try Self.instance(seed)
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
