// ZoneFile.swift — reads a TZif file, RFC 9636. Next: Zone.swift.

/// What a TZif file says.
struct ZoneFile: Sendable, Hashable {
    /// The offset before the first change, in seconds east of Greenwich.
    let firstOffset: Int
    /// In order; each changes the offset.
    let changes: [ZoneChange]
    /// How it goes on after the last change; `nil` if it stays as it is then.
    let rule: ZoneRule?

    /// Bytes. The largest file of the database has less than 4 KB.
    static let maximumSize = 65_536

    /// Further from Greenwich is damage: no zone ever was more than 16 hours away, and RFC 9636 names 26.
    private static let offsets = -26 * 3_600...26 * 3_600

    /// Seconds since 1970. RFC 9636 puts the Big Bang at -2^59; no clock changes before it.
    private static let times = -(1 << 59)...1 << 59

    /// What is wrong with a file.
    struct Damage: Error {
        let reason: String

        init(_ reason: String) { self.reason = reason }
    }

    init(_ bytes: [UInt8]) throws(Damage) {
        let short = try Header(bytes, at: 0)
        // Version 1 has 32-bit times only; later ones repeat all in 64 bits, with a footer.
        let isShort = short.version == 0
        let header = isShort ? short : try Header(bytes, at: short.end(timeSize: 4))
        let timeSize = isShort ? 4 : 8
        let end = header.end(timeSize: timeSize)
        guard end <= bytes.count else { throw Damage("it ends too early") }
        guard header.leapSeconds == 0 else { throw Damage("it counts leap seconds") }
        guard header.types > 0 else { throw Damage("it has no type of local time") }

        let types = header.start + header.times * (timeSize + 1)
        func offset(of type: Int) throws(Damage) -> Int {
            guard type < header.types else { throw Damage("there is no type \(type)") }
            let offset = bigEndian(bytes, at: types + type * 6, size: 4)
            guard Self.offsets.contains(offset) else {
                throw Damage("the offset of type \(type) is impossible")
            }
            return offset
        }
        let rule = isShort ? nil : try Self.footer(bytes[end...])
        // Without a change, the footer holds for all times.
        let firstType = try offset(of: 0)
        firstOffset = header.times == 0 ? rule?.standard ?? firstType : firstType
        var changes: [ZoneChange] = []
        var previous = (at: Int.min, offset: firstOffset)
        for index in 0..<header.times {
            let at = bigEndian(bytes, at: header.start + index * timeSize, size: timeSize)
            let type = Int(bytes[header.start + header.times * timeSize + index])
            guard at > previous.at, Self.times.contains(at) else {
                throw Damage("its times are not in order")
            }
            let next = try offset(of: type)
            // Some changes are of the zone's abbreviation only.
            if next != previous.offset { changes.append(ZoneChange(at: at, offset: next)) }
            previous = (at, next)
        }
        (self.changes, self.rule) = (changes, rule)
    }

    private static func footer(_ bytes: ArraySlice<UInt8>) throws(Damage) -> ZoneRule? {
        let newline = UInt8(ascii: "\n")
        guard bytes.first == newline, let end = bytes.dropFirst().firstIndex(of: newline) else {
            throw Damage("it has no footer")
        }
        let text = bytes[(bytes.startIndex + 1)..<end]
        guard !text.isEmpty else { return nil }
        guard let rule = ZoneRule(posix: Array(text)) else { throw Damage("its footer is no rule") }
        return rule
    }

    /// The sizes of the tables.
    private struct Header {
        static let size = 44
        /// 0 for version 1, else a digit of ASCII.
        let version: UInt8
        /// Where the tables start.
        let start: Int
        let leapSeconds: Int
        let times: Int
        let types: Int
        private let otherBytes: Int

        init(_ bytes: [UInt8], at offset: Int) throws(Damage) {
            guard bytes.count >= offset + Self.size,
                bytes[offset..<offset + 4].elementsEqual("TZif".utf8)
            else { throw Damage("it is no TZif file") }
            func count(_ index: Int) -> Int {
                bigEndian(bytes, at: offset + 20 + index * 4, size: 4)
            }
            let counts = (0..<6).map(count)
            guard counts.allSatisfy({ (0...bytes.count).contains($0) }) else {
                throw Damage("its tables are larger than the file")
            }
            version = bytes[offset + 4]
            start = offset + Self.size
            otherBytes = counts[0] + counts[1] + counts[5]
            (leapSeconds, times, types) = (counts[2], counts[3], counts[4])
        }

        /// Where the tables end.
        func end(timeSize: Int) -> Int {
            start + times * (timeSize + 1) + types * 6 + leapSeconds * (timeSize + 4) + otherBytes
        }
    }
}

/// A signed integer of 4 or 8 bytes.
private func bigEndian(_ bytes: [UInt8], at offset: Int, size: Int) -> Int {
    let value = bytes[offset..<offset + size].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return size == 4 ? Int(Int32(truncatingIfNeeded: value)) : Int(Int64(bitPattern: value))
}
