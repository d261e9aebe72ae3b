// CoreRandomizedTests.swift — seeded strangers: whatever the bytes, no parser traps, and what is
// read prints back the same. Next: JSONSchemaTests.swift.

import Testing

@testable import NocturneCore

@Suite struct CoreRandomizedTests {
    /// One to four deletions, insertions, replacements, doublings or swaps.
    private static func mutate(
        _ bytes: [UInt8], _ alphabet: [UInt8], _ generator: inout SeededGenerator
    ) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let place = Int.random(in: 0...bytes.count, using: &generator)
            let byte =
                Bool.random(using: &generator)
                ? alphabet.randomElement(using: &generator) ?? 0
                : UInt8.random(in: 0...255, using: &generator)
            switch Int.random(in: 0...4, using: &generator) {
            case 0: bytes.insert(byte, at: place)
            case 1 where place < bytes.count: bytes[place] = byte
            case 2 where place < bytes.count: bytes.remove(at: place)
            case 3: bytes.removeLast(min(bytes.count - place, 40))
            default: bytes.insert(contentsOf: bytes.suffix(from: place).prefix(12), at: place)
            }
        }
        return bytes
    }

    private static func randomText(_ generator: inout SeededGenerator) -> String {
        let scalars = Array(
            "ab\"\\/\n\t\u{0}\u{1F}\u{7F}é\u{301}€🦉\u{10FFFF}\u{FFFD}".unicodeScalars)
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...8, using: &generator) {
            text.append(scalars.randomElement(using: &generator) ?? " ")
        }
        return String(text)
    }

    private static func randomValue(depth: Int, _ generator: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0...(depth > 4 ? 4 : 6), using: &generator) {
        case 0: return nil
        case 1: return .bool(Bool.random(using: &generator))
        case 2: return JSONValue(Int64.random(in: .min ... .max, using: &generator))
        case 3: return JSONValue(Double.random(in: -1e9...1e9, using: &generator)) ?? nil
        case 4: return .string(randomText(&generator))
        case 5:
            let count = Int.random(in: 0...5, using: &generator)
            return .array((0..<count).map { _ in randomValue(depth: depth + 1, &generator) })
        default:
            let count = Int.random(in: 0...20, using: &generator)
            return .object(
                JSONObject(
                    (0..<count).map { _ in
                        (randomText(&generator), randomValue(depth: depth + 1, &generator))
                    }))
        }
    }

    @Test func `parsing what was printed gives the same value, in every style`() throws {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<150 {
            let value = Self.randomValue(depth: 0, &generator)
            let compact = value.serialized()
            #expect(try JSONParser.parse(compact) == value)
            #expect(try JSONParser.parse(compact).serialized() == compact)
            #expect(try JSONParser.parse(value.serialized(pretty: true)).serialized() == compact)
            let sorted = value.serialized(sortedKeys: true)
            #expect(try JSONParser.parse(sorted) == value)
            #expect(try JSONParser.parse(sorted).hashValue == value.hashValue)
        }
    }

    @Test func `mutated JSON is refused with a place inside it, or prints back the same`() throws {
        var generator = SeededGenerator(seed: 3)
        let seed = Array(#"{"a":[1,-2.5e3,true,null,"x\u00e9\n🦉"],"b":{"c":[],"d":{}}} "#.utf8)
        let alphabet = Array("{}[]\":,\\u0123eE+-.truefalsn \n".utf8)
        var accepted = 0
        for _ in 0..<1200 {
            let bytes = Self.mutate(seed, alphabet, &generator)
            do {
                let value = try JSONParser.parse(bytes)
                accepted += 1
                #expect(try JSONParser.parse(value.serialized()) == value)
            } catch {
                let offset = error.position?.offset ?? -1
                #expect((0...bytes.count).contains(offset), "\(error)")
            }
        }
        #expect(accepted > 30)
    }

    @Test func `mutated versions and ranges are refused or print back the same`() throws {
        var generator = SeededGenerator(seed: 4)
        let alphabet = Array("0123456789.-+abx^=<>~*|, ".utf8)
        var accepted = 0
        let seeds = [
            "1.20.3-rc.1+b.7", "^1.4", ">=0.1, <2.0.0-0 =3", "18446744073709551615.0.0",
            "1.2.x || 2.0.0-a - 2.1 || >1 <=3.x",
        ]
        for seed in seeds {
            for _ in 0..<1200 {
                let text = String(
                    decoding: Self.mutate(Array(seed.utf8), alphabet, &generator), as: UTF8.self)
                if let version = try? SemanticVersion(text) {
                    accepted += 1
                    #expect(version.description == text)
                }
                if let range = try? VersionRange(text) {
                    accepted += 1
                    #expect(range.text == text)
                    #expect(try VersionRange(range.description) == range, "\(text)")
                }
            }
        }
        #expect(accepted > 500)
    }

    @Test func `precedence is a strict total order`() throws {
        var generator = SeededGenerator(seed: 5)
        let parts = ["0", "1", "2", "10", "18446744073709551616", "a", "b", "A", "-", "a-b", "0a"]
        func draw() -> SemanticVersion {
            let numbers = (0..<3).map { _ in ["0", "1"].randomElement(using: &generator) ?? "0" }
            let count = Int.random(in: 0...3, using: &generator)
            let tags = (0..<count).map { _ in parts.randomElement(using: &generator) ?? "0" }
            let text =
                numbers.joined(separator: ".")
                + (tags.isEmpty ? "" : "-" + tags.joined(separator: "."))
            return (try? SemanticVersion(text)) ?? SemanticVersion(9, 9, 9)
        }
        for _ in 0..<1000 {
            let (first, second, third) = (draw(), draw(), draw())
            let verdicts = [first < second, first == second, second < first]
            #expect(verdicts.count { $0 } == 1, "\(first), \(second)")
            #expect((first == second) == (first.description == second.description))
            if first < second, second < third { #expect(first < third) }
        }
    }

    @Test func `mutated manifests are refused in words or read back the same`() throws {
        var generator = SeededGenerator(seed: 6)
        let vectors = try #require(CoreFixture.manifests["accepted"]?.array)
        let seed = try #require(vectors.first?["manifest"]).serialized()
        let alphabet = Array("{}[]\":,x-0159aMiB/*^.".utf8)
        var accepted = 0
        for _ in 0..<1000 {
            let bytes = Self.mutate(seed, alphabet, &generator)
            do {
                let manifest = try Manifest.parse(bytes)
                accepted += 1
                let normalized = manifest.json.serialized()
                #expect(try Manifest.parse(normalized).json.serialized() == normalized)
            } catch {
                let isShowable = error.description.unicodeScalars.allSatisfy { !$0.isUnsafeToShow }
                #expect(isShowable, "\(error)")
            }
        }
        #expect(accepted > 20)
    }
}
