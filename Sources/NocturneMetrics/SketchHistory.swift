// SketchHistory.swift — how values were distributed at which time: a sketch for each flush, then minute, then hour.
// Next: HistoryColumn.swift.

/// Sketches of one series, each of what came within a flush, a minute or an hour.
struct SketchHistory {
    /// The sketch of all values up to the last flush, encoded.
    private var total: [UInt64] = []
    private(set) var flushes = SketchRun()
    private(set) var minutes = SketchRun()
    private(set) var hours = SketchRun()

    var isEmpty: Bool { flushes.isEmpty && minutes.isEmpty && hours.isEmpty }

    var bytes: Int {
        (total.capacity + 8) * 8 + flushes.bytes + minutes.bytes + hours.bytes
    }

    /// Forgets what came up to now of a life that ended, so that the next total counts fully.
    mutating func beginLife() { total = [] }

    /// What came since the last flush, given the sketch of all values.
    func increase(to sketch: Sketch) -> Sketch {
        guard !total.isEmpty, let earlier = SketchCode.decode(total) else { return sketch }
        return sketch.since(earlier)
    }

    /// Takes the sketch of all values at a flush, and returns what came since the one before.
    mutating func take(_ sketch: Sketch, at tick: UInt32) -> Sketch {
        let new = increase(to: sketch)
        total = SketchCode.encode(sketch)
        add(new, at: tick)
        return new
    }

    /// Adds what came within a flush.
    mutating func add(_ sketch: Sketch, at tick: UInt32) {
        if sketch.count > 0 { flushes.append(sketch, at: tick) }
    }

    /// Drops or sums up what is older than its tier lasts.
    mutating func roll(now: Int64, spans: HistorySpans, ticks: TickTimes) {
        let cut = (now - spans.rawSketches) / HistorySpans.minute
        flushes.roll(into: &minutes, before: cut) {
            UInt32(clamping: ((ticks[$0] ?? 0) - 1) / HistorySpans.minute)
        }
        let hourCut = (now - spans.minutes) / HistorySpans.hour
        if spans.hasHours {
            minutes.roll(into: &hours, before: hourCut) { $0 / 60 }
            hours.drop(before: UInt32(clamping: (now - spans.hours) / HistorySpans.hour))
        } else {
            minutes.drop(before: UInt32(clamping: (now - spans.minutes) / HistorySpans.minute))
        }
    }

    /// When the oldest sketch was, in milliseconds since 1970.
    func oldestEnd(_ ticks: TickTimes) -> Int64? {
        if let hour = hours.first { return (Int64(hour) + 1) * HistorySpans.hour }
        if let minute = minutes.first { return (Int64(minute) + 1) * HistorySpans.minute }
        return flushes.first.flatMap { ticks[$0] }
    }

    /// Drops a tenth of the oldest sketches, at least one.
    mutating func dropOldest() {
        if !hours.isEmpty {
            hours.dropTenth()
        } else if !minutes.isEmpty {
            minutes.dropTenth()
        } else {
            flushes.dropTenth()
        }
    }

    /// Goes through what came after `from` and up to `to`, minutes and hours that begin within: when, for how long,
    /// and what.
    func forEach(
        from: Int64, to: Int64, ticks: TickTimes, _ body: (Int64, Int64, Sketch) -> Void
    ) {
        for (run, span) in [(hours, HistorySpans.hour), (minutes, HistorySpans.minute)] {
            run.forEach { index in
                let time = Int64(index) * span
                return time >= from && time < to
            } _: {
                body(Int64($0) * span, span, $1)
            }
        }
        flushes.forEach { index in
            ticks[index].map { $0 > from && $0 <= to } ?? false
        } _: {
            body(ticks[$0] ?? 0, 0, $1)
        }
    }

    /// The three runs as words, for a file.
    var images: [[UInt64]] { [flushes.words, minutes.words, hours.words] }

    init() {}

    /// From words of a file. Runs that cannot be read are empty, and so is one of flushes whose times are lost.
    init(images: [[UInt64]], ticks: TickTimes) {
        guard images.count == 3 else { return }
        let flushes = SketchRun(image: images[0]) ?? SketchRun()
        if (flushes.last ?? 0) < ticks.next, (flushes.first ?? .max) >= ticks.first {
            self.flushes = flushes
        }
        minutes = SketchRun(image: images[1]) ?? SketchRun()
        hours = SketchRun(image: images[2]) ?? SketchRun()
    }
}

/// Sketches by rising index, encoded one behind the other: a word with index and length, then the sketch.
struct SketchRun {
    private(set) var words: [UInt64] = []
    private(set) var last: UInt32?

    init() {}

    init?(image: [UInt64]) {
        words = image
        var next = 0
        while next < words.count {
            let (index, length) = Self.header(words[next])
            guard length > 0, next + length < words.count, last.map({ $0 < index }) ?? true,
                SketchCode.decode(Array(words[(next + 1)...(next + length)])) != nil
            else { return nil }
            last = index
            next += length + 1
        }
    }

    var isEmpty: Bool { words.isEmpty }

    var bytes: Int { (words.capacity + 4) * 8 }

    /// The oldest index.
    var first: UInt32? { words.first.map { Self.header($0).index } }

    private static func header(_ word: UInt64) -> (index: UInt32, length: Int) {
        (UInt32(truncatingIfNeeded: word >> 32), Int(word & 0xFFFF_FFFF))
    }

