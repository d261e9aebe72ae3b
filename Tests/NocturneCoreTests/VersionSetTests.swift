// VersionSetTests.swift — the laws of sets, by brute force over all versions that can tell two of
// the random ranges apart. Next: VersionFuzzTests.swift.

import Testing

@testable import NocturneCore

/// Random ranges, and what the documented rules say of them without any algebra: each comparator is
/// rewritten to `>=` and `<` as node-semver's documentation does, each version is tested against
/// all.
struct RandomRange {
    /// Numbers 0 and 1 and four tags make bounds up to 2.0.1-0.
    private static let tags = ["", "", "0", "a", "a.1", "b"]

    private struct Primitive {
        let isLower: Bool
        let isInclusive: Bool
        let version: SemanticVersion

        func admits(_ other: SemanticVersion) -> Bool {
            if other == version { return isInclusive }
            return isLower ? version < other : other < version
        }
    }

    private struct Alternative {
        var primitives: [Primitive] = []
        var named: [SemanticVersion] = []

        func admits(_ version: SemanticVersion) -> Bool {
            primitives.allSatisfy { $0.admits(version) }
                && (!version.isPrerelease
                    || named.contains { $0.core == version.core })
        }
    }

    let text: String
    private let alternatives: [Alternative]

    func admits(_ version: SemanticVersion) -> Bool {
        alternatives.contains { $0.admits(version) }
    }

    init(_ generator: inout SeededGenerator) {
        var (texts, alternatives): ([String], [Alternative]) = ([], [])
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            var alternative = Alternative()
            var parts: [String] = []
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                parts.append(Self.comparator(&alternative, &generator))
            }
            texts.append(parts.joined(separator: Bool.random(using: &generator) ? " " : ", "))
            alternatives.append(alternative)
        }
        text = texts.joined(separator: " || ")
        self.alternatives = alternatives
    }

    /// Adds one, and says how it is written.
    private static func comparator(
        _ alternative: inout Alternative, _ generator: inout SeededGenerator
    ) -> String {
        let numbers = (0..<3).map { _ in UInt64.random(in: 0...1, using: &generator) }
        let parts = Int.random(in: 1...4, using: &generator)
        let tag = parts < 3 ? "" : tags.randomElement(using: &generator) ?? ""
        let symbol = ["^", "~", "=", ">", ">=", "<", "<="].randomElement(using: &generator) ?? "="
        let short = numbers.prefix(parts).map(String.init).joined(separator: ".")
        let core = numbers.enumerated().map { String($0.offset < parts ? $0.element : 0) }
        let whole = core.joined(separator: ".")
        let first = whole + (tag.isEmpty ? "" : "-\(tag)")
        if !tag.isEmpty, let version = try? SemanticVersion(first) {
            alternative.named.append(version)
        }
        let next = following(numbers, symbol, parts: min(parts, 3))
        for (isLower, isInclusive, text) in rewritten(symbol, first, next, isWhole: parts >= 3) {
            guard let version = try? SemanticVersion(text) else { continue }
            alternative.primitives.append(
                Primitive(isLower: isLower, isInclusive: isInclusive, version: version))
        }
        return symbol + short + (tag.isEmpty ? "" : "-\(tag)")
    }

    /// The first release that `^`, `~` and `=` leave out, or that is above all a partial stands
    /// for.
    private static func following(_ numbers: [UInt64], _ symbol: String, parts: Int) -> String {
        var place = parts == 1 ? 0 : symbol == "~" ? 1 : parts - 1
        if symbol == "^" {
            place = numbers.prefix(parts).firstIndex { $0 != 0 } ?? parts - 1
        }
        return (0..<3).map { index in
            String(index < place ? numbers[index] : index == place ? numbers[index] + 1 : 0)
        }.joined(separator: ".")
    }

    private static func rewritten(
        _ symbol: String, _ first: String, _ next: String, isWhole: Bool
    ) -> [(isLower: Bool, isInclusive: Bool, String)] {
        switch symbol {
        case "=" where isWhole: [(true, true, first), (false, true, first)]
        case "^", "~", "=": [(true, true, first), (false, false, "\(next)-0")]
        case ">": isWhole ? [(true, false, first)] : [(true, true, next)]
        case ">=": [(true, true, first)]
        case "<": [(false, false, isWhole ? first : "\(first)-0")]
        default: isWhole ? [(false, true, first)] : [(false, false, "\(next)-0")]
        }
    }
}

@Suite struct VersionSetTests {
    /// 243 versions: for every bound that a random range can have, itself and the next one.
    static let universe: [SemanticVersion] = (0..<27).flatMap { place in
        ["", "-0", "-0.0", "-a", "-a.0", "-a.1", "-a.1.0", "-b", "-b.0"].compactMap { tag in
            try? SemanticVersion("\(place / 9).\(place / 3 % 3).\(place % 3)\(tag)")
        }
    }

    private static func members(_ set: VersionSet) -> [Bool] { universe.map(set.contains) }

