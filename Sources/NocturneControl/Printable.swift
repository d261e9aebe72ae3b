// Printable.swift — text of strangers, made fit for a terminal or a log: it cannot steer, hide or
// forge anything.

internal import NocturneCore

/// Text that plugins and files supply, with everything escaped that changes how the text around it
/// looks: control characters (so every terminal escape sequence), line separators, bidirectional
/// marks.
package enum Printable {
    /// `text` on one line: a line feed becomes `\n`, other unsafe characters `\u{1B}`.
    package static func line(_ text: String) -> String {
        escaped(text) { _ in false }
    }

    /// `text` with its line feeds and tabs.
    package static func block(_ text: String) -> String {
        escaped(text) { $0 == "\n" || $0 == "\t" }
    }

    /// JSON text with unsafe characters as JSON escapes: they can only stand inside strings, so the
    /// document means the same.
    package static func json(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.isUnsafeToShow && $0 != "\n" }) else {
            return text
        }
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.isUnsafeToShow, scalar != "\n" {
                for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
                    let digits = String(unit, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func escaped(_ text: String, keep: (Unicode.Scalar) -> Bool) -> String {
        guard text.unicodeScalars.contains(where: { $0.isUnsafeToShow && !keep($0) }) else {
            return text
        }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case _ where !scalar.isUnsafeToShow || keep(scalar):
                result.unicodeScalars.append(scalar)
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default: result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            }
        }
        return result
    }
}
