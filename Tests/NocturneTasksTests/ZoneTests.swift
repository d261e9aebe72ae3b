// ZoneTests.swift — the database's zones as the C library reads them, and files that are damaged or updated.
// Next: TaskFixtures.swift.

import Glibc
import Testing

import NocturneCore
import NocturneTasks

@Suite struct ZoneTests {
    /// What the C library says of these moments, by `date`, which reads the same files with other code.
    private func offsets(of zone: String, at seconds: [Int], _ folder: Folder) throws -> [Int] {
        let list = seconds.map { "@\($0)\n" }.joined()
        try folder.write("moments", Array(list.utf8))
        let command = "TZ=\(zone) date -f \(folder.path)/moments +%::z"
        let pipe = try #require(popen(command, "re"))
        defer { pclose(pipe) }
        var offsets: [Int] = []
        var line = [CChar](repeating: 0, count: 64)
        while fgets(&line, 64, pipe) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
            let parts = text.split { !$0.isNumber }.compactMap { Int($0) }
            try #require(parts.count == 3, "\(text)")
            let size = parts[0] * 3_600 + parts[1] * 60 + parts[2]
            offsets.append(text.hasPrefix("-") ? -size : size)
        }
        return offsets
    }

    /// Names of the canonical zones.
    private static let names: [String] = {
        guard let file = fopen("/usr/share/zoneinfo/zone1970.tab", "re") else { return [] }
        defer { fclose(file) }
        var names: [String] = []
        var line = [CChar](repeating: 0, count: 1_024)
        while fgets(&line, 1_024, file) != nil {
            let text = String(
                decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) },
                as: UTF8.self)
            let columns = text.split(separator: "\t")
            if !text.hasPrefix("#"), columns.count > 2 { names.append(String(columns[2])) }
        }
        return names
    }()

    @Test func `all zones are as the C library has them, around changes and far ahead`() throws {
        let folder = try Folder()
        try #require(Self.names.count > 200)
        var random = SeededGenerator(seed: 9)
        for name in Self.names {
            let zone = try Zone(name)
            func offset(_ second: Int) -> Int { zone.offset(at: UnixTime(seconds: Int64(second))) }
            // From 1840 to 2180 in steps of five months, and both sides of what changes between some of them.
            var moments = Array(stride(from: -4_100_000_000, to: 6_600_000_000, by: 13_131_313))
            for (low, high) in zip(moments, moments.dropFirst())
            where offset(low) != offset(high) && random.isOneIn(8) {
                var (low, high) = (low, high)
                let before = offset(low)
                while high - low > 1 {
                    let middle = (low + high) / 2
                    if offset(middle) == before { low = middle } else { high = middle }
                }
                moments += [low, high]
            }
            guard try offsets(of: name, at: moments, folder) == moments.map(offset) else {
                Issue.record("\(name) differs")
                return
            }
        }
    }

    @Test(arguments: [
        ("Berlin", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"),
        ("Europe/Berln", "Europe/Berlin"), ("New York", "America/New_York"),
        ("America/NewYork", "America/New_York"), ("Mars/Olympus", nil), ("", nil), ("..", nil),
        ("../zoneinfo/UTC", nil), ("/etc/passwd", nil), ("Europe", nil), ("Europe/", nil),
        ("Europe//Berlin", "Europe/Berlin"), ("zone.tab", nil), ("Here/\u{0}UTC", nil),
    ])
    func `a name that is none is refused, with the one that was meant`(
        name: String, suggestion: String?
    ) throws {
        #expect(throws: ZoneError.unknown(name: name, suggestion: suggestion)) { try Zone(name) }
        let long = String(repeating: name + "/", count: 100)
        #expect(throws: ZoneError.unknown(name: long, suggestion: nil)) { try Zone(long) }
    }

    @Test func `UTC needs no database, others say that there is none`() throws {
        let folder = try Folder()
        #expect(try Zone("UTC", in: [folder.path]) == .utc)
        #expect(throws: ZoneError.noDatabase(directories: [folder.path])) {
            try Zone("Europe/Berlin", in: [folder.path])
        }
    }

    @Test func `an updated database is another zone of the same name`() throws {
        let folder = try Folder()
        try folder.write("Here", tzif(footer: "HERE-1"))
        let before = try Zone("Here", in: [folder.path])
        try folder.write("Here", tzif(footer: "HERE-2"))
        let after = try Zone("Here", in: [folder.path])
        #expect(before != after)
        #expect(before == before && before.offset(at: UnixTime(seconds: 1_000)) == 3_600)
        // What was read stays as it was: the schedule's owner decides when to read again.
        let start = try moment("2025-01-01T00:00")
        let runs = try [before, after].map {
            show(try Schedule("0 12 * * *", from: start, in: $0).next(after: start))
        }
        #expect(runs == ["2025-01-01T11:00:00Z", "2025-01-01T10:00:00Z"])
    }

    @Test(arguments: [
        // Berlin, by another writing of the names.
        ("<A1>-1<B-2>,M3.5.0,M10.5.0/3", "2025-07-01T00:00", 7_200),
        ("STD3DST,J60/0,J300", "2024-02-29T12:00", -10_800),
        ("STD3DST,J60/0,J300", "2024-03-01T12:00", -7_200),
        ("STD3DST,59/0,300", "2024-02-29T12:00", -7_200),
        ("STD3DST,J59/0,J300", "2024-02-28T12:00", -7_200),
        // Daylight time all year, and rules with times before and after their day.
        ("STD5DST4,0/0,J365/25", "2030-01-01T04:59:59", -14_400),
        ("STD5DST4,0/0,J365/25", "2030-07-01T00:00", -14_400),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2030-03-31T00:59:59", -7_200),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2030-03-31T01:00:00", -3_600),
        ("IST-2IDT,M3.4.4/26,M10.5.0", "2030-03-29T00:00:00", 10_800),
        // The south, where a year begins in summer.
        ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2031-01-01T00:00", 39_600),
        ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2031-06-01T00:00", 36_000),
    ])
    func `the rule at the end of a file holds for ever`(
        footer: String, time: String, offset: Int
    ) throws {
        let folder = try Folder()
        try folder.write("Here", tzif(footer: footer))
        #expect(try Zone("Here", in: [folder.path]).offset(at: try moment(time)) == offset)
    }

    @Test(arguments: [
        "X-1", "STD", "STD-", "STD25", "STD-1DST", "STD-1DST,M3.5.0", "STD-1DST,M13.5.0,M10.5.0",
        "STD-1DST,M3.6.0,M10.5.0", "STD-1DST,M3.5.7,M10.5.0", "STD-1DST,J0,J1", "STD-1DST,366,1",
        "STD-1DST,M3.5.0/168,M10.5.0", "STD-1DST,M3.5.0,M10.5.0!", "<STD-1", "STD-1:60",
    ])
    func `a rule that is none is damage`(footer: String) throws {
        let folder = try Folder()
        try folder.write("Here", tzif(footer: footer))
        #expect(
            throws: ZoneError.malformed(
                path: "\(folder.path)/Here", reason: "its footer is no rule")
        ) {
            try Zone("Here", in: [folder.path])
        }
    }

    @Test func `a damaged file is refused, wherever it is cut or changed`() throws {
        let folder = try Folder()
        let whole = tzif(times: [-1_000_000, 0, 1_000_000], footer: "CET-1CEST,M3.5.0,M10.5.0/3")
        try folder.write("Here", whole)
        _ = try Zone("Here", in: [folder.path])
        for length in whole.indices.dropLast() {
            try folder.write("Here", Array(whole[..<length]))
            #expect(throws: ZoneError.self, "cut after \(length)") {
                try Zone("Here", in: [folder.path])
            }
        }
        var random = SeededGenerator(seed: 10)
        let start = try moment("2025-01-01T00:00")
        for _ in 0..<2_000 {
            var bytes = whole
            for _ in 0...random.below(3) {
                bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            try folder.write("Here", bytes)
            guard let zone = try? Zone("Here", in: [folder.path]) else { continue }
            // If it reads at all, it does no harm.
            _ = try? Schedule("30 2 * * *", from: start, in: zone).next(5, after: start)
        }
        try folder.write("Here", [UInt8](repeating: 0x54, count: 70_000))
        #expect(throws: ZoneError.self) { try Zone("Here", in: [folder.path]) }
    }

    /// A file of version 2 with two types of local time, UTC and an hour ahead, in turns.
    private func tzif(times: [Int64] = [], footer: String) -> [UInt8] {
        func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
            withUnsafeBytes(of: value.bigEndian) { Array($0) }
        }
        func header(_ times: Int) -> [UInt8] {
            let types = times == 0 ? 1 : 2
            return Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
                + [0, 0, 0, times, types, 4].flatMap { bigEndian(Int32($0)) }
        }
        let types = [bigEndian(Int32(0)) + [0, 0], bigEndian(Int32(3_600)) + [1, 0]]
        let names = Array("STD\u{0}".utf8)
        return header(0) + types[0] + names + header(times.count) + times.flatMap(bigEndian)
            + times.indices.map { UInt8($0 % 2 == 0 ? 1 : 0) }
            + (times.isEmpty ? types[0] : types.flatMap { $0 }) + names
            + Array("\n\(footer)\n".utf8)
    }
}

/// A directory of its own, gone with the value.
private final class Folder {
    let path: String

    init() throws {
        var template = Array("/tmp/nocturne-zones.XXXXXX\u{0}".utf8.map { CChar($0) })
        path = String(cString: try #require(mkdtemp(&template)))
    }

    deinit {
        for name in ["Here", "moments"] { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let file = try #require(fopen("\(path)/\(name)", "we"))
        defer { fclose(file) }
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }
}
