// HistoryBits.swift — single bits in 64-bit words, as the history's chunks are made of. Next: HistoryCode.swift.

/// Writes bits, the most significant of each word first.
struct BitWriter {
    /// Full words.
    var words: [UInt64] = []
    private(set) var tail: UInt64 = 0
    private var free = 64

    /// Appends the lowest `count` bits of `value`, whose others are 0; at most 64.
    @inline(__always)
    mutating func write(_ value: UInt64, _ count: Int) {
        if count < free {
            free &-= count
            tail |= value &<< UInt64(free)
            return
        }
        let spill = count &- free
        words.append(tail | (spill == 64 ? 0 : value &>> UInt64(spill)))
        free = 64 &- spill
        tail = spill == 0 ? 0 : value &<< UInt64(free)
    }

    /// Fills up the last word, so that the next bit begins one. Writes nothing if it does already.
    mutating func align() {
        guard free < 64 else { return }
        words.append(tail)
        (tail, free) = (0, 64)
    }
}

extension BitWriter {
    /// Ones before the bits of a Rice code; more mean that its width follows.
    private static let longestRun = 16

    /// A whole number that is small most of the time, by Rice's code: ⌊value/2^k⌋ ones, a zero, k bits. Above 16 ones
    /// its width follows instead (R. F. Rice, Some Practical Universal Noiseless Coding Techniques, JPL 79-22, 1979).
    mutating func writeRice(_ value: UInt64, _ shift: Int) {
        let ones = value >> UInt64(shift)
        if ones < UInt64(Self.longestRun) {
            let run = Int(ones) + 1
            write((1 &<< UInt64(run)) &- 2, run)
            write(value & ((1 &<< UInt64(shift)) &- 1), shift)
            return
        }
        let width = max(64 - value.leadingZeroBitCount, 1)
        writeEscape(width - 1)
        write(value, width)
    }

    /// What a Rice code never is, with 6 bits.
    mutating func writeEscape(_ code: Int) {
        write((1 << UInt64(Self.longestRun)) - 1, Self.longestRun)
        write(UInt64(code), 6)
    }
}

/// Reads what a ``BitWriter`` wrote. Past the end it reads zeros and says so.
struct BitReader {
    private let words: [UInt64]
    private let tail: UInt64
    private var next: Int
    private let end: Int
    private(set) var isPastEnd = false

    /// Bits from one word on up to another, behind which comes `tail` if the words end there.
    init(_ words: [UInt64], tail: UInt64 = 0, from: Int, to end: Int) {
        (self.words, self.tail) = (words, tail)
        next = from &* 64
        self.end = end &* 64
    }

    /// The next `count` bits; at most 64.
    @inline(__always)
    mutating func read(_ count: Int) -> UInt64 {
        guard count > 0 else { return 0 }
        guard next &+ count <= end else {
            isPastEnd = true
            next = end
            return 0
        }
        let (word, bit) = (next &>> 6, next & 63)
        next &+= count
        let high = self[word] &<< UInt64(bit)
        let rest = bit &+ count &- 64
        guard rest > 0 else { return high &>> UInt64(64 &- count) }
        return (high | (self[word &+ 1] &>> UInt64(64 &- bit))) &>> UInt64(64 &- count)
    }

    /// How many ones come before the next zero, which is read too; at most `limit`, after which no zero comes.
    @inline(__always)
    private mutating func readRun(limit: Int) -> Int {
        var ones = 0
        while ones < limit, read(1) == 1 { ones &+= 1 }
        return ones
    }

    /// What ``BitWriter/writeRice(_:_:)`` wrote; what ``BitWriter/writeEscape(_:)`` did if its code is `escape`: `nil`.
    @inline(__always)
    mutating func readRice(_ shift: Int, escape: Int = 64) -> UInt64? {
        let ones = readRun(limit: 16)
        if ones < 16 { return (UInt64(ones) &<< UInt64(shift)) | read(shift) }
        let code = Int(read(6))
        return code == escape ? nil : read(code &+ 1)
    }

    private subscript(word: Int) -> UInt64 {
        @inline(__always) get { word < words.count ? words[word] : tail }
    }
}

/// Which parameter suits the next Rice code, by those before.
struct RiceShift {
    /// About eight times the mean of the last values.
    private var sum: UInt64 = 0

    /// Near log2(mean · ln 2), which is best for a geometric distribution.
    var shift: Int {
        @inline(__always) get { 64 &- ((sum &* 11) &>> 7).leadingZeroBitCount }
    }

    /// Takes a value into account.
    @inline(__always)
    mutating func note(_ value: UInt64) {
        // A limit, so that nothing overflows.
        sum = sum &- (sum &>> 3) &+ min(value, 1 &<< 55)
    }
}
