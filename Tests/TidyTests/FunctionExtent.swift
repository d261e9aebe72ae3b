// FunctionExtent.swift — where functions begin and end, by keywords and braces. Next: FormTests.swift.

/// A function with a body.
struct FunctionExtent: Equatable {
    /// Of its first line and of its closing brace, from 1.
    let first: Int, last: Int

    var lines: Int { last - first + 1 }

    static func all(in file: SourceFile) -> [FunctionExtent] {
        let scanner = FunctionScanner(file.code.joined(separator: "\n"))
        return file.isSwift ? scanner.swift : scanner.c
    }
}

/// Finds functions in code without comments and strings.
private struct FunctionScanner {
    private let bytes: [UInt8]
    private let lineOf: [Int]

    init(_ code: String) {
        bytes = Array(code.utf8)
        var line = 1
        lineOf = bytes.map { byte in
            defer { if byte == UInt8(ascii: "\n") { line += 1 } }
            return line
        }
    }

    /// Functions, initializers, deinitializers and subscripts.
    var swift: [FunctionExtent] {
        words(["func", "init", "deinit", "subscript"]).compactMap { start in
            body(after: start).map {
                FunctionExtent(first: lineOf[start], last: lineOf[$0.upperBound])
            }
        }
    }

    /// Blocks outside of all others that follow a closing parenthesis.
    var c: [FunctionExtent] {
        var found: [FunctionExtent] = []
        var at = 0, before = UInt8(ascii: " ")
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "{") {
                let end = close(at)
                if before == UInt8(ascii: ")") {
                    found.append(FunctionExtent(first: lineOf[at], last: lineOf[end]))
                }
                at = end
                before = UInt8(ascii: "}")
            } else if !isSpace(bytes[at]) {
                before = bytes[at]
            }
            at += 1
        }
        return found
    }

    // MARK: - Steps

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x09 }

    private func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    /// Where these stand as whole words, and not behind a dot.
    private func words(_ wanted: Set<String>) -> [Int] {
        var found: [Int] = []
        var at = 0
        while at < bytes.count {
            guard isWord(bytes[at]) else {
                at += 1
                continue
            }
            let start = at
            while at < bytes.count, isWord(bytes[at]) { at += 1 }
            let isMember = start > 0 && bytes[start - 1] == UInt8(ascii: ".")
            if !isMember, wanted.contains(String(decoding: bytes[start..<at], as: UTF8.self)) {
                found.append(start)
            }
        }
        return found
    }

    /// The braces of a declaration's body; `nil` if it has none, as in a protocol.
    private func body(after start: Int) -> ClosedRange<Int>? {
        var depth = 0
        var at = start
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"):
                depth -= 1
                if depth < 0 { return nil }
            case UInt8(ascii: "{") where depth == 0: return at...close(at)
            case UInt8(ascii: "}") where depth == 0: return nil
            case UInt8(ascii: "\n") where depth == 0 && !isContinued(after: at): return nil
            default: break
            }
            at += 1
        }
        return nil
    }

    /// Whether the next line goes on with a declaration's head.
    private func isContinued(after newline: Int) -> Bool {
        var at = newline
        while at < bytes.count, isSpace(bytes[at]) { at += 1 }
        let next = String(decoding: bytes[at..<min(bytes.count, at + 8)], as: UTF8.self)
        return ["{", "->", "async", "throws", "rethrows", "where"].contains(where: next.hasPrefix)
    }

    private func close(_ open: Int) -> Int {
        var depth = 0
        for at in open..<bytes.count {
            if bytes[at] == UInt8(ascii: "{") { depth += 1 }
            if bytes[at] == UInt8(ascii: "}") { depth -= 1 }
            if depth == 0 { return at }
        }
        return bytes.count - 1
    }
}
