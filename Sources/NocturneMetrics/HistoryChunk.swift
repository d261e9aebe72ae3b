// HistoryChunk.swift — columns of values in the order of time, compressed in chunks of 120. Next: HistoryTier.swift.

/// Columns of numbers, appended row by row and dropped from the front chunk by chunk.
///
/// Each row has an index that rises: the number of a tick, a minute, an hour. In a row whose index follows as before
/// and whose values are as predicted, all is said by one bit, as in Prometheus' XOR2 chunks
/// (https://github.com/prometheus/prometheus, tsdb/chunkenc/xor2.go). One array holds all chunks: each begins with a
/// word for its ``Header`` and one for each base, the value of a column before the chunk.
struct ChunkList {
    /// Rows of a chunk. Prometheus' chunks have as many; more compress hardly better and are dropped later.
    static let rowLimit = 120
    /// From here on a chunk is closed; a row has at most five values of at most 86 bits.
    private static let wordLimit = 1_000

    /// What a chunk says of itself, in one word.
    struct Header {
        /// Index of the first row.
        var first: UInt32
        /// How far the index of the last row is from the first: 15 bits.
        var span: Int
        /// How many rows: 7 bits.
        var rows: Int
        /// How many words follow, bases and rows: 10 bits.
        var words: Int

        static let longestSpan = 0x7FFF

        init(first: UInt32) { (self.first, span, rows, words) = (first, 0, 0, 0) }

        init(_ word: UInt64) {
            first = UInt32(truncatingIfNeeded: word >> 32)
            span = Int(word >> 17 & 0x7FFF)
            rows = Int(word >> 10 & 0x7F)
            words = Int(word & 0x3FF)
        }

        var word: UInt64 {
            UInt64(first) << 32 | UInt64(span) << 17 | UInt64(rows) << 10 | UInt64(words)
        }

        /// Index of the last row.
        var last: UInt32 { first &+ UInt32(truncatingIfNeeded: span) }
    }

    private var writer = BitWriter()
    private var codes: [HistoryCode]
    /// Where the chunk begins that is being written; its header there is written when it is closed.
    private var openStart = 0
    private var open: Header?
    private var stride: UInt32 = 0

    /// A list of `width` columns, of which the first `bases` have bases.
    init(width: Int, bases: Int) {
        self.bases = bases
        codes = Array(repeating: HistoryCode(), count: width)
    }

    /// How many columns have bases.
    private let bases: Int
    /// How many columns there are.
    var width: Int { codes.count }

    /// Whether there are no rows.
    var isEmpty: Bool { writer.words.isEmpty }

    /// Bytes of memory, those of the list itself apart.
    var bytes: Int {
        (writer.words.capacity + 4) * 8 + codes.count * MemoryLayout<HistoryCode>.stride + 32
    }

    // MARK: - Writing

    /// Appends a row to a list of one column. `base` is the value before, if a chunk begins. Returns by how many
    /// bytes the list grew.
    ///
    /// The index must be above those before.
    @inline(__always)
    mutating func append(_ index: UInt32, _ value: Double, base: Double) -> Int {
        let capacity = writer.words.capacity
        write(index, value, base: base)
        return (writer.words.capacity &- capacity) &* 8
    }

    @inline(__always)
    private mutating func write(_ index: UInt32, _ value: Double, base: Double) {
        guard let isRegular = begin(index) else {
            return start(index, [value], bases: [base])
        }
        if codes[0].takesAsPredicted(value) {
            writeControl(isRegular: isRegular, isPredicted: true)
            if !isRegular { writer.write(1, 1) }
            return
        }
        writeControl(isRegular: isRegular, isPredicted: false)
        if !isRegular { writer.write(0, 1) }
        codes[0].write(value, to: &writer)
    }

