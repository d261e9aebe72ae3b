// ELFImageBytes.swift — the only place where a byte of a stranger's ELF file is touched: every read
// is checked against the file's end, every sum against overflow. Next: ELFImageParser.swift.

internal import Glibc

/// The bytes of one ELF file with its word size and byte order. Borrows memory: it must not outlive
/// the call that was given the buffer.
struct ELFImageBytes {
    private let buffer: UnsafeRawBufferPointer
    let is64: Bool
    let isBigEndian: Bool

    init(_ buffer: UnsafeRawBufferPointer, is64: Bool, isBigEndian: Bool) {
        (self.buffer, self.is64, self.isBigEndian) = (buffer, is64, isBigEndian)
    }

    var count: UInt64 { UInt64(buffer.count) }

    /// The part of the file from `offset` on, `size` bytes long.
    ///
    /// - Throws: `truncated` if a complete file could be that long, `malformed` if none could.
    func range(
        _ part: ELFPart, at offset: UInt64, size: UInt64
    ) throws(ELFError) -> Range<UInt64> {
        let (end, overflow) = offset.addingReportingOverflow(size)
        guard !overflow, end <= UInt64(ObjectStore.largestObjectBytes) else {
            throw .malformed(
                part,
                reason: "would lie at byte \(offset) with \(size) bytes, beyond the "
                    + "\(ObjectStore.largestObjectBytes) bytes a plugin may have")
        }
        guard end <= count else {
            throw .truncated(part, offset: offset, needed: size, have: count)
        }
        return offset..<end
    }

    /// The part of `whole` that starts `offset` bytes into it.
    func range(
        _ part: ELFPart, at offset: UInt64, size: UInt64, within whole: Range<UInt64>
    ) throws(ELFError) -> Range<UInt64> {
        let length = whole.upperBound - whole.lowerBound
        guard offset <= length, size <= length - offset else {
            throw .malformed(
                part,
                reason: "has \(length) bytes, and something in it would lie at byte \(offset) "
                    + "with \(size) bytes")
        }
        let start = whole.lowerBound + offset
        return start..<(start + size)
    }

    func byte(_ part: ELFPart, at offset: UInt64) throws(ELFError) -> UInt8 {
        try integer(part, at: offset, as: UInt8.self)
    }

    func half(_ part: ELFPart, at offset: UInt64) throws(ELFError) -> UInt16 {
        try integer(part, at: offset, as: UInt16.self)
    }

    func word(_ part: ELFPart, at offset: UInt64) throws(ELFError) -> UInt32 {
        try integer(part, at: offset, as: UInt32.self)
    }

    /// An address, offset or size: 64 bits or 32, as the file's class has it.
    func native(_ part: ELFPart, at offset: UInt64) throws(ELFError) -> UInt64 {
        is64
            ? try integer(part, at: offset, as: UInt64.self)
            : UInt64(try integer(part, at: offset, as: UInt32.self))
    }

    /// A copy of the bytes in `range`, cut at the file's end.
    func copy(_ range: Range<UInt64>) -> [UInt8] {
        let clamped = range.clamped(to: 0..<count)
        return Array(buffer[Int(clamped.lowerBound)..<Int(clamped.upperBound)])
    }

    /// Whether `expected` lies at `start` of `range`, all of it.
    func holds(_ expected: [UInt8], in range: Range<UInt64>, at start: UInt64) -> Bool {
        let (first, overflow) = range.lowerBound.addingReportingOverflow(start)
        let end = min(range.upperBound, count)
        guard !overflow, first <= end, UInt64(expected.count) <= end - first,
            let memory = buffer.baseAddress
        else { return false }
        return memcmp(memory + Int(first), expected, expected.count) == 0
    }

    /// The bytes from `start` to the first NUL; `nil` if `range` ends, or `limit` bytes pass,
    /// before.
    func string(in range: Range<UInt64>, at start: UInt64, limit: UInt64) -> [UInt8]? {
        let (first, overflow) = range.lowerBound.addingReportingOverflow(start)
        guard !overflow, first < range.upperBound else { return nil }
        // One byte more than the limit, for the NUL.
        let last = min(range.upperBound, first + limit + 1)
        let bytes = copy(first..<last)
        guard let end = bytes.firstIndex(of: 0) else { return nil }
        return Array(bytes[..<end])
    }

    private func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ part: ELFPart, at offset: UInt64, as _: Value.Type
    ) throws(ELFError) -> Value {
        let bytes = try range(part, at: offset, size: UInt64(MemoryLayout<Value>.size))
        let value = buffer.loadUnaligned(fromByteOffset: Int(bytes.lowerBound), as: Value.self)
        return isBigEndian ? Value(bigEndian: value) : Value(littleEndian: value)
    }
}