    @Test func `a range holds what its comparators say one by one`() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<2500 {
            let random = RandomRange(&generator)
            let range = try VersionRange(random.text)
            for version in Self.universe where range.contains(version) != random.admits(version) {
                Issue.record("\(random.text), version \(version)")
            }
            let again = try VersionRange(range.description)
            #expect(again == range && again.description == range.description, "\(random.text)")
        }
    }

    @Test func `every operation is that of membership, and equal sets are equal`() throws {
        var generator = SeededGenerator(seed: 8)
        for _ in 0..<800 {
            let texts = [RandomRange(&generator).text, RandomRange(&generator).text]
            let (first, second) = (try VersionRange(texts[0]).set, try VersionRange(texts[1]).set)
            let (left, right) = (Self.members(first), Self.members(second))
            let pairs = zip(left, right)

            #expect(Self.members(first.union(second)) == pairs.map { $0 || $1 }, "\(texts)")
            #expect(Self.members(first.intersection(second)) == pairs.map { $0 && $1 }, "\(texts)")
            #expect(Self.members(first.subtracting(second)) == pairs.map { $0 && !$1 }, "\(texts)")
            #expect(Self.members(first.complement) == left.map { !$0 }, "\(texts)")
            #expect(first.isSubset(of: second) == pairs.allSatisfy { !$0 || $1 }, "\(texts)")
            #expect(first.isDisjoint(with: second) == pairs.allSatisfy { !($0 && $1) }, "\(texts)")
            #expect(first.isEmpty == !left.contains(true), "\(texts)")
            #expect((first == second) == (left == right), "\(texts)")
            #expect((first.description == second.description) == (left == right), "\(texts)")
        }
    }

    @Test func `the laws of Boolean algebra hold as equality`() throws {
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<1500 {
            let texts = (0..<3).map { _ in RandomRange(&generator).text }
            let sets = try texts.map { try VersionRange($0).set }
            let (a, b, c) = (sets[0], sets[1].complement, sets[2])

            #expect(a.union(b) == b.union(a) && a.intersection(b) == b.intersection(a), "\(texts)")
            #expect(a.union(b).union(c) == a.union(b.union(c)), "\(texts)")
            #expect(a.intersection(b.union(c)) == a.intersection(b).union(a.intersection(c)))
            #expect(a.union(b.intersection(c)) == a.union(b).intersection(a.union(c)), "\(texts)")
            #expect(a.union(b).complement == a.complement.intersection(b.complement), "\(texts)")
            #expect(a.subtracting(b) == a.intersection(b.complement), "\(texts)")
            #expect(a.subtracting(b).isEmpty == a.isSubset(of: b), "\(texts)")
            #expect(a.intersection(b).isEmpty == a.isDisjoint(with: b), "\(texts)")
            #expect(a.complement.complement == a && a.union(a) == a, "\(texts)")
            #expect(a.union(a.complement) == .full && a.intersection(a.complement) == .empty)
            #expect(a.union(.empty) == a && a.intersection(.full) == a, "\(texts)")
        }
    }

    @Test func `a canonical text reads back, and no two sets share one`() throws {
        var generator = SeededGenerator(seed: 10)
        var seen: [String: VersionSet] = [:]
        var readable = 0
        for _ in 0..<1500 {
            let first = try VersionRange(RandomRange(&generator).text).set
            let second = try VersionRange(RandomRange(&generator).text).set
            for set in [first.union(second), first.subtracting(second), first.complement] {
                #expect(seen.updateValue(set, forKey: set.description) ?? set == set, "\(set)")
                guard let text = set.rangeText else { continue }
                readable += 1
                #expect(try VersionRange(text).set == set, "\(text)")
            }
        }
        #expect(readable >= 3000)
    }

    @Test func `a set that no range means is printed in words`() throws {
        func set(_ text: String) throws -> VersionSet { try VersionRange(text).set }

        #expect(VersionSet.full.description == "*, and every prerelease")
        #expect(VersionSet.full.rangeText == nil && VersionSet.empty.rangeText == "<0.0.0-0")
        #expect(VersionSet.allReleases.complement.description == "every prerelease")
        #expect(try set("^1").complement.description == "<1.0.0 || >=2.0.0, and every prerelease")
        let text = "*, and the prereleases from 0.0.0-0 to before 1.0.0-a and from 1.0.0-a.0"
        #expect(try set("=1.0.0-a").complement.description == text)
    }

    @Test func `one version alone is a set without any other`() throws {
        for version in Self.universe.prefix(60) {
            let set = VersionSet(exactly: version)
            #expect(Self.universe.filter(set.contains) == [version])
            #expect(set.description == "=\(version)")
        }
        let built = try SemanticVersion("1.0.0-a+b" as String)
        #expect(VersionSet(exactly: built) == (try VersionRange("=1.0.0-a").set))
    }

    @Test func `bounds of any size keep their order`() throws {
        let large = try VersionRange("~18446744073709551615.18446744073709551615").set
        let next = try VersionRange(">=18446744073709551615.18446744073709551616").set

        #expect(large.isDisjoint(with: next) && !large.isEmpty)
        #expect(
            large.union(next).description == ">=18446744073709551615.18446744073709551615.0")
    }
}
