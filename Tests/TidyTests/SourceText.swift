// SourceText.swift — Swift and C without their comments and strings, so that a rule about code finds code.
// Next: FunctionExtent.swift.

/// Blanks out what is not code. Lines and columns stay where they were.
struct SourceText {
    enum Language { case swift, c }

    private enum Context {
        /// Code; `parentheses` counts those that are open, if this is an interpolation.
        case code(parentheses: Int?)
        /// A literal of Swift: so many `#`, and whether it is `"""`.
        case string(hashes: Int, isMultiline: Bool)
    }

    private let bytes: [UInt8]
    private let language: Language
    private var at = 0
    private var output: [UInt8] = []
    private var contexts: [Context] = [.code(parentheses: nil)]

    private init(_ text: String, _ language: Language) {
        bytes = Array(text.utf8)
        self.language = language
        output.reserveCapacity(bytes.count)
    }

    static func code(of text: String, _ language: Language) -> String {
        var scanner = SourceText(text, language)
        scanner.run()
        return String(decoding: scanner.output, as: UTF8.self)
    }

    private mutating func run() {
        while at < bytes.count {
            switch contexts.last ?? .code(parentheses: nil) {
            case .code(let parentheses): stepCode(parentheses)
            case .string(let hashes, let isMultiline): stepString(hashes, isMultiline)
            }
        }
    }

    // MARK: - Steps

    private func peek(_ text: String) -> Bool {
        var index = at
        for byte in text.utf8 {
            guard index < bytes.count, bytes[index] == byte else { return false }
            index += 1
        }
        return true
    }

    private mutating func keep() {
        output.append(bytes[at])
        at += 1
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where at < bytes.count {
            output.append(bytes[at] == UInt8(ascii: "\n") ? bytes[at] : UInt8(ascii: " "))
            at += 1
        }
    }

    private mutating func blank(until end: String) {
        while at < bytes.count, !peek(end) { blank() }
    }

    private mutating func stepCode(_ parentheses: Int?) {
        switch bytes[at] {
        case UInt8(ascii: "/") where peek("//"): blank(until: "\n")
        case UInt8(ascii: "/") where peek("/*"): blankComment()
        case UInt8(ascii: "`") where language == .swift:
            blank()
            blank(until: "`")
            blank()
        case UInt8(ascii: "#") where language == .swift, UInt8(ascii: "\""):
            openString()
        case UInt8(ascii: "'") where language == .c:
            blankQuoted(by: "'")
        case UInt8(ascii: "("):
            if let parentheses {
                contexts[contexts.count - 1] = .code(parentheses: parentheses + 1)
            }
            keep()
        case UInt8(ascii: ")"):
            if let parentheses {
                if parentheses == 1 {
                    contexts.removeLast()
                    return blank()
                }
                contexts[contexts.count - 1] = .code(parentheses: parentheses - 1)
            }
            keep()
        default: keep()
        }
    }

    /// Swift's block comments nest, C's do not.
    private mutating func blankComment() {
        var depth = 0
        repeat {
            if peek("/*"), language == .swift || depth == 0 {
                depth += 1
                blank(2)
            } else if peek("*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && at < bytes.count
    }

    private mutating func blankQuoted(by quote: String) {
        blank()
        while at < bytes.count, !peek(quote), !peek("\n") { blank(peek("\\") ? 2 : 1) }
        blank()
    }

    private mutating func openString() {
        guard language == .swift else { return blankQuoted(by: "\"") }
        var hashes = 0
        while at + hashes < bytes.count, bytes[at + hashes] == UInt8(ascii: "#") { hashes += 1 }
        guard at + hashes < bytes.count, bytes[at + hashes] == UInt8(ascii: "\"") else {
            return keep()  // `#if`, `#expect`, …
        }
        blank(hashes)
        let isMultiline = peek("\"\"\"")
        blank(isMultiline ? 3 : 1)
        contexts.append(.string(hashes: hashes, isMultiline: isMultiline))
    }

    private mutating func stepString(_ hashes: Int, _ isMultiline: Bool) {
        // Most of a string is none of these: make it quick.
        guard "\"\\\n".utf8.contains(bytes[at]) else { return blank() }
        let marks = String(repeating: "#", count: hashes)
        let end = (isMultiline ? "\"\"\"" : "\"") + marks
        if peek(end) || (!isMultiline && peek("\n")) {
            blank(peek("\n") ? 0 : end.utf8.count)
            contexts.removeLast()
        } else if peek("\\\(marks)(") {
            blank(hashes + 2)
            contexts.append(.code(parentheses: 1))
        } else if peek("\\\(marks)") {
            blank(hashes + 2)
        } else {
            blank()
        }
    }
}
