// HistoryFileTests.swift — what is there after a restart, after damage, and when nothing can be written.

import Glibc
import NocturneCore
import Testing

@testable import NocturneMetrics

/// A folder that goes with the test.
private final class Folder {
    let path: String

    init() throws {
        var template = Array("/tmp/nocturne-history-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    var file: String { path + "/history" }

    func bytes(_ path: String? = nil) -> [UInt8] {
        guard let file = fopen(path ?? self.file, "r") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 22)
        return Array(bytes[..<fread(&bytes, 1, bytes.count, file)])
    }

    func write(_ bytes: [UInt8]) throws {
        let file = try #require(fopen(self.file, "w"))
        defer { fclose(file) }
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }

    deinit {
        for name in ["history", "history.new", "history.aside"] { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}

@Suite struct HistoryFileTests {
    private static let limits = History.Limits(bytes: .mebibytes(1))

    private let calls = HandMetric("calls", .counter, labels: [["tool": "a"], ["tool": "b"]])
    private let level = HandMetric("level", .gauge)
    private let times = HandMetric("times", .histogram)

    private func snapshots(_ tick: Int) -> [MetricSnapshot] {
        let amount = SeriesValue.amount(Amount(whole: Int64(tick * tick)))
        let values = (0...tick).map { 0.5 + Double($0 % 37) }
        return [
            calls.snapshot([amount, tick > 3 ? amount : nil]),
            level.snapshot(Double(tick * tick) / 64),
            times.snapshot([.distribution(.of(values))]),
        ]
    }

    private func append(_ ticks: Range<Int>, to history: History, _ file: inout HistoryFile) throws
    {
        for tick in ticks {
            history.append(snapshots(tick), at: .test(Double(tick) * 10))
            if let batch = history.takeBatch(for: &file) { try file.write(batch) }
        }
    }

    /// All that can be asked of a history, without the present.
    private func answers(
        _ history: History, now: Double = 5_000, step: Duration? = nil
    ) -> [JSONValue] {
        ["calls", "level", "times"].flatMap { name in
            let query = HistoryQuery(name, from: .test(-1), live: [], now: .test(now))
            let report = history.report(query).map { [$0.json] } ?? []
            return report + (history.timeSeries(query, step: step) ?? []).map(\.json)
        }
    }

    private func open(_ path: String, now: Double = 5_000) throws -> HistoryFile.Opened {
        try HistoryFile.open(path, Self.limits, now: .test(now))
    }

    @Test func `after a restart all that was flushed is there, and goes on`() throws {
        let folder = try Folder()
        let through = History(Self.limits)
        for tick in 0..<300 { through.append(snapshots(tick), at: .test(Double(tick) * 10)) }
        for rest in [0..<120, 120..<121, 121..<300] {
            var opened = try open(folder.file)
            #expect(opened.damages == 0 && opened.problem == nil)
            try append(rest, to: opened.history, &opened.file)
        }
        let opened = try open(folder.file)
        #expect(opened.history.latest == through.latest)
        #expect(answers(opened.history) == answers(through))
    }

    @Test func `an image holds the same as the flushes it replaces`() throws {
        let folder = try Folder()
        let limits = History.Limits(retention: .seconds(200_000), bytes: .mebibytes(1))
        var opened = try HistoryFile.open(folder.file, limits, now: .test(0))
        // So far apart that there are minutes and hours.
        for tick in 0..<3_000 {
            opened.history.append(snapshots(tick % 100 + tick / 100), at: .test(Double(tick) * 50))
            if tick % 1_000 == 500 { opened.history.requestImage() }
            let batch = try #require(opened.history.takeBatch(for: &opened.file))
            #expect(batch.isImage == (tick % 1_000 == 500))
            try opened.file.write(batch)
        }
        let again = try HistoryFile.open(folder.file, limits, now: .test(150_000))
        #expect(again.damages == 0)
        #expect(
            again.history.families["calls"]?.columns.values.first?.tiers?.hours.isEmpty == false)
        // What is written is closed, so chunks leave the hour of samples at other times than in memory.
        let step = Duration.seconds(3_600)
        let left = answers(again.history, now: 150_000, step: step)
        #expect(left == answers(opened.history, now: 150_000, step: step))
        #expect(left.count == 7)
    }

    @Test func `with 100 times the limit recorded, the file stays under it`() throws {
        let folder = try Folder()
        let limits = History.Limits(retention: .seconds(86_400), bytes: ByteCount(bytes: 6_000))
        var opened = try HistoryFile.open(folder.file, limits, now: .test(0))
        var chance = Chance(8)
        let metric = HandMetric("ratio", .gauge, labels: (0..<4).map { ["series": "\($0)"] })
        var written = 0
        var tick = 0
        while written < 600_000 {
            let values = metric.identities.map { _ in Double.random(in: 0...1, using: &chance) }
            opened.history.append(
                [metric.snapshot(values.map { .level($0) })], at: .test(Double(tick) * 10))
            let batch = try #require(opened.history.takeBatch(for: &opened.file))
            try opened.file.write(batch)
            var status = stat()
            #expect(stat(folder.file, &status) == 0 && status.st_size <= 6_000)
            written += values.count * 8
            tick += 1
        }
        let now = UnixTime.test(Double(tick) * 10)
        let again = try HistoryFile.open(folder.file, limits, now: now)
        #expect(again.damages == 0)
        #expect(again.history.latest == opened.history.latest)
    }

    @Test func `a file cut anywhere gives the flushes before, and nothing else`() throws {
        let folder = try Folder()
        var opened = try open(folder.file)
        try append(0..<6, to: opened.history, &opened.file)
        let all = folder.bytes()
        let whole = Set(answersAfterEachFlush(6))
        for length in 0..<all.count {
            try folder.write(Array(all[..<length]))
            let cut = try open(folder.file)
            #expect(whole.contains(answers(cut.history)), "\(length) bytes")
        }
    }

    private func answersAfterEachFlush(_ count: Int) -> [[JSONValue]] {
        let history = History(Self.limits)
        return [answers(history)]
            + (0..<count).map { tick in
                history.append(snapshots(tick), at: .test(Double(tick) * 10))
                return answers(history)
            }
    }

    @Test func `a byte that is wrong takes a record away, and invents nothing`() throws {
        let folder = try Folder()
        var opened = try open(folder.file)
        try append(0..<6, to: opened.history, &opened.file)
        opened.history.requestImage()
        try append(6..<9, to: opened.history, &opened.file)
        let all = folder.bytes()
        let known = points(opened.history)
        for place in all.indices {
            var bytes = all
            bytes[place] ^= 1 << UInt8(place % 8)
            try folder.write(bytes)
            let damaged: HistoryFile.Opened
            do { damaged = try open(folder.file) } catch { continue }
            #expect(damaged.damages > 0 || damaged.problem != nil, "byte \(place)")
            #expect(points(damaged.history).isSubset(of: known), "byte \(place)")
        }
    }

    /// Each series' samples.
    private func points(_ history: History) -> Set<String> {
        var all: Set<String> = []
        for name in ["calls", "level", "times"] {
            let query = HistoryQuery(name, from: .test(-1), live: [], now: .test(5_000))
            for series in history.timeSeries(query, step: .milliseconds(1)) ?? [] {
                for point in series.points {
                    // What rose since the sample before is more if that is lost.
                    all.insert(
                        "\(name) \(series.labels) \(point.time) \(name == "times" ? 0 : point.value ?? 0)"
                    )
                }
            }
        }
        return all
    }

    @Test func `what is damaged is written anew with the next flush`() throws {
        let folder = try Folder()
        var opened = try open(folder.file)
        try append(0..<6, to: opened.history, &opened.file)
        var bytes = folder.bytes()
        bytes[bytes.count / 2] ^= 0x40
        try folder.write(bytes)
        var damaged = try open(folder.file)
        #expect(damaged.damages == 1)
        try append(6..<7, to: damaged.history, &damaged.file)
        let again = try open(folder.file)
        #expect(again.damages == 0 && again.history.latest == .test(60))
        #expect(answers(again.history) == answers(damaged.history))
    }

    @Test func `a newer version is refused and left as it is`() throws {
        let folder = try Folder()
        var head = ByteWriter()
        head.write(HistoryRecord.fileMark)
        head.write(2 as UInt32)
        head.write(CRC32C.checksum(head.bytes[...]))
        try folder.write(head.bytes)
        #expect {
            _ = try open(folder.file)
        } throws: { error in
            "\(error)".contains("version 2")
        }
        #expect(folder.bytes() == head.bytes)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a pipe in its place is refused, and not waited for`() throws {
        let folder = try Folder()
        #expect(mkfifo(folder.file, 0o600) == 0)
        #expect(throws: MetricsError.file(folder.file, "it is no file")) {
            try HistoryFile.open(folder.file, Self.limits, now: UnixTime(seconds: 1))
        }
    }

