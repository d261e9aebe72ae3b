// ResolverFixtures.swift — directories in a few lines, random ones, and all answers tried by brute force.
// Next: PubExampleTests.swift.

import Testing

import NocturneCore
import NocturneResolver

/// Candidates in words: `menu 1.1.0: dropdown >=2.0.0; ?icons ^1.0.0; !old *; +bar 1.0.0`, one a line. What
/// follows the colon is required, optional (`?`), in conflict (`!`) or provided (`+`).
func directory(_ text: String) throws -> [Candidate] {
    try text.split(separator: "\n").enumerated().map { number, line in
        let parts = line.split(separator: ":", maxSplits: 1)
        let name = parts[0].split(separator: " ")
        var candidate = Candidate(
            try PluginID(String(name[0])), try SemanticVersion(String(name[1])),
            label: "plugins/\(name[0])-\(number).so")
        for part in parts.dropFirst().joined().split(separator: ";") {
            let words = part.split(separator: " ", maxSplits: 1)
            let (key, value) = (words[0], String(words[1]))
            switch key.first {
            case "?":
                candidate.optionalDependencies[try PluginID(String(key.dropFirst()))] =
                    try VersionRange(value)
            case "!":
                candidate.conflicts[try PluginID(String(key.dropFirst()))] =
                    try VersionRange(value)
            case "+":
                candidate.provides[try PluginID(String(key.dropFirst()))] =
                    try SemanticVersion(value)
            default:
                candidate.dependencies[try PluginID(String(key))] = try VersionRange(value)
            }
        }
        return candidate
    }
}

/// A host of version 1.0.0 that serves ABI 1.0 on x86_64.
let testHost = HostEnvironment(
    version: SemanticVersion(1, 0, 0), abi: ABIVersion(major: 1, minor: 0), architecture: .x86_64)

/// A request for what `text` describes.
func request(_ text: String, wanted: Set<PluginID>? = nil) throws -> ResolveRequest {
    var request = ResolveRequest(try directory(text), for: testHost)
    request.wanted = wanted
    return request
}

/// Resolves, and checks all that can be checked without knowing the answer.
func resolve(_ request: ResolveRequest) -> Resolution {
    let resolution = Resolver.resolve(request)
    #expect(SolutionChecker(resolution, of: request).faults == [])
    for one in resolution.leftOut {
        if let proof = one.proof { check(proof, of: one.id, request) }
        #expect(one.proof != nil || one.reason == .gaveUp, "\(one.id) has no proof")
        checkForm(one.text, of: one.id, hasProof: one.proof != nil)
    }
    for one in resolution.rejected {
        if let proof = one.proof { check(proof, of: one.id, request) }
    }
    return resolution
}

/// One line, or several of which the last is the conclusion; each a sentence.
private func checkForm(_ text: String, of id: PluginID, hasProof: Bool) {
    let lines = text.split(separator: "\n")
    guard hasProof, let last = lines.last else { return }
    #expect(lines.count <= 40)
    #expect(lines.allSatisfy { $0.hasSuffix(".") && !$0.contains("  and") }, "\(text)")
    let start = last.drop { "( )0123456789".contains($0) }
    #expect(
        start.hasPrefix("So, ") || start.hasPrefix("After ")
            || lines.count == 1 && start.hasPrefix("Because "), "\(text)")
    #expect(last.contains("\(id)") && last.contains("cannot be loaded"), "\(text)")
}

/// A right proof of something about `id` and ids that are chosen.
private func check(_ proof: Proof, of id: PluginID, _ request: ResolveRequest) {
    #expect(ProofChecker(proof, of: request).faults == [])
    #expect(
        proof.conclusion.contains {
            if case .plugin(id, _) = proof.subjects[$0.subject] { true } else { false }
        })
    // Only that ids are there is denied, not that they are absent.
    #expect(proof.conclusion.allSatisfy { !$0.set.contains(0) && !$0.set.isEmpty })
}

extension Resolution {
    /// `id version` of what is chosen.
    var names: [String] { chosen.map { "\($0.id) \($0.version)" } }
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
