// FormTests.swift — sizes and looks that a formatter does not see. Limits are the style guide's.
// Next: WordTests.swift.

import Testing

@Suite struct FormTests {
    /// Code is held to 100 by .swift-format; comments and what cannot be broken may go on to here.
    static let columns = 120
    static let functionLines = 70
    static let fileLines = 400

    /// Files that may be longer, and why.
    static let longFiles: [String: String] = [
        "Sources/CWire/include/CWire.h": "the whole wire in one place, compiled by both sides",
        "Sources/nocturne-worker/calls.c": "threads and calls share static state; 70 of its lines are comments",
        "Sources/nocturne-worker/services.c": "one table of host services after the other",
    ]

    @Test func `no line is longer than the limit`() {
        expectNone(
            Repository.code.flatMap { file in
                file.lines.enumerated().filter { $1.count > Self.columns }.map { index, line in
                    Finding(file, line: index + 1, "\(line.count) columns, \(Self.columns) are allowed")
                }
            })
    }

    @Test func `no line ends in white space, and every file in one line feed`() {
        expectNone(
            Repository.files.flatMap { file -> [Finding] in
                var findings = file.lines.enumerated().filter { $1.last == " " || $1.last == "\t" }.map {
                    Finding(file, line: $0.offset + 1, "white space at the end of the line")
                }
                if !file.text.isEmpty, !file.text.hasSuffix("\n") || file.text.hasSuffix("\n\n") {
                    findings.append(Finding(file, line: file.lines.count, "end the file in one line feed"))
                }
                return findings
            })
    }

    @Test func `no function is longer than the limit`() {
        expectNone(
            Repository.code.flatMap { file in
                let lengths = FunctionLengths(file.code)
                return (file.isSwift ? lengths.swift : lengths.c).filter { $0.lines > Self.functionLines }
                    .map {
                        Finding(
                            file, line: $0.first,
                            "a function of \($0.lines) lines, \(Self.functionLines) are allowed: split it")
                    }
            })
    }

    @Test func `no file is longer than the limit, but those listed`() {
        let long = Repository.code.filter { file in
            !file.path.hasPrefix("Tests/") && file.lines.count - 1 > Self.fileLines
        }
        expectNone(
            long.filter { Self.longFiles[$0.path] == nil }.map {
                Finding(
                    $0, line: $0.lines.count - 1,
                    "\($0.lines.count - 1) lines, \(Self.fileLines) are allowed: split it by concept")
            })
        #expect(
            Set(Self.longFiles.keys).subtracting(long.map(\.path)) == [],
            "these are short enough now: take them off the list")
    }

    @Test func `every Swift file begins with its name and what it is for`() {
        expectNone(
            Repository.swift.filter { $0.name != "Package.swift" }.compactMap { file in
                let start = "// \(file.name) — "
                return file.text.hasPrefix(start)
                    ? nil : Finding(file, line: 1, "begin with a line \"\(start)what it is and why\"")
            })
    }

    @Test func `the scanner tells code from comments and strings`() {
        let swift = #"""
            let a = "}\(b ? "{" : "\"{")" // {
            /* { /* { */ { */ let `a {` = #"\(x) { " "# + 'x'
            """#
        let swiftCode = #"""
            let a =     b ?     :
                              let       =                + 'x'
            """#
        let trimmed = SourceText.code(of: swift, .swift).split(separator: "\n").map(Self.trimmed)
        #expect(trimmed == swiftCode.split(separator: "\n").map(Self.trimmed))

        let c = "if (a == '{') b = \"\\\"{\"; /* { */ // {"
        #expect(Self.trimmed(SourceText.code(of: c, .c)[...]) == "if (a ==    ) b =      ;")
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
            FunctionLengths(swift).swift == [.init(first: 6, last: 8), .init(first: 9, last: 13)])
        let c = "struct s { int a; };\nstatic int x[] = { 1 };\nint f(void)\n{\n    if (x) { }\n}\n"
        #expect(FunctionLengths(c).c == [.init(first: 4, last: 6)])
    }

    private static func trimmed(_ line: Substring) -> Substring {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }
}
