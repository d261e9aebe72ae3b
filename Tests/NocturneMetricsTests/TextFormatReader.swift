// TextFormatReader.swift — reads Prometheus' formats by their grammar, knowing nothing of how they were written.
// Next: ExportValidatorTests.swift.

/// A sample of a text format.
struct ReadSample {
    var name = ""
    /// By names' bytes, as in the text.
    var labels: [(name: String, value: String)] = []
    var value = ""

    /// Name and labels without regard to order.
    var identity: String {
        name
            + labels.sorted { $0.name < $1.name }.map {
                "\u{1}\(Array($0.name.utf8))=\(Array($0.value.utf8))"
            }.joined()
    }

    /// The value of a label.
    func label(_ name: String) -> String? { labels.first { $0.name == name }?.value }
}

/// A family of a text format.
struct ReadFamily {
    var name: String
    var help: String?
    var type: String?
    var unit: String?
    var samples: [ReadSample] = []
}

/// What is wrong with a text.
struct ReadProblem: Error, CustomStringConvertible {
    let description: String
}

/// The grammar of text format 0.0.4 and of OpenMetrics 1.0.0, as far as both have it, and their rules about families.
struct TextFormatReader {
    private var bytes: ArraySlice<UInt8>
    private let isOpenMetrics: Bool

    private init(_ bytes: [UInt8], isOpenMetrics: Bool) {
        (self.bytes, self.isOpenMetrics) = (bytes[...], isOpenMetrics)
    }

    /// All families of a text, if it is one.
    static func read(_ bytes: [UInt8], isOpenMetrics: Bool) throws -> [ReadFamily] {
        var reader = Self(bytes, isOpenMetrics: isOpenMetrics)
        return try reader.families()
    }

    private mutating func families() throws -> [ReadFamily] {
        var families: [ReadFamily] = []
        var identities: Set<String> = []
        while !bytes.isEmpty {
            if skip("# EOF\n") {
                guard isOpenMetrics, bytes.isEmpty else { throw ReadProblem(description: "EOF") }
                return families
            }
            if skip("# ") {
                try readHeader(into: &families)
            } else {
                let sample = try readSample()
                guard identities.insert(sample.identity).inserted else {
                    throw problem("twice: \(sample)")
                }
                guard let family = families.indices.last, owns(families[family], sample.name) else {
                    throw problem("no family for \(sample.name)")
                }
                families[family].samples.append(sample)
            }
        }
        if isOpenMetrics { throw problem("no EOF") }
        return families
    }

    /// Whether a sample's name may be in a family.
    private func owns(_ family: ReadFamily, _ name: String) -> Bool {
        let suffixes: [String]
        switch family.type {
        case "counter": suffixes = isOpenMetrics ? ["_total", "_created"] : [""]
        case "gauge": suffixes = [""]
        case "histogram":
            suffixes = ["_bucket", "_sum", "_count"] + (isOpenMetrics ? ["_created"] : [])
        case "summary": suffixes = ["", "_sum", "_count"] + (isOpenMetrics ? ["_created"] : [])
        default: return false
        }
        return suffixes.contains { family.name + $0 == name }
    }

    private mutating func readHeader(into families: inout [ReadFamily]) throws {
        let keyword = try take { $0 != UInt8(ascii: " ") }
        try expect(" ")
        let name = try self.name(colons: true)
        try expect(" ")
        if keyword == "HELP" {
            guard !families.contains(where: { $0.name == name }) else {
                throw problem("\(name) twice")
            }
            families.append(ReadFamily(name: name))
            families[families.count - 1].help = try text(until: "\n", quoteIsEscaped: isOpenMetrics)
        } else {
            guard let last = families.indices.last, families[last].name == name,
                families[last].samples.isEmpty
            else { throw problem("\(keyword) of \(name) in another place") }
            let value = try take { $0 != UInt8(ascii: "\n") }
            switch keyword {
            case "TYPE" where families[last].type == nil: families[last].type = value
            case "UNIT" where isOpenMetrics && name.hasSuffix("_" + value):
                families[last].unit = value
            default: throw problem("\(keyword) of \(name)")
            }
        }
        try expect("\n")
    }

    private mutating func readSample() throws -> ReadSample {
        var sample = ReadSample(name: try name(colons: true))
        if skip("{") {
            repeat {
                let name = try name(colons: false)
                try expect("=\"")
                guard sample.label(name) == nil else { throw problem("label \(name) twice") }
                sample.labels.append((name, try text(until: "\"", quoteIsEscaped: true)))
                try expect("\"")
            } while skip(",")
            try expect("}")
        }
        try expect(" ")
        sample.value = try take { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: " ") }
        guard Double(sample.value) != nil else { throw problem("value \(sample.value)") }
        try expect("\n")
        return sample
    }

    // MARK: - Tokens

    private mutating func name(colons: Bool) throws -> String {
        let name = try take { byte in
            let character = Character(UnicodeScalar(byte))
            return byte < 0x80
                && (character.isLetter || character.isNumber || character == "_"
                    || colons && character == ":")
        }
        guard name.first?.isNumber == false else { throw problem("name \(name)") }
        return name
    }

    private mutating func text(until end: Character, quoteIsEscaped: Bool) throws -> String {
        var text: [UInt8] = []
        while let byte = bytes.first, byte != end.asciiValue {
            bytes.removeFirst()
            if byte == UInt8(ascii: "\n") || quoteIsEscaped && byte == UInt8(ascii: "\"") {
                throw problem("not escaped: \(byte)")
            }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            if skip("n") {
                text.append(UInt8(ascii: "\n"))
            } else if skip("\\") {
                text.append(UInt8(ascii: "\\"))
            } else if quoteIsEscaped, skip("\"") {
                text.append(UInt8(ascii: "\""))
            } else {
                throw problem("escape")
            }
        }
        guard let text = String(validating: text, as: UTF8.self) else { throw problem("UTF-8") }
        return text
    }

    private mutating func take(while isPart: (UInt8) -> Bool) throws -> String {
        let part = bytes.prefix(while: isPart)
        guard !part.isEmpty else { throw problem("nothing") }
        bytes = bytes[part.endIndex...]
        return String(decoding: part, as: UTF8.self)
    }

    private mutating func skip(_ text: String) -> Bool {
        guard bytes.starts(with: text.utf8) else { return false }
        bytes = bytes.dropFirst(text.utf8.count)
        return true
    }

    private mutating func expect(_ text: String) throws {
        guard skip(text) else { throw problem("expected \(text)") }
    }

    private func problem(_ text: String) -> ReadProblem {
        ReadProblem(
            description: "\(text) before: " + String(decoding: bytes.prefix(80), as: UTF8.self))
    }
}
