// JSONScanner+Strings.swift — the strings of JSON: one copy when there is nothing to unescape,
// strict UTF-8 always. Next: JSONSerializer.swift.

extension JSONScanner {
    /// Reads a string whose opening quote stands at `offset`.
    mutating func string() throws(JSONError) -> String {
        offset += 1
        let start = offset
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                let text = String(decoding: bytes[start..<offset], as: UTF8.self)
                offset += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try unescapedString(from: start) }
            try skipCharacter(byte)
        }
        throw unexpected("a closing quote")
    }

    /// The rest of a string that has an escape at `offset`.
    private mutating func unescapedString(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<offset])
        while offset < bytes.count {
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                try escape(into: &text)
            default:
                let first = offset
                try skipCharacter(byte)
                text.append(contentsOf: bytes[first..<offset])
            }
        }
        throw unexpected("a closing quote")
    }

    /// Steps over one character that is neither a quote nor an escape.
    @inline(__always) private mutating func skipCharacter(_ byte: UInt8) throws(JSONError) {
        if byte >= 0x20, byte < 0x80 {
            offset += 1
        } else if byte >= 0x80 {
            offset += try lengthOfCharacter()
        } else {
            throw .syntax(
                at: position(of: offset), found: "byte 0x\(hexadecimal(byte)) in a string",
                expected: "an escape such as \\n or \\u00\(hexadecimal(byte))")
        }
    }

    /// The bytes of the character at `offset`, by Table 3-7 of the Unicode Standard: no overlong
    /// forms, no surrogates, nothing above U+10FFFF.
    private func lengthOfCharacter() throws(JSONError) -> Int {
        let lead = bytes[offset]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw invalidUTF8()
        }
        guard offset + length <= bytes.count, second.contains(bytes[offset + 1]) else {
            throw invalidUTF8()
        }
        for place in (offset + 2)..<Swift.max(offset + 2, offset + length)
        where bytes[place] & 0xC0 != 0x80 {
            throw invalidUTF8()
        }
        return length
    }

    private func invalidUTF8() -> JSONError {
        let shown = bytes[offset...].prefix(4).map { "0x" + hexadecimal($0) }
        return .invalidText(
            at: position(of: offset), found: "bytes \(shown.joined(separator: " "))")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        let start = offset
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            offset += 1
            text.append(contentsOf: try scalar(escapedAt: start).utf8)
            return
        default:
            throw unexpected("one of \" \\ / b f n r t u after the backslash")
        }
        offset += 1
    }

    /// Reads the digits after `\u`, and those of a second escape if the first is half of a pair.
    private mutating func scalar(escapedAt start: Int) throws(JSONError) -> String {
        var value = UInt32(try fourHexadecimalDigits())
        if 0xD800...0xDBFF ~= value, byte == UInt8(ascii: "\\") {
            let second = offset
            offset += 1
            if byte == UInt8(ascii: "u") {
                offset += 1
                let low = UInt32(try fourHexadecimalDigits())
                if 0xDC00...0xDFFF ~= low {
                    value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
                }
            } else {
                offset = second
            }
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw .invalidText(
                at: position(of: start),
                found: "the escape \\u\(String(value, radix: 16, uppercase: true)), half of a pair")
        }
        return String(scalar)
    }

    private mutating func fourHexadecimalDigits() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw unexpected("four hexadecimal digits after \\u")
            }
            value = value << 4 | UInt16(digit)
            offset += 1
        }
        return value
    }
}
