// PubGrubCase.swift — reads the registry that pubgrub-rs measures itself by. The file is theirs and not part of this
// checkout: `Benchmarks/README.md` says how to get it. Next: Thread.swift.

import Glibc
import NocturneCore
import NocturneResolver

/// Packages and versions are numbers: `package: { version: { package: [(from, Some(below)), (from, None)] } }`.
/// Version 7 becomes `7.0.0`, the intervals a range.
struct PubGrubCase {
    /// Where the file is.
    private static let variable = "NOCTURNE_PUBGRUB_CASE"

    private var candidates: [Candidate] = []
    /// Package, version and dependency that the reader is in.
    private var path = [0, 0, 0]
    private var depth = 0
    /// Ends of the interval being read, `nil`: open, and the intervals so far; outside of a list `nil`.
    private var ends: [Int?] = []
    private var intervals: [String]?

    /// Every version of every package; `nil`, and a word about it, if no file is named.
    static func candidates() throws -> [Candidate]? {
        guard let path = getenv(variable).map({ String(cString: $0) }) else {
            complain(
                "resolver.registry: skipped, \(variable) names no file (see Benchmarks/README.md)")
            return nil
        }
        guard let file = fopen(path, "r") else {
            complain("\(variable): \(path): \(String(cString: strerror(errno)))")
            exit(66)
        }
        defer { fclose(file) }
        var reader = PubGrubCase()
        var number: Int?
        while case let byte = getc(file), byte != EOF {
            let digit = Int(byte) - 48
            if (0...9).contains(digit) {
                number = 10 * (number ?? 0) + digit
                continue
            }
            if let whole = number { reader.take(whole) }
            number = nil
            try reader.take(Character(Unicode.Scalar(UInt8(byte))))
        }
        return reader.candidates
    }

    private mutating func take(_ number: Int) {
        if intervals != nil { ends.append(number) } else { path[depth - 1] = number }
    }

    private mutating func take(_ character: Character) throws {
        switch character {
        case "{":
            depth += 1
            if depth == 3 {
                candidates.append(
                    Candidate(
                        try PluginID("package-\(path[0])"), try SemanticVersion("\(path[1]).0.0"),
                        label: "\(path[0])-\(path[1])"))
            }
        case "}": depth -= 1
        case "[": intervals = []
        // Of "None"; "Some" and its parentheses say nothing that the number does not.
        case "N": ends.append(nil)
        case ")":
            guard ends.count == 2 else { return }
            let (from, below) = (ends[0], ends[1])
            let bounds = [from.map { ">=\($0).0.0" }, below.map { "<\($0).0.0" }].compactMap { $0 }
            intervals?.append(bounds.isEmpty ? ">=0.0.0" : bounds.joined(separator: ", "))
            ends = []
        case "]":
            // No interval: no version will do.
            let text = intervals?.joined(separator: " || ") ?? ""
            candidates[candidates.count - 1].dependencies[try PluginID("package-\(path[2])")] =
                try VersionRange(text.isEmpty ? "<0.0.0" : text)
            intervals = nil
        default: break
        }
    }
}
