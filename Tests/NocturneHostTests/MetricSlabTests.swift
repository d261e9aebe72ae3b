// MetricSlabTests.swift — the memory that a plugin records into, and what is read out of it: buckets against their
// definition, pages up to the last one and past it, and lies.

import CLinux
import CWire
import Glibc
import NocturneCore
import Synchronization
import Testing

@testable import NocturneHost

@Suite struct MetricSlabTests {
    /// Both sides of a slab in this process.
    private final class Slab {
        let memory: MemoryFile
        let reader: MetricSlab
        let changes = Changes()

        init() throws {
            memory = try MemoryFile("slab", size: Int(wire_metrics_size()))
            reader = try MetricSlab(descriptor: memory.descriptor)
        }

        var address: UnsafeMutableRawPointer { memory.address }
        var cell: UnsafeMutablePointer<wire_metric_cell> { wire_metric_at(address, 0) }

        @discardableResult
        func add(_ name: String, _ kind: PluginSeries.Kind) throws -> UInt32 {
            try reader.add(Array(name.utf8), kind) { () throws(PluginSeriesRefusal) in changes }
        }

        /// What a look brings, in the order of the series.
        func sample() -> [PluginSeriesChange] {
            _ = reader.sample()
            return changes.take()
        }

        func observed() -> PluginObservations {
            guard case .observed(let came) = sample().first else { return PluginObservations() }
            return came
        }
    }
    private final class Changes: PluginSeriesRecorder {
        private let all = Mutex<[PluginSeriesChange]>([])

        func record(_ change: PluginSeriesChange) { all.withLock { $0.append(change) } }

        func take() -> [PluginSeriesChange] {
            all.withLock { all in
                defer { all = [] }
                return all
            }
        }
    }