    /// Appends a row. `bases` are the values before, if a chunk begins.
    mutating func append(_ index: UInt32, _ values: [Double], bases: [Double]) {
        guard let isRegular = begin(index) else { return start(index, values, bases: bases) }
        var predicted: UInt64 = 0
        for column in codes.indices where codes[column].takesAsPredicted(values[column]) {
            predicted |= 1 << UInt64(column)
        }
        let isPredicted = predicted == 1 << UInt64(width) - 1
        writeControl(isRegular: isRegular, isPredicted: isPredicted)
        if isRegular, isPredicted { return }
        for column in codes.indices {
            let flag = predicted >> UInt64(column) & 1
            if width > 1 || !isRegular { writer.write(flag, 1) }
            if flag == 0 { codes[column].write(values[column], to: &writer) }
        }
    }

    /// Goes on to a row in the open chunk, and says whether its index follows as before; `nil` if a chunk must begin.
    @inline(__always)
    private mutating func begin(_ index: UInt32) -> Bool? {
        guard var header = open else { return nil }
        let step = index &- header.last
        let span = Int(index &- header.first)
        guard header.rows < Self.rowLimit, span <= Header.longestSpan,
            writer.words.count &- openStart < Self.wordLimit
        else { return nil }
        header.span = span
        header.rows &+= 1
        open = header
        let isRegular = step == stride
        stride = step
        return isRegular
    }

    @inline(__always)
    private mutating func writeControl(isRegular: Bool, isPredicted: Bool) {
        if isRegular {
            isPredicted ? writer.write(0, 1) : writer.write(0b10, 2)
        } else {
            writer.write(0b11, 2)
            writer.write(UInt64(stride), 15)
        }
        reserve()
    }

    private mutating func start(_ index: UInt32, _ values: [Double], bases: [Double]) {
        close()
        grow()
        openStart = writer.words.count
        var header = Header(first: index)
        header.rows = 1
        open = header
        stride = 1
        writer.words.append(header.word)
        for base in bases.prefix(self.bases) { writer.words.append(base.bitPattern) }
        for column in codes.indices { codes[column].writeFirst(values[column], to: &writer) }
    }

    /// Grows by little: there are many columns, and most of their memory would wait for use.
    @inline(__always)
    private mutating func reserve() {
        if writer.words.capacity &- writer.words.count < 2 &* codes.count { grow() }
    }

    private mutating func grow() {
        writer.words.reserveCapacity(writer.words.count + 8 + writer.words.count / 16)
    }

    /// Ends the open chunk, so that the next row begins one.
    mutating func close() {
        guard var header = open else { return }
        writer.align()
        header.words = writer.words.count - openStart - 1
        writer.words[openStart] = header.word
        open = nil
    }

    // MARK: - Dropping

    /// The oldest chunk, unless it is still written.
    var oldest: Header? {
        guard let word = writer.words.first, open == nil || openStart > 0 else { return nil }
        return Header(word)
    }

    /// Index of the last row of what was read from a file.
    private(set) var lastIndex: UInt32?
    /// Index of the last row, if its chunk is still written.
    var openLast: UInt32? { open?.last }

    /// Where the oldest rows begin.
    var firstIndex: UInt32? { writer.words.first.map { Header($0).first } }

    /// Drops the oldest chunk.
    mutating func dropOldest() {
        guard let oldest else { return }
        writer.words.removeFirst(oldest.words + 1)
        if open != nil { openStart -= oldest.words + 1 }
        // `removeFirst` keeps the memory.
        var rest: [UInt64] = []
        rest.reserveCapacity(writer.words.count + 8)
        rest += writer.words
        writer.words = rest
    }

    // MARK: - Reading

    /// Reads the rows of all chunks, or of the oldest only.
    func rows(ofOldestOnly: Bool = false) -> RowReader {
        RowReader(
            words: writer.words, tail: writer.tail, width: width, bases: bases,
            openStart: openStart, open: open,
            chunkLimit: ofOldestOnly ? 1 : .max)
    }

    // MARK: - As bytes

    /// All chunks, closed.
    var image: [UInt64] {
        var copy = self
        copy.close()
        return copy.writer.words
    }

