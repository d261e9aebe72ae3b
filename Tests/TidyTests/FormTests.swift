// FormTests.swift — sizes and looks that a formatter does not see. Limits are the style guide's. Next: WordTests.swift.

import Testing

extension Tidiness {
    /// Columns. Code in Swift is held to 100 by .swift-format; this is for comments, C and scripts.
    private static let columns = 120
    private static let functionLines = 70
    private static let fileLines = 400

    /// Files that may be longer, and why.
    private static let longFiles = [
        "PluginSDK/C/include/nocturne/plugin.h": "the whole contract in one header",
        "Sources/CWire/include/CWire.h": "the whole wire in one place, compiled by both sides",
        "Sources/nocturne-worker/calls.c": "threads and calls share static state",
        "Sources/nocturne-worker/services.c": "one table of host services after the other",
    ]

    @Test func `no line of code or of a script is longer than the limit`() {
        let scripts = Repository.files.filter { ["Scripts", ".ci"].contains($0.folder) }
        expect(
            Repository.code + scripts,
            keep: { file in
                file.findings(in: file.lines) { line in
                    line.utf8.count > Self.columns && line.count > Self.columns
                        ? "\(line.count) columns, \(Self.columns) are allowed" : nil
                }
            },
            seeded: SourceFile("a.c", "int a;\n// \(String(repeating: "é", count: 118))\n"), at: 2)
    }

    @Test func `no line ends in white space`() {
        expect(
            Repository.files,
            keep: { file in
                file.findings(in: file.lines) { line in
                    [" ", "\t"].contains(line.last) ? "white space at the end of the line" : nil
                }
            },
            seeded: SourceFile("a.md", "One\nTwo \n"), at: 2)
    }

    @Test func `every file ends in one line feed`() {
        func rule(_ file: SourceFile) -> [Finding] {
            file.text.hasSuffix("\n") && !file.text.hasSuffix("\n\n")
                ? [] : [Finding(file, file.lines.count, "end the file in one line feed")]
        }
        expect(Repository.files, keep: rule, seeded: SourceFile("a.md", "One"), at: 1)
        #expect(rule(SourceFile("a.md", "One\n\n")).count == 1)
    }

    @Test func `no function is longer than the limit`() {
        let body = String(repeating: "    print(\"}\")\n", count: 69)
        func rule(_ file: SourceFile) -> [Finding] {
            FunctionExtent.all(in: file).filter { $0.lines > Self.functionLines }.map {
                Finding(
                    file, $0.first, "\($0.lines) lines, \(Self.functionLines) are allowed: split it"
                )
            }
        }
        expect(
            Repository.code, keep: rule,
            seeded: SourceFile("a.swift", "\nfunc f() {\n\(body)}\n"), at: 2)
        #expect(rule(SourceFile("a.c", "int f(void)\n{\n\(body)}\n")).map(\.line) == [2])
    }

    @Test func `no file is longer than the limit, but those listed`() {
        let limit = Self.fileLines
        func isLong(_ file: SourceFile) -> Bool { file.lines.count > limit }
        expect(
            Repository.code,
            keep: { file in
                isLong(file) && Self.longFiles[file.path] == nil
                    ? [Finding(file, limit + 1, "\(file.lines.count) lines: split it by concept")]
                    : []
            },
            seeded: SourceFile("a.c", String(repeating: "\n", count: limit + 1)), at: limit + 1)
        let short = Set(Self.longFiles.keys).subtracting(
            Repository.code.filter(isLong).map(\.path))
        #expect(short == [], "these are short enough now: take them off the list")
    }

    @Test func `every Swift file begins with its name and what it is for`() {
        expect(
            Repository.swift.filter { $0.name != "Package.swift" },
            keep: { file in
                let start = "// \(file.name) — "
                return file.text.hasPrefix(start)
                    ? [] : [Finding(file, 1, "begin with \"\(start)what it is and why\"")]
            },
            seeded: SourceFile("Sources/A.swift", "// B.swift — the second letter.\n"), at: 1)
    }

    // MARK: - The scanner

    @Test func `the scanner tells code from comments and strings`() {
        let swift = #"""
            let a = "}\(b ? "{" : "\"{")" // {
            /* { /* { */ { */ let `a {` = #"\(x) { " "# + 'x'
            """#
        let words = SourceText.code(of: swift, .swift).split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
        #expect(words == ["let a = b ? :", "let = + 'x'"])
        #expect(SourceText.code(of: swift, .swift).utf8.count == swift.utf8.count)

        let c = "if (a == '{') b = \"\\\"{\"; /* { */ // {"
        let rest = SourceText.code(of: c, .c).split(separator: " ").joined(separator: " ")
        #expect(rest == "if (a == ) b = ;")
    }

    @Test func `the scanner finds functions and their ends`() {
        let swift = """
            protocol P {
                func none()
                init(a: Int)
            }
            struct S: P {
                init(
                    a: Int = { 1 }()
                ) { self.init(b: a) }
                func some<T>(_ t: T)
                    -> Int
                where T: P {
                    if true { }
                }
            }
            """
        #expect(
            FunctionExtent.all(in: SourceFile("a.swift", swift)) == [
                .init(first: 6, last: 8), .init(first: 9, last: 13),
            ])
        let c = "struct s { int a; };\nstatic int x[] = { 1 };\nint f(void)\n{\n    if (x) { }\n}\n"
        #expect(FunctionExtent.all(in: SourceFile("a.c", c)) == [.init(first: 4, last: 6)])
    }
}
