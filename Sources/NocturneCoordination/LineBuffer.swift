// LineBuffer.swift — lines out of bytes that come in pieces, none longer than allowed. Next: ChildProcess.swift.

/// Puts lines together.
struct LineBuffer: Sendable {
    /// What came of some bytes.
    enum Line: Sendable, Hashable {
        /// A line without its end.
        case complete([UInt8])
        /// A line is longer than allowed; nothing after it can be trusted.
        case tooLong
    }

    private let longest: Int
    private var rest: [UInt8] = []
    private var isBroken = false

    init(longest: Int) { self.longest = longest }

    mutating func take(_ bytes: some Sequence<UInt8>) -> [Line] {
        var lines: [Line] = []
        for byte in bytes where !isBroken {
            if byte == UInt8(ascii: "\n") {
                lines.append(.complete(rest))
                rest.removeAll(keepingCapacity: true)
            } else if rest.count == longest {
                isBroken = true
                rest = []
                lines.append(.tooLong)
            } else {
                rest.append(byte)
            }
        }
        return lines
    }
}