    /// A list of chunks that were written before; `nil` if they cannot be read to their ends or do not rise.
    init?(image: [UInt64], width: Int, bases: Int) {
        self.init(width: width, bases: bases)
        writer.words = image
        var reader = rows()
        var last: UInt32?
        while reader.next() {
            guard last.map({ $0 < reader.index }) ?? true else { return nil }
            last = reader.index
        }
        guard !reader.isDamaged else { return nil }
        lastIndex = last
    }
}

/// Reads rows from a ``ChunkList``, one by one.
struct RowReader {
    /// Of the row that was read last.
    private(set) var index: UInt32 = 0
    /// Whether it is the first of its chunk.
    private(set) var isFirst = false
    /// The values before the chunk.
    private(set) var bases: [Double]
    /// Whether the words cannot be what was written.
    private(set) var isDamaged = false

    private let words: [UInt64]
    private let tail: UInt64
    private let openStart: Int
    private let open: ChunkList.Header?
    private var codes: [HistoryCode]
    private var bits: BitReader
    private var start = 0
    private var left = 0
    private var chunksLeft: Int
    private var stride: UInt32 = 1
    private var header = ChunkList.Header(first: 0)

    fileprivate init(
        words: [UInt64], tail: UInt64, width: Int, bases: Int, openStart: Int,
        open: ChunkList.Header?, chunkLimit: Int
    ) {
        (self.words, self.tail, self.openStart, self.open) = (words, tail, openStart, open)
        codes = Array(repeating: HistoryCode(), count: width)
        self.bases = Array(repeating: 0, count: bases)
        bits = BitReader(words, from: 0, to: 0)
        chunksLeft = chunkLimit
    }

    /// The value of a column in the row that was read last.
    @inline(__always)
    subscript(column: Int) -> Double { codes[column].last }

    /// Passes over chunks that end before an index.
    mutating func skip(before index: UInt32) {
        while left == 0, chunksLeft > 0, let header = header(at: start), header.last < index {
            pass(header)
        }
    }

    private func header(at start: Int) -> ChunkList.Header? {
        guard start < words.count else { return nil }
        if start == openStart, let open {
            var header = open
            header.words = words.count - start - 1
            return header
        }
        return ChunkList.Header(words[start])
    }

    private mutating func pass(_ header: ChunkList.Header) {
        start += header.words + 1
        chunksLeft -= 1
    }

    /// Goes to the next row; `false` if there is none.
    @inline(__always)
    mutating func next() -> Bool {
        guard left > 0 else { return nextChunk() }
        left &-= 1
        isFirst = false
        if bits.read(1) == 0 {
            for column in codes.indices { codes[column].takePredicted() }
        } else {
            readChanged()
        }
        index = index &+ stride
        guard left == 0 else { return true }
        return endChunk()
    }

    private mutating func readChanged() {
        let isRegular = bits.read(1) == 0
        if !isRegular { stride = UInt32(bits.read(15)) }
        let hasFlags = codes.count > 1 || !isRegular
        for column in codes.indices {
            if hasFlags, bits.read(1) == 1 {
                codes[column].takePredicted()
            } else {
                codes[column].read(from: &bits)
            }
        }
    }

    private mutating func nextChunk() -> Bool {
        guard chunksLeft > 0, !isDamaged, let header = header(at: start) else { return false }
        guard start + header.words < words.count, header.words >= bases.count, header.rows > 0
        else {
            isDamaged = true
            return false
        }
        self.header = header
        let begin = start + 1 + bases.count
        let end = start + 1 + header.words
        // The last bits of the open chunk are not among the words yet.
        let isOpen = open != nil && start == openStart
        bits = BitReader(words, tail: tail, from: begin, to: isOpen ? end + 1 : end)
        pass(header)
        (index, left, stride, isFirst) = (header.first, header.rows - 1, 1, true)
        for column in bases.indices {
            bases[column] = Double(bitPattern: words[begin - bases.count + column])
        }
        for column in codes.indices { codes[column].readFirst(from: &bits) }
        return left > 0 ? true : endChunk()
    }

    /// Whether a chunk's rows were all there.
    private mutating func endChunk() -> Bool {
        isDamaged = bits.isPastEnd || index != header.last
        return !isDamaged
    }
}