    @Test func `another file, or one from the future, is set aside`() throws {
        let folder = try Folder()
        try folder.write(Array("Dear diary, nothing happened today.".utf8))
        let other = try open(folder.file)
        #expect("\(try #require(other.problem))".contains("no history"))
        #expect(folder.bytes(folder.file + ".aside").count == 35)

        var opened = try open(folder.file)
        try append(0..<3, to: opened.history, &opened.file)
        let soon = try open(folder.file, now: 20 - 86_400)
        #expect(soon.problem == nil && soon.history.latest == .test(20))
        let early = try open(folder.file, now: 20 - 86_401)
        #expect("\(try #require(early.problem))".contains("future"))
        #expect(early.history.latest == nil)
    }

    @Test func `while nothing can be written, memory goes on, and is told once`() throws {
        let folder = try Folder()
        let path = folder.path + "/missing/history"
        var opened = try open(path)
        #expect(opened.problem != nil)
        // Silent: it was told when it was opened.
        try append(0..<10, to: opened.history, &opened.file)
        #expect(mkdir(folder.path + "/missing", 0o700) == 0)
        try append(10..<60, to: opened.history, &opened.file)
        let again = try open(path)
        #expect(again.damages == 0 && answers(again.history) == answers(opened.history))

        try #require(rename(path, folder.file) == 0 && rmdir(folder.path + "/missing") == 0)
    }

    @Test func `a full disk is told once, and all is written when there is room`() throws {
        let folder = try Folder()
        try #require(symlink("/dev/full", folder.file + ".new") == 0)
        var opened = try open(folder.file)
        #expect("\(try #require(opened.problem))".contains("No space left"))
        try append(0..<3, to: opened.history, &opened.file)
        #expect(unlink(folder.file + ".new") == 0 || errno == ENOENT)
        try append(3..<20, to: opened.history, &opened.file)
        #expect(answers(try open(folder.file).history) == answers(opened.history))
    }

    @Test func `the checksum is iSCSI's`() {
        // RFC 3720, appendix B.4: 32 bytes of zeros, of ones, and rising.
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)[...]) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)[...]) == 0x62A8_AB43)
        #expect(CRC32C.checksum([UInt8](0..<32)[...]) == 0x46DD_794E)
    }
}
