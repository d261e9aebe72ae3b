// HistoryCode.swift — how a column's next value is written, given those before. Next: HistoryChunk.swift.

/// Predicts and codes the values of one column of a chunk, one by one.
///
/// Most metrics are whole numbers, multiples of a page, or have few decimals: those are coded as whole numbers, as
/// the difference from the value before or from where the last two point, whichever was nearer of late, in Rice's
/// code. All others are coded as in Facebook's Gorilla: the bits that differ from the value before
/// (http://www.vldb.org/pvldb/vol8/p1816-teller.pdf, §4.1.2). Every bit of every value comes back.
struct HistoryCode {
    /// What values are multiples of; the last stands for none.
    private enum Unit {
        static let page: UInt8 = 0
        static let one: UInt8 = 1
        /// The units after ``one``: a tenth, a hundredth and so on.
        static let powersOfTen = [1, 1, 10, 100, 1_000, 10_000, 100_000.0]
        static let none: UInt8 = 7
        /// Beyond it not every whole number is a `Double`.
        static let limit = 0x1p53
        static let pageSize = 4_096.0
        /// An escape of the Rice code that says that the unit changes. No difference is that wide.
        static let change = 63
    }

    private var unit = Unit.page
    private var leading: UInt8 = 64
    private var trailing: UInt8 = 0
    private var whole: Int64 = 0
    private var delta: Int64 = 0
    private var bits: UInt64 = 0
    private var constantCost: UInt64 = 0
    private var linearCost: UInt64 = 0
    private var rice = RiceShift()

    /// The last value.
    var last: Double { Double(bitPattern: bits) }

    // MARK: - Whole numbers

    @inline(__always)
    private static func whole(_ value: Double, _ unit: UInt8) -> Int64? {
        let scaled: Double
        switch unit {
        case Unit.page: scaled = value * (1 / Unit.pageSize)
        case Unit.one: scaled = value
        default: scaled = (value * Unit.powersOfTen[Int(unit)]).rounded()
        }
        guard scaled.magnitude < Unit.limit else { return nil }
        let whole = Int64(scaled)
        return Self.value(whole, unit).bitPattern == value.bitPattern ? whole : nil
    }

    @inline(__always)
    private static func value(_ whole: Int64, _ unit: UInt8) -> Double {
        switch unit {
        case Unit.page: Double(whole) * Unit.pageSize
        case Unit.one: Double(whole)
        default: Double(whole) / Unit.powersOfTen[Int(unit)]
        }
    }

    private var expected: Int64 {
        @inline(__always) get { linearCost < constantCost ? whole &+ delta : whole }
    }

    /// Takes a whole number for the last one.
    @inline(__always)
    private mutating func take(_ next: Int64) {
        let change = next &- whole
        constantCost = constantCost &- (constantCost &>> 2) &+ change.magnitude
        linearCost = linearCost &- (linearCost &>> 2) &+ (change &- delta).magnitude
        (delta, whole) = (change, next)
    }

    private static func zigzag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
    }

    private static func unzigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: (value &>> 1) ^ (0 &- (value & 1)))
    }

    // MARK: - Writing

    /// Whether a value is what was predicted. If so, it is taken, and nothing needs to be written.
    @inline(__always)
    mutating func takesAsPredicted(_ value: Double) -> Bool {
        guard unit != Unit.none else { return value.bitPattern == bits }
        guard Self.value(expected, unit).bitPattern == value.bitPattern else { return false }
        bits = value.bitPattern
        take(expected)
        return true
    }

    /// Writes the first value of a chunk.
    mutating func writeFirst(_ value: Double, to writer: inout BitWriter) {
        self = HistoryCode()
        begin(value, from: Unit.page, &writer)
    }

    /// Writes a value that is not as predicted.
    @inline(__always)
    mutating func write(_ value: Double, to writer: inout BitWriter) {
        guard unit != Unit.none else { return writeBits(value.bitPattern, &writer) }
        guard let next = Self.whole(value, unit) else {
            writer.writeEscape(Unit.change)
            return begin(value, from: unit + 1, &writer)
        }
        let error = Self.zigzag(next &- expected)
        writer.writeRice(error, rice.shift)
        rice.note(error)
        take(next)
        bits = value.bitPattern
    }

    /// Writes a value in the first unit that fits.
    private mutating func begin(_ value: Double, from: UInt8, _ writer: inout BitWriter) {
        unit = from
        while unit < Unit.none {
            if let first = Self.whole(value, unit) {
                start(at: first)
                writer.write(UInt64(unit), 3)
                writer.writeRice(Self.zigzag(first), 0)
                break
            }
            unit += 1
        }
        if unit == Unit.none {
            writer.write(UInt64(unit), 3)
            writer.write(value.bitPattern, 64)
        }
        bits = value.bitPattern
    }

    private mutating func start(at first: Int64) {
        (whole, delta, constantCost, linearCost) = (first, 0, 0, 0)
        rice = RiceShift()
    }

    private mutating func writeBits(_ next: UInt64, _ writer: inout BitWriter) {
        let changed = next ^ bits
        bits = next
        let lead = min(changed.leadingZeroBitCount, 63)
        let trail = min(changed.trailingZeroBitCount, 63)
        let window = 64 - Int(leading) - Int(trailing)
        // Twelve bits say what a new window is, so a window that is not wider by that is used again.
        if leading < 64, lead >= leading, trail >= trailing, window - (64 - lead - trail) < 12 {
            writer.write(0, 1)
            writer.write(changed >> UInt64(trailing), window)
            return
        }
        (leading, trailing) = (UInt8(lead), UInt8(trail))
        writer.write(1, 1)
        writer.write(UInt64(lead), 6)
        writer.write(UInt64(63 - lead - trail), 6)
        writer.write(changed >> UInt64(trail), 64 - lead - trail)
    }

    // MARK: - Reading

    /// Takes the value that is predicted.
    @inline(__always)
    mutating func takePredicted() {
        guard unit != Unit.none else { return }
        take(expected)
        bits = Self.value(whole, unit).bitPattern
    }

    /// Reads what ``writeFirst(_:to:)`` wrote.
    mutating func readFirst(from reader: inout BitReader) {
        self = HistoryCode()
        resume(from: &reader)
    }

    /// Reads what ``write(_:to:)`` wrote.
    @inline(__always)
    mutating func read(from reader: inout BitReader) {
        guard unit != Unit.none else { return readBits(from: &reader) }
        guard let error = reader.readRice(rice.shift, escape: Unit.change) else {
            return resume(from: &reader)
        }
        let next = expected &+ Self.unzigzag(error)
        rice.note(error)
        take(next)
        bits = Self.value(next, unit).bitPattern
    }

    private mutating func resume(from reader: inout BitReader) {
        unit = UInt8(reader.read(3))
        if unit == Unit.none {
            bits = reader.read(64)
        } else {
            start(at: Self.unzigzag(reader.readRice(0) ?? 0))
            bits = Self.value(whole, unit).bitPattern
        }
    }

    private mutating func readBits(from reader: inout BitReader) {
        if reader.read(1) == 1 {
            leading = UInt8(reader.read(6))
            let width = Int(reader.read(6)) + 1
            trailing = UInt8(max(64 - Int(leading) - width, 0))
        }
        let width = 64 - Int(leading) - Int(trailing)
        bits ^= reader.read(max(width, 0)) &<< UInt64(trailing)
    }
}
