// RandomInstances.swift — small directories at random, and what is wrong with an answer about one. Without a test
// library, since `Scripts/brute-force` compiles it into a program too. Next: RandomInstanceTests.swift.

import NocturneCore
import NocturneResolver

/// A host of version 1.0.0 that serves ABI 1.0 on x86_64.
let testHost = HostEnvironment(
    version: SemanticVersion(1, 0, 0), abi: ABIVersion(major: 1, minor: 0), architecture: .x86_64)

/// Directories small enough to try every selection.
enum RandomInstances {
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

    /// What is wrong with the answer for a seed: not the best, or a proof or a choice that does not hold.
    static func fault(_ seed: Int) throws -> String? {
        fault(try instance(seed), "seed \(seed)")
    }

    /// The same where only some ids are wanted.
    static func faultOfWanted(_ seed: Int) throws -> String? {
        var request = try instance(seed)
        var random = SeededGenerator(seed: UInt64(seed) &+ 7)
        let wanted = Set(ids.filter { _ in random.below(2) == 0 })
        request.wanted = wanted
        return fault(request, "seed \(seed), wanted \(wanted.sorted())")
    }

    private static func fault(_ request: ResolveRequest, _ name: String) -> String? {
        let resolution = Resolver.resolve(request)
        let found = resolution.chosen.filter { request.wanted?.contains($0.id) ?? true }
            .map { $0.label }
        let best = BruteForce(request).best().map { request.candidates[$0].label }
        var faults = resolution.faults(as: request)
        if found != best { faults.append("found \(found), best is \(best)") }
        if !resolution.isProvenLargest { faults.append("gave up") }
        return faults.isEmpty ? nil : "\(name): \(faults.joined(separator: "; "))"
    }
}

extension Resolution {
    /// All that can be checked without knowing the answer: the choice, the order, and every proof.
    func faults(as request: ResolveRequest) -> [String] {
        var faults = SolutionChecker(self, of: request).faults
        for one in leftOut where one.proof == nil && one.reason != .gaveUp {
            faults.append("\(one.id) has no proof")
        }
        // Other proofs may rest on these ids never being there, whatever else is.
        let impossible = Set(leftOut.filter { $0.proof?.conclusion.count == 1 }.map { $0.id })
        // Other versions of an id that is left out have its proof.
        let out = Set(leftOut.map { $0.id })
        let proofs =
            leftOut.map { ($0.id, $0.proof) }
            + rejected.filter { !out.contains($0.id) }.map { ($0.id, $0.proof) }
        for case (let id, let proof?) in proofs {
            faults += ProofChecker(proof, of: request, leftOut: impossible).faults.map {
                "step \($0) of the proof about \(id) does not follow"
            }
            if !proof.isDenial(of: id) {
                faults.append("the proof about \(id) denies something else")
            }
        }
        for one in leftOut
        where one.proof != nil && one.refusal == nil && !Self.isWellFormed(one.text, about: one.id)
        {
            faults.append("the text about \(one.id) has no good form: \(one.text)")
        }
        return faults + strangers(request) + circularFaults
    }

    /// Ids that came along though nobody chosen names them.
    private func strangers(_ request: ResolveRequest) -> [String] {
        guard let wanted = request.wanted else { return [] }
        let candidates = chosen.compactMap { choice in
            request.candidates.first { $0.id == choice.id && $0.label == choice.label }
        }
        let named = Set(
            candidates.flatMap { Array($0.dependencies.keys) + Array($0.optionalDependencies.keys) }
        )
        return candidates.filter {
            !wanted.contains($0.id) && named.isDisjoint(with: [$0.id] + $0.provides.keys)
        }.map { "nobody asks for \($0.id)" }
    }

    /// One line, or several of which the last is the conclusion; each a sentence.
    private static func isWellFormed(_ text: String, about id: PluginID) -> Bool {
        let lines = text.split(separator: "\n")
        guard let last = lines.last, lines.count <= 40 else { return false }
        let start = last.drop { "( )0123456789".contains($0) }
        let concludes =
            start.hasPrefix("So, ") || start.hasPrefix("After ")
            || lines.count == 1 && start.hasPrefix("Because ")
        return concludes && last.contains("\(id)") && last.contains("cannot be loaded")
            && lines.allSatisfy { $0.hasSuffix(".") && !$0.contains("  and") }
    }

    /// Proofs may refer to the proofs of others that are left out, but not in a circle.
    private var circularFaults: [String] {
        var references: [PluginID: Set<PluginID>] = [:]
        for one in leftOut { references[one.id] = one.proof?.references ?? [] }
        while let done = references.first(where: { $0.value.isEmpty })?.key {
            references[done] = nil
            for id in references.keys { references[id]?.remove(done) }
        }
        return references.keys.sorted().map { "the proof about \($0) refers to itself" }
    }
}

extension Proof {
    /// Whether this denies that `id` and ids that are chosen are there; never that one is absent.
    fileprivate func isDenial(of id: PluginID) -> Bool {
        conclusion.contains { self.id(of: $0) == id }
            && conclusion.allSatisfy { !$0.set.contains(0) && !$0.set.isEmpty }
    }

    /// Ids of which the proof says no more than that they are left out.
    fileprivate var references: Set<PluginID> {
        Set(
            nodes.compactMap { node in
                guard case .fact(.leftOut) = node.cause else { return nil }
                return node.terms.first.flatMap { id(of: $0) }
            })
    }

    private func id(of term: Term) -> PluginID? {
        if case .plugin(let id, _) = subjects[term.subject] { id } else { nil }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014), so that a failing test fails again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; the bias of the remainder does not matter here.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
