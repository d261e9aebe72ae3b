// HistoryRecord.swift — records of the history's file: framed and checked, so that damage is found and passed over.
// Next: HistoryRecorder.swift for what is in them.

internal import NocturneCore

/// A record: four bytes that mark one, its length, checksums of its bytes and of these twelve, then the bytes.
enum HistoryRecord {
    /// `NREC`.
    static let mark: UInt32 = 0x4345_524E
    static let headBytes = 16

    /// What comes first in a file: `NOCTHIST` and the version of all that follows.
    static let fileMark: UInt64 = 0x5453_4948_5443_4F4E
    static let version: UInt32 = 1
    static let fileHeadBytes = 16

    static var fileHead: [UInt8] {
        var writer = ByteWriter()
        writer.write(fileMark)
        writer.write(version)
        writer.write(CRC32C.checksum(writer.bytes[...]))
        return writer.bytes
    }

    /// Appends a record.
    static func append(_ payload: [UInt8], to bytes: inout [UInt8]) {
        var head = ByteWriter()
        head.write(mark)
        head.write(UInt32(truncatingIfNeeded: payload.count))
        head.write(CRC32C.checksum(payload[...]))
        head.write(CRC32C.checksum(head.bytes[...]))
        bytes += head.bytes
        bytes += payload
    }

    /// Goes through the records of a file behind its head. Returns how many places there are where something else
    /// stands than a whole record.
    static func forEach(in bytes: [UInt8], _ body: (ArraySlice<UInt8>) -> Void) -> Int {
        var (next, damages, isDamage) = (fileHeadBytes, 0, false)
        while next < bytes.count {
            if let payload = payload(at: next, in: bytes) {
                isDamage = false
                body(payload)
                next = payload.endIndex
                continue
            }
            if !isDamage { damages += 1 }
            isDamage = true
            next += 1
        }
        return damages
    }

    private static func payload(at start: Int, in bytes: [UInt8]) -> ArraySlice<UInt8>? {
        // Two bytes first: this is tried at every byte of what is damaged.
        guard start + headBytes <= bytes.count, bytes[start] == UInt8(mark & 0xFF),
            bytes[start + 1] == UInt8(mark >> 8 & 0xFF)
        else { return nil }
        var head = ByteReader(bytes[start..<(start + headBytes)])
        guard head.word32() == mark, let length = head.word32(), let sum = head.word32(),
            head.word32() == CRC32C.checksum(bytes[start..<(start + 12)]),
            Int(length) <= bytes.count - start - headBytes
        else { return nil }
        let payload = bytes[(start + headBytes)..<(start + headBytes + Int(length))]
        return CRC32C.checksum(payload) == sum ? payload : nil
    }
}

/// Writes numbers and texts as bytes.
struct ByteWriter {
    var bytes: [UInt8] = []

    mutating func write(_ word: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: 0, to: word.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> shift))
        }
    }

    /// Seven bits in a byte, the lowest first; the eighth says that there are more.
    mutating func writeVariable(_ number: UInt64) {
        var rest = number
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A text with its length.
    mutating func write(_ text: String) {
        writeVariable(UInt64(text.utf8.count))
        bytes += text.utf8
    }

    /// A number: whole ones in few bytes, all others behind a byte that says so.
    mutating func write(_ value: Double) {
        if value.magnitude < 0x1p52, Double(Int64(value)).bitPattern == value.bitPattern {
            let whole = Int64(value)
            writeVariable(UInt64(bitPattern: (whole << 1) ^ (whole >> 63)) << 1)
        } else {
            bytes.append(1)
            write(value.bitPattern)
        }
    }

    /// Words with how many they are.
    mutating func write(_ words: [UInt64]) {
        writeVariable(UInt64(words.count))
        for word in words { write(word) }
    }
}

/// Reads what a ``ByteWriter`` wrote; `nil` where that does not stand.
struct ByteReader {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { bytes.isEmpty }

    mutating func byte() -> UInt8? { bytes.popFirst() }

    private mutating func word(_ count: Int) -> UInt64? {
        guard bytes.count >= count else { return nil }
        let word = bytes.prefix(count).reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        bytes = bytes.dropFirst(count)
        return word
    }

    mutating func word32() -> UInt32? { word(4).map { UInt32(truncatingIfNeeded: $0) } }

    mutating func word64() -> UInt64? { word(8) }

    mutating func variable() -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: 0 as UInt64, to: 70, by: 7) {
            guard let byte = byte() else { return nil }
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
        }
        return nil
    }

    /// A number that counts bytes or things of at least a byte, so there cannot be more than are left.
    mutating func count() -> Int? {
        guard let number = variable(), number <= UInt64(bytes.count) else { return nil }
        return Int(number)
    }

    mutating func text() -> String? {
        guard let count = count() else { return nil }
        defer { bytes = bytes.dropFirst(count) }
        return String(validating: bytes.prefix(count), as: UTF8.self)
    }

    mutating func number() -> Double? {
        guard let first = bytes.first else { return nil }
        if first == 1 {
            bytes = bytes.dropFirst()
            return word64().map(Double.init(bitPattern:))
        }
        guard let coded = variable() else { return nil }
        let whole = coded >> 1
        return Double(Int64(bitPattern: whole >> 1 ^ (0 &- (whole & 1))))
    }

    mutating func words() -> [UInt64]? {
        guard let count = count() else { return nil }
        var words: [UInt64] = []
        words.reserveCapacity(count)
        for _ in 0..<count {
            guard let word = word64() else { return nil }
            words.append(word)
        }
        return words
    }
}
