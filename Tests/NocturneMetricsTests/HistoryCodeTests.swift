// HistoryCodeTests.swift — every bit of every value comes back from a chunk.

import Testing

@testable import NocturneMetrics

@Suite struct HistoryCodeTests {
    private static let extremes: [Double] = [
        0, -0.0, 1, -1, 0.1, 0.30000000000000004, 4_096, -8_192, 1e22, 0x1p53, 0x1p53 - 1, -0x1p53,
        .infinity, -.infinity, .nan, Double(nan: 7, signaling: false), -.nan,
        Double(bitPattern: 0x7FF0_0000_0000_0001), .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
        .leastNormalMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .pi, 37.2, 0.01,
        1_234.567, 99_999.99999, 1e-5, 1e-6,
    ]

    /// A column of some sort, by a seed.
    private func column(_ seed: UInt64, rows: Int) -> [Double] {
        var chance = Chance(seed)
        var value = Double(Int.random(in: 0...1_000, using: &chance))
        let factors: [Double] = [1, 4_096, 0.1, 0.001, 1e-7, 1e15]
        let factor = factors.randomElement(using: &chance) ?? 1
        return (0..<rows).map { _ in
            switch seed % 6 {
            case 0: value += factor * Double(Int.random(in: 0...90, using: &chance))
            case 1: value += factor * Double(Int.random(in: -9...9, using: &chance))
            case 2: value = Double(bitPattern: chance.next())
            case 3: value = Self.extremes.randomElement(using: &chance) ?? 0
            case 4: value += Double.random(in: -1...1, using: &chance)
            default: value = Bool.random(using: &chance) ? value : value + 1_000 * factor
            }
            return value
        }
    }

    @Test(arguments: [1, 2, 5]) func `rows come back bit by bit`(width: Int) {
        for seed in 0..<120 as Range<UInt64> {
            var chance = Chance(seed &* 977)
            let rows = Int.random(in: 1...400, using: &chance)
            let columns = (0..<width).map { column(seed &+ UInt64($0) &* 31, rows: rows) }
            var indices: [UInt32] = [], index = UInt32.random(in: 0...100, using: &chance)
            for _ in 0..<rows {
                index +=
                    seed % 3 == 0 ? 1 : seed % 3 == 1 ? 5 : .random(in: 1...9_000, using: &chance)
                indices.append(index)
            }
            var list = ChunkList(width: width, bases: width)
            for row in 0..<rows {
                let before = columns.map { row == 0 ? -1 : $0[row - 1] }
                if width == 1, row % 2 == 0 {
                    _ = list.append(indices[row], columns[0][row], base: before[0])
                } else {
                    list.append(indices[row], columns.map { $0[row] }, bases: before)
                }
                if row % 97 == 96 { list.close() }
            }
            expect(list, columns, indices)
            let again = ChunkList(image: list.image, width: width, bases: width)
            #expect(again != nil)
            if let again { expect(again, columns, indices) }
        }
    }

    private func expect(_ list: ChunkList, _ columns: [[Double]], _ indices: [UInt32]) {
        var reader = list.rows()
        var row = 0
        var isSame = true
        while reader.next() {
            guard row < indices.count else { break }
            isSame = isSame && reader.index == indices[row]
            for column in columns.indices {
                let value = columns[column][row]
                isSame = isSame && reader[column].bitPattern == value.bitPattern
                let before = row == 0 ? -1 : columns[column][row - 1]
                isSame =
                    isSame
                    && (!reader.isFirst || reader.bases[column].bitPattern == before.bitPattern)
            }
            row += 1
        }
        #expect(isSame && row == indices.count && !reader.isDamaged)
    }

    @Test func `dropping the oldest chunk leaves the others as they are`() {
        var list = ChunkList(width: 1, bases: 0)
        for index in 0..<500 as Range<UInt32> {
            _ = list.append(index, Double(index * index), base: Double(index) - 1)
        }
        var dropped: UInt32 = 0
        while let oldest = list.oldest {
            #expect(oldest.first == dropped && list.firstIndex == dropped)
            list.dropOldest()
            dropped = oldest.last + 1
            var reader = list.rows()
            var index = dropped
            while reader.next() {
                #expect(reader.index == index && reader[0] == Double(index * index))
                index += 1
            }
            #expect(index == 500)
        }
        #expect(dropped == 480)
    }

    @Test func `a sketch comes back from few bits, whatever is in it`() {
        var chance = Chance(5)
        for size in [0, 1, 2, 50, 400] {
            for _ in 0..<20 {
                var index = Int32.random(in: -70_000...0, using: &chance)
                let buckets = (0..<size).map { _ in
                    index += .random(
                        in: 1...(Bool.random(using: &chance) ? 2 : 300), using: &chance)
                    let count = chance.next() >> UInt64.random(in: 0...63, using: &chance)
                    return Sketch.Bucket(index: index, count: max(count, 1) / 2 + 1)
                }
                let sketch = Sketch(
                    scale: .random(in: -10...6, using: &chance), positive: buckets,
                    negative: size % 2 == 0 ? buckets : [], zeros: chance.next())
                #expect(SketchCode.decode(SketchCode.encode(sketch)) == sketch)
            }
        }
    }

    @Test func `sketches without words, or outside all numbers, are refused`() {
        #expect(SketchRun(image: [1 << 32, 0]) == nil)
        let least = Sketch(positive: [.init(index: .min, count: 1)])
        #expect(SketchCode.decode(SketchCode.encode(least)) == nil)
    }

    @Test func `words by chance are refused or read, and never trap`() {
        var chance = Chance(11)
        for round in 0..<3_000 {
            let words = (0..<Int.random(in: 1...12, using: &chance)).map { _ in chance.next() }
            _ = SketchCode.decode(words)
            _ = SketchRun(image: words)
            var header = ChunkList.Header(first: 3)
            (header.span, header.rows, header.words) = (round % 130, round % 128, words.count)
            _ = ChunkList(image: [header.word] + words, width: 1 + round % 5, bases: round % 2)
            _ = ChunkList(image: words, width: 2, bases: 0)
        }
    }
}