    @Test func `a bucket holds what is above 2^(i/64), up to and with 2^((i+1)/64)`() {
        for exponent in [-1_022, -1_021, -300, -3, -1, 0, 1, 2, 10, 52, 53, 700, 1_022, 1_023] {
            for part in 0..<64 {
                // exp2 is exact to an ulp, so values two ulps away are on the side on which they seem to be.
                let bound = scalbn(exp2(Double(part) / 64), Int32(exponent))
                let index = Int32(exponent * 64 + part)
                let above = part == 0 ? bound.nextUp : bound.nextUp.nextUp
                let below = part == 0 ? bound : bound.nextDown.nextDown
                #expect(wire_bucket_index(above) == index)
                if below > 0x1p-1022 { #expect(wire_bucket_index(below) == index - 1) }
            }
        }
        #expect(wire_bucket_index(.greatestFiniteMagnitude) == 1_024 * 64 - 1)
    }

    @Test func `values of all sizes are in the buckets that the definition says`() throws {
        let slab = try Slab()
        try slab.add("h", .histogram)
        var generator = SystemRandomNumberGenerator()
        var positive: [Int32: UInt64] = [:], negative: [Int32: UInt64] = [:]
        for _ in 0..<5_000 {
            let exponent = Double.random(in: -20..<10, using: &generator)
            let value = exp2(exponent) * (Bool.random(using: &generator) ? 1 : -1)
            wire_metric_observe(slab.address, 0, value)
            let index = Int32(log2(value.magnitude) * 64 - 1e-9).advanced(by: exponent < 0 ? -1 : 0)
            if value > 0 {
                positive[index, default: 0] += 1
            } else {
                negative[index, default: 0] += 1
            }
        }
        let came = slab.observed()
        func table(_ buckets: [PluginObservations.Bucket]) -> [Int32: UInt64] {
            Dictionary(uniqueKeysWithValues: buckets.map { ($0.index, $0.count) })
        }
        #expect(table(came.positive) == positive && table(came.negative) == negative)
        #expect(came.positive.map(\.index) == positive.keys.sorted())
        #expect(came.count == 5_000 && came.unsorted == 0)
    }

    @Test func `what is next to nothing is a zero, and what is least and greatest is told`() throws
    {
        let slab = try Slab()
        try slab.add("h", .histogram)
        for value in [0, -0.0, 0x1p-1022, -0x1p-1074] {
            wire_metric_observe(slab.address, 0, value)
        }
        let zeros = slab.observed()
        #expect(zeros.zeros == 4 && zeros.count == 4)
        #expect(zeros.range == -0x1p-1074...0x1p-1022)
        wire_metric_observe(slab.address, 0, (0x1p-1022).nextUp)
        wire_metric_observe(slab.address, 0, -1e300)
        let more = slab.observed()
        #expect(more.positive == [.init(index: -1_022 * 64, count: 1)])
        #expect(more.range == -1e300...(0x1p-1022).nextUp)
    }

    @Test func `a histogram has 64 pages; what needs more is counted unsorted`() throws {
        let slab = try Slab()
        try slab.add("h", .histogram)
        for exponent in 1...66 { wire_metric_observe(slab.address, 0, exp2(Double(exponent))) }
        for exponent in 1...66 { wire_metric_observe(slab.address, 0, exp2(Double(exponent))) }
        let came = slab.observed()
        #expect(came.positive == (1...64).map { .init(index: Int32($0 * 64 - 1), count: 2) })
        #expect(came.unsorted == 4 && came.count == 132)
        #expect(abs(came.sum / (2 * (0x1p67 - 2)) - 1) < 1e-12)
    }

    @Test func `a slab has 2,048 pages; what needs more is counted unsorted`() throws {
        let slab = try Slab()
        // 32 histograms of 64 pages, and one more.
        for number in 0..<33 { try slab.add("h\(number)", .histogram) }
        for number in UInt32(0)..<33 {
            for exponent in 1...64 {
                wire_metric_observe(slab.address, number, exp2(Double(exponent)))
            }
        }
        let came = slab.sample().map { change in
            guard case .observed(let came) = change else { return PluginObservations() }
            return came
        }
        #expect(came.map(\.unsorted) == [UInt64](repeating: 0, count: 32) + [64])
        #expect(came.map(\.count) == [UInt64](repeating: 64, count: 33))
    }

    @Test func `several threads that need the same page get one, and no value is lost`() throws {
        for _ in 0..<20 {
            let slab = try Slab()
            try slab.add("h", .histogram)
            try slab.add("c", .counter)
            let address = UInt(bitPattern: slab.address)
            onThreads(4) {
                let address = UnsafeMutableRawPointer(bitPattern: address)
                for step in 0..<500 {
                    wire_metric_observe(address, 0, exp2(Double(step % 40)))
                    wire_metric_add(address, 1, step.isMultiple(of: 2) ? 1 : 0.25)
                }
            }
            guard case .observed(let came)? = slab.sample().first else {
                Issue.record("nothing came")
                return
            }
            #expect(came.count == 2_000 && came.unsorted == 0 && came.positive.count == 40)
            #expect(wire_load_cell(slab.address, 1).whole == 1_000)
            #expect(wire_double(wire_load_cell(slab.address, 1).fraction) == 250)
        }
    }

    @Test func `whole amounts are exact beyond what a double can add, and read as they are`() throws
    {
        let slab = try Slab()
        try slab.add("c", .counter)
        wire_metric_add(slab.address, 0, 0x1p53 - 1)
        #expect(slab.sample() == [.added(whole: 1 << 53 - 1, fraction: 0)])
        wire_metric_add(slab.address, 0, 1)
        #expect(slab.sample() == [.added(whole: 1, fraction: 0)])
        // Past 2^53 in one process nothing is believed.
        wire_metric_add(slab.address, 0, 1)
        #expect(slab.sample().isEmpty)
        wire_metric_add(slab.address, 0, 0x1p60)
        #expect(slab.sample() == [.added(whole: 0, fraction: 0x1p60)])
    }

    @Test func `an up-down counter falls, and is taken back at the end; a counter is not`() throws {
        let slab = try Slab()
        try slab.add("u", .upDownCounter)
        try slab.add("c", .counter)
        for amount in [5, -7, -0.5] { wire_metric_add(slab.address, 0, amount) }
        wire_metric_add(slab.address, 1, 3)
        #expect(
            slab.sample() == [.added(whole: -2, fraction: -0.5), .added(whole: 3, fraction: 0)])
        wire_metric_add(slab.address, 1, 1)
        #expect(slab.reader.close() == 0)
        #expect(
            slab.changes.take() == [.added(whole: 1, fraction: 0), .added(whole: 2, fraction: 0.5)])
        wire_metric_add(slab.address, 1, 1)
        #expect(slab.sample().isEmpty, "it is closed")
    }

    @Test func `a declaration is taken as it is, or not at all`() {
        func declaration(_ kind: UInt32, _ labels: UInt32, _ text: String) -> PluginSeries? {
            PluginSeries(
                wire: withUnsafeBytes(of: kind) { Array($0) }
                    + withUnsafeBytes(of: labels) { Array($0) } + Array(text.utf8))
        }
        let series = declaration(3, 2, "n\0help\0\0a\01\0b\0\0")
        #expect(
            series
                == PluginSeries(
                    kind: .histogram, name: "n", help: "help", unit: "",
                    labels: [.init(name: "a", value: "1"), .init(name: "b", value: "")]))
        #expect(series?.key != declaration(3, 1, "n\0help\0\0a\01\0")?.key)
        #expect(series?.key == declaration(3, 2, "n\0\0\0a\01\0b\0\0")?.key)
        #expect(series?.key == declaration(3, 2, "n\0\0\0b\0\0a\01\0")?.key)
        let name = String(repeating: "n", count: 200), text = String(repeating: "t", count: 1_024)
        #expect(declaration(0, 1, "\(name)\0\(text)\0\(text)\0\(name)\0\(text)\0") != nil)
        let labels = String(repeating: "\(name)\0\(text)\0", count: 32)
        #expect(declaration(0, 32, "n\0\0\0\(labels)") != nil)
        for (kind, count, text) in [
            (4, 0, "n\0\0\0"), (0, 0, ""), (0, 0, "n"), (0, 0, "n\0\0"), (0, 0, "\0\0\0"),
            (0, 0, "n\0\0\0\0"), (0, 1, "n\0\0\0a\0"), (0, 33, "n\0\0\0\(labels)a\0b\0"),
            (0, .max, "n\0\0\0"), (0, 0, "\(name)n\0\0\0"), (0, 0, "n\0\(text)t\0\0"),
            (0, 1, "n\0\0\0\(name)n\0\0"), (0, 1, "n\0\0\0a\0\(text)t\0"),
        ] as [(UInt32, UInt32, String)] {
            #expect(declaration(kind, count, text) == nil, "\(kind) \(count) \(text.prefix(20))")
        }
        let zeros = [UInt8](repeating: 0, count: 16 << 20)
        #expect(PluginSeries(wire: zeros) == nil, "and it is not taken apart first")
        #expect(PluginSeries(wire: [0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0, 0, 0]) == nil, "not UTF-8")
    }

    @Test func `lies are counted and change nothing`() throws {
        let slab = try Slab()
        try slab.add("c", .counter)
        wire_metric_add(slab.address, 0, 10)
        _ = slab.sample()
        for (whole, fraction) in [
            (9, 0), (Int64.min, 0), (.max, 0), (10, Double.nan), (10, .infinity), (10, -1),
        ] {
            slab.cell.pointee.whole = whole
            slab.cell.pointee.fraction = wire_double_bits(fraction)
            #expect(slab.reader.sample() == 1)
            #expect(slab.changes.take().isEmpty, "\(whole) \(fraction)")
        }
        slab.cell.pointee.whole = 12
        slab.cell.pointee.fraction = 0
        #expect(slab.sample() == [.added(whole: 2, fraction: 0)])
    }

    @Test func `all buckets of a histogram together have at most 2^53 values`() throws {
        let slab = try Slab()
        try slab.add("h", .histogram)
        for value in [1.5, 0, 1.25] { wire_metric_observe(slab.address, 0, value) }
        #expect(slab.observed().count == 3)
        let page = try #require(wire_metric_page(slab.address, 0))
        let buckets = (0..<64).filter { page[$0] > 0 }
        #expect(buckets.count == 2)
        page[buckets[0]] = (1 << 53) - 2
        #expect(slab.observed().count == (1 << 53) - 3, "now there is no room for more")
        page[buckets[1]] += 1
        slab.cell.pointee.zeros = .max
        #expect(slab.reader.sample() == 2)
        #expect(slab.changes.take().isEmpty)
    }

    @Test func `a directory's entry counts once it is right, and then for ever`() throws {
        let slab = try Slab()
        try slab.add("h", .histogram)
        try slab.add("other", .histogram)
        wire_metric_observe(slab.address, 0, 1.5)
        _ = slab.sample()
        let directory = try #require(wire_metric_directory(slab.address, 0))
        let used = try #require((0..<64).first { directory[$0] != 0 })
        let free = (used + 1) % 64, right = directory[used]
        let key = wire_entry_key(right)
        // A page that is not there, keys that are none, a page or a key that is taken.
        let next = (key + 1) << 16
        let wrongs: [UInt32] = [
            next, next | 0xFFFF, next | (WIRE_METRICS_PAGES + 1), next | 1, key << 16 | 2, 2,
            2_047 << 16 | 2, 2_048 << 16 | 2, 4_096 << 16 | 2,
        ]
        for wrong in wrongs {
            directory[free] = wrong
            #expect(slab.reader.sample() == 1, "\(String(wrong, radix: 16))")
            directory[free] = 0
        }
        let other = try #require(wire_metric_directory(slab.address, 1))
        other[0] = right
        #expect(slab.reader.sample() == 1, "another's page")
        other[0] = 0
        directory[used] = 0
        wire_metric_page(slab.address, 0)[3] += 5
        #expect(slab.reader.sample() == 1)
        directory[used] = right
        #expect(slab.reader.sample() == 0)
        guard case .observed(let came)? = slab.changes.take().first else {
            Issue.record("the page is read although its entry was taken away")
            return
        }
        #expect(came.positive.map(\.count) == [5])
    }
}

/// Runs `body` on threads of their own and waits.
private func onThreads(_ count: Int, _ body: @escaping @Sendable () -> Void) {
    final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let threads = (0..<count).map { _ in
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(body)).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { work in
                if let work { Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body() }
                return nil
            }, work)
        #expect(code == 0)
        return thread
    }
    for thread in threads { pthread_join(thread, nil) }
}