    /// Appends a sketch behind all others; one at the last index is added to that.
    mutating func append(_ sketch: Sketch, at index: UInt32) {
        var sketch = sketch
        if last == index, let start = starts.last {
            if let there = SketchCode.decode(Array(words[(start + 1)...])) { sketch.merge(there) }
            words.removeSubrange(start...)
        }
        let code = SketchCode.encode(sketch)
        words.reserveCapacity(words.count + code.count + 1)
        words.append(UInt64(index) << 32 | UInt64(code.count))
        words += code
        last = index
    }

    private var starts: [Int] {
        var starts: [Int] = [], next = 0
        while next < words.count {
            starts.append(next)
            next += Self.header(words[next]).length + 1
        }
        return starts
    }

    /// Goes through the sketches whose index is wanted.
    func forEach(where isWanted: (UInt32) -> Bool, _ body: (UInt32, Sketch) -> Void) {
        var next = 0
        while next < words.count {
            let (index, length) = Self.header(words[next])
            if isWanted(index), let sketch = SketchCode.decode(words, from: next + 1, length) {
                body(index, sketch)
            }
            next += length + 1
        }
    }

    /// Moves the sketches whose group is before `cut` to another run, those of a group added up.
    mutating func roll(
        into other: inout SketchRun, before cut: Int64, _ group: (UInt32) -> UInt32
    ) {
        guard let first, Int64(group(first)) < cut else { return }
        var sum: (index: UInt32, sketch: Sketch)?
        var next = 0
        while next < words.count {
            let (index, length) = Self.header(words[next])
            let target = group(index)
            guard Int64(target) < cut else { break }
            if let sketch = SketchCode.decode(words, from: next + 1, length) {
                if let done = sum, done.index == target {
                    sum?.sketch.merge(sketch)
                } else {
                    if let done = sum { other.append(done.sketch, at: done.index) }
                    sum = (target, sketch)
                }
            }
            next += length + 1
        }
        if let done = sum { other.append(done.sketch, at: done.index) }
        removeFirst(next)
    }

    /// Drops the sketches before an index.
    mutating func drop(before index: UInt32) {
        guard let first, first < index else { return }
        let end = starts.first { Self.header(words[$0]).index >= index }
        removeFirst(end ?? words.count)
    }

    /// Drops a tenth of the sketches, the oldest; at least one.
    mutating func dropTenth() {
        let starts = starts
        let count = (starts.count + 9) / 10
        removeFirst(count < starts.count ? starts[count] : words.count)
    }

    private mutating func removeFirst(_ count: Int) {
        words = Array(words[count...])
        if words.isEmpty { last = nil }
    }
}

/// Writes a sketch in few bits: of each bucket how many empty ones come before it and its count, both in Rice's code.
enum SketchCode {
    static func encode(_ sketch: Sketch) -> [UInt64] {
        var writer = BitWriter()
        writer.write(UInt64(sketch.scale - Sketch.coarsestScale), 5)
        writer.writeRice(sketch.zeros, 0)
        for buckets in [sketch.positive, sketch.negative] {
            writer.writeRice(UInt64(buckets.count), 6)
            guard let first = buckets.first else { continue }
            writer.write(UInt64(UInt32(bitPattern: first.index)), 32)
            var gaps = RiceShift(), counts = RiceShift()
            var next = first.index
            for bucket in buckets {
                let gap = UInt64(bucket.index - next), more = bucket.count - 1
                writer.writeRice(gap, gaps.shift)
                writer.writeRice(more, counts.shift)
                gaps.note(gap)
                counts.note(more)
                next = bucket.index + 1
            }
        }
        writer.align()
        return writer.words
    }

    static func decode(_ words: [UInt64]) -> Sketch? { decode(words, from: 0, words.count) }

    /// Reads a sketch from some of the words; `nil` if it is none.
    static func decode(_ words: [UInt64], from start: Int, _ length: Int) -> Sketch? {
        var reader = BitReader(words, from: start, to: start + length)
        let scale = Int(reader.read(5)) + Sketch.coarsestScale
        let zeros = reader.readRice(0) ?? 0
        var sides: [[Sketch.Bucket]] = []
        for _ in 0..<2 {
            guard let side = readBuckets(from: &reader, bitLimit: length * 64) else { return nil }
            sides.append(side)
        }
        guard scale <= Sketch.finestScale, !reader.isPastEnd else { return nil }
        return Sketch(scale: scale, positive: sides[0], negative: sides[1], zeros: zeros)
    }

    private static func readBuckets(from reader: inout BitReader, bitLimit: Int) -> [Sketch.Bucket]?
    {
        let count = reader.readRice(6) ?? 0
        // A bucket has two bits at least.
        guard count <= UInt64(bitLimit / 2) else { return nil }
        guard count > 0 else { return [] }
        var buckets: [Sketch.Bucket] = []
        buckets.reserveCapacity(Int(count))
        var next = Int64(Int32(bitPattern: UInt32(reader.read(32))))
        var gaps = RiceShift(), counts = RiceShift()
        for _ in 0..<count {
            let gap = reader.readRice(gaps.shift) ?? 0, more = reader.readRice(counts.shift) ?? 0
            guard !reader.isPastEnd, gap <= UInt64(UInt32.max), more < .max,
                let index = Int32(exactly: next + Int64(gap)), index > .min, index < .max
            else { return nil }
            buckets.append(Sketch.Bucket(index: index, count: more + 1))
            gaps.note(gap)
            counts.note(more)
            next = Int64(index) + 1
        }
        return buckets
    }
}
