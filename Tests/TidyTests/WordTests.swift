// WordTests.swift — what may not be written: in code, in names, in text. Next: ArrowTests.swift.

import Testing

extension Tidiness {
    /// Words of code that are not used, and what to do instead.
    private static let banned = [
        "@unchecked Sendable": "protect the state by a Mutex or an actor",
        "try!": "throw, or record an issue",
        "as!": "use `as?` and handle nil",
        "import XCTest": "write it with Swift Testing",
        "fatalError(": "throw a typed error; `preconditionFailure` for a mistake of our own",
    ]

    @Test(arguments: banned.keys.sorted())
    func `banned words are not in the code`(word: String) {
        // A fixture may end the tests; the product ends nobody.
        let isForTests = word == "fatalError("
        expect(
            Repository.swift.filter {
                $0.mentions([word]) && !(isForTests && $0.path.hasPrefix("Tests/"))
            },
            keep: { file in
                file.findings(in: file.code) { line in
                    Self.stands(word, in: line) ? "\(word): \(Self.banned[word] ?? "")" : nil
                }
            },
            seeded: SourceFile(
                "a.swift", "// \(word)\nlet a = \"\(word)\"; \(word)\nlet has\(word)\n"),
            at: 2)
    }

    @Test func `what is left to do is an issue, and linked`() {
        // Put together, so that this file does not find itself.
        let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
        expect(
            Repository.code.filter { $0.mentions(marks) },
            keep: { file in
                file.findings(in: file.lines) { line in
                    let mark = marks.first { Self.stands($0, in: line) }
                    return line.contains("https://")
                        ? nil : mark.map { "\($0) without an issue's link" }
                }
            },
            seeded: SourceFile(
                "a.c", "// \(marks[0]) https://example.org/1\n// \(marks[0]): later\n"),
            at: 2)
    }

    @Test func `names say what a thing is`() {
        let vague = ["Helper", "Helpers", "Util", "Utils", "Utilities", "Manager"]
        let allowed: Set<Substring> = ["PluginManager", "BackgroundTaskManager"]
        let keywords: Set<Substring> = [
            "class", "struct", "enum", "actor", "protocol", "typealias",
        ]
        expect(
            Repository.swift.filter { $0.mentions(vague) },
            keep: { file in
                file.findings(in: file.code) { line in
                    guard vague.contains(where: line.contains) else { return nil }
                    let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
                    return zip(words, words.dropFirst()).first { keyword, name in
                        keywords.contains(keyword) && !allowed.contains(name)
                            && vague.contains(where: name.hasSuffix)
                    }.map { "\($0.1) does not say what it is" }
                }
            },
            seeded: SourceFile("a.swift", "actor PluginManager {}\nstruct FileUtils {}\n"), at: 2)
    }

    @Test func `no file knows the machine it was written on`() {
        let homes = ["/wo" + "rk/", "/ho" + "me/", "/ro" + "ot/", "/Us" + "ers/"]
        // This one is about homes in general.
        let files = Repository.files.filter {
            $0.mentions(homes) && $0.name != "StandardPathsTests.swift"
        }
        expect(
            files,
            keep: { file in
                file.findings(in: file.lines) { line in
                    homes.first { Self.stands($0, in: line) }.map { "\($0)… is of one machine" }
                }
            },
            seeded: SourceFile("a.md", "[a](https://a.org\(homes[1])b)\nSee `\(homes[1])ada/b`.\n"),
            at: 2)
    }

    @Test func `no file carries a license of its own`() {
        let marks = ["SPDX-" + "License", "Copy" + "right (c)", "All rights " + "reserved"]
        expect(
            Repository.code.filter { $0.mentions(marks) },
            keep: { file in
                file.findings(in: file.lines) { line in
                    marks.first(where: line.contains).map { "\($0): LICENSE at the top is for all" }
                }
            },
            seeded: SourceFile("a.c", "// \(marks[1]) 2020 Ada\n"), at: 1)
    }

    /// Whether `word` is in `line`, and not a part of a longer word or path.
    private static func stands(_ word: String, in line: Substring) -> Bool {
        var rest = line
        while let range = rest.firstRange(of: word) {
            let before = line[..<range.lowerBound].last ?? " "
            if !(before.isLetter || before.isNumber || "._-/$})".contains(before)) { return true }
            rest = line[range.upperBound...]
        }
        return false
    }
}
