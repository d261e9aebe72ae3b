// ResolverFixtures.swift — directories in a few lines, and answers that are checked.
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

/// A request for what `text` describes.
func request(_ text: String, wanted: Set<PluginID>? = nil) throws -> ResolveRequest {
    var request = ResolveRequest(try directory(text), for: testHost)
    request.wanted = wanted
    return request
}

/// Resolves, and checks all that can be checked without knowing the answer.
func resolve(_ request: ResolveRequest) -> Resolution {
    let resolution = Resolver.resolve(request)
    #expect(resolution.faults(as: request) == [])
    return resolution
}

extension Resolution {
    /// `id version` of what is chosen.
    var names: [String] { chosen.map { "\($0.id) \($0.version)" } }
}
