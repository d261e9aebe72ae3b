// RecoveryTests.swift — damage of every kind is put away, reported, and survived.

import GRDB
import Glibc
import NocturneCore
import Testing

@testable import NocturneStorage

@Suite struct RecoveryTests {
    /// 2026-01-31 23:59:59 UTC by `date -u -d @1769903999`.
    private let options = OpeningOptions(now: { UnixTime(milliseconds: 1_769_903_999_000) })

    /// A closed database in which every table has pages, and some values have several.
    private func filled() throws -> StateDirectory {
        let directory = try StateDirectory()
        let store = try directory.store(), id = PluginID("full")
        for count in 0..<12 {
            let value = StoredValue(.bytes, Array(repeating: UInt8(count), count: count * 700))
            try store.storageSet(id, "key-\(count)".bytes, value)
        }
        try store.setEnabled(true, for: id)
        try store.setHold(
            Hold(path: "/p.so", contentHash: "00", kind: .unloaded, pluginID: id))
        try store.close()
        return directory
    }

    private func filledBytes() throws -> [UInt8] {
        let directory = try filled()
        return try read(directory.database)
    }

    /// Damaged bytes lie aside unchanged, and the store works and stays.
    private func expectSetAside(
        _ directory: StateDirectory, _ damaged: [UInt8], _ note: Comment
    ) throws {
        let store = try directory.store(options)
        let recovery = try #require(store.recovery, note)
        #expect(recovery.setAside == directory.database + ".corrupt-20260131T235959Z", note)
        #expect(try read(recovery.setAside) == damaged, note)
        #expect(recovery.description.contains(recovery.setAside), note)
        #expect(try store.plugins().isEmpty, note)
        _ = try store.recordSeen(PluginID("after"))
        try store.close()

        let again = try directory.store(options)
        #expect(again.recovery == nil, note)
        #expect(try again.plugins().count == 1, note)
        try again.close()
    }

    @Test func `a healthy database is not set aside`() throws {
        let directory = try filled()
        let store = try directory.store(options)
        #expect(store.recovery == nil)
        #expect(try store.storageUsage(PluginID("full")).keys == 12)
        #expect(directory.names == ["host.db", "host.db-shm", "host.db-wal"])
    }

    @Test(arguments: [0, 1, 15, 16, 99, 100, 511, 512, 4_095, 4_096, 100_000])
    func `random bytes are set aside`(size: Int) throws {
        let directory = try StateDirectory()
        var random = SeededGenerator(seed: UInt64(size))
        let garbage = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
        try write(garbage, to: directory.database)
        try expectSetAside(directory, garbage, "\(size) bytes")
    }

    @Test(arguments: [101, 512, 4_096, 20_000])
    func `random bytes behind SQLite's first sixteen are set aside`(size: Int) throws {
        let directory = try StateDirectory()
        var random = SeededGenerator(seed: UInt64(size))
        var garbage = "SQLite format 3\0".bytes
        garbage += (16..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
        garbage.replaceSubrange(60..<64, with: [0, 0, 0, 1])
        try write(garbage, to: directory.database)
        try expectSetAside(directory, garbage, "\(size) bytes")
    }

    @Test func `a database that is cut short anywhere is set aside`() throws {
        let whole = try filledBytes()
        let sizes = [0, 50, 100, 512, 4_095, 4_096, 4_097, whole.count / 2, whole.count - 4_096]
        for size in sizes + [whole.count - 1] {
            let directory = try StateDirectory()
            try write(Array(whole[..<size]), to: directory.database)
            try expectSetAside(directory, Array(whole[..<size]), "cut to \(size)")
        }
    }

    /// What a checkpoint does when it is killed half-way is done again from the log.
    @Test func `part of a page at the end is damage, unless a log is there to repair it`() throws {
        let cut = try filledBytes() + [0]
        let directory = try StateDirectory()
        try write(cut, to: directory.database)
        try expectSetAside(directory, cut, "one byte of the next page")

        let running = try StateDirectory()
        let store = try running.store()
        _ = try store.recordSeen("kept")
        let killed = try running.snapshot()
        try write(read(killed.database) + [0], to: killed.database)
        let reopened = try killed.store(options)
        #expect(reopened.recovery == nil)
        #expect(try reopened.plugins().map(\.id) == ["kept"])
    }

    @Test func `a corrupt header is set aside`() throws {
        let whole = try filledBytes()
        // The magic, the page size, the schema format, the text encoding: file format §1.3.
        for range in [0..<16, 16..<18, 44..<48, 56..<60] {
            let directory = try StateDirectory()
            var damaged = whole
            for index in range { damaged[index] = 0x77 }
            try write(damaged, to: directory.database)
            try expectSetAside(directory, damaged, "bytes \(range)")
        }
    }

    @Test func `a page of noise is found, or nothing was lost with it`() throws {
        let whole = try filledBytes(), id = PluginID("full")
        var random = SeededGenerator(seed: 7)
        for page in 0..<whole.count / 4_096 {
            let directory = try StateDirectory()
            var damaged = whole
            for index in page * 4_096..<(page + 1) * 4_096 {
                damaged[index] = UInt8.random(in: 0...255, using: &random)
            }
            try write(damaged, to: directory.database)
            let store = try directory.store(options)
            #expect(store.recovery != nil, "page \(page) of \(whole.count / 4_096)")
            #expect(try store.storageUsage(id).keys == 0)
        }
    }

    /// No check finds a flipped bit inside a value; the point is that none stops the host.
    @Test func `no flipped bit stops the host`() throws {
        let whole = try filledBytes(), id = PluginID("full")
        var random = SeededGenerator(seed: 11)
        for _ in 0..<30 {
            let directory = try StateDirectory()
            var damaged = whole
            let bit = Int.random(in: 100 * 8..<whole.count * 8, using: &random)
            damaged[bit / 8] ^= 1 << (bit % 8)
            try write(damaged, to: directory.database)
            let store = try directory.store(options)
            do {
                _ = (try store.plugins(), try store.holds())
                for key in try store.storageKeys(id) { _ = try store.storageGet(id, key.bytes) }
                try store.storageClear(id)
            } catch let error {
                guard case .corrupt = error else {
                    Issue.record("bit \(bit): \(error)")
                    return
                }
            }
        }
    }

    @Test func `the log goes with the damaged database, and never into the next one`() throws {
        let directory = try StateDirectory()
        let store = try directory.store()
        _ = try store.recordSeen(PluginID("lost"))
        let killed = try directory.snapshot()
        let log = try read(killed / "host.db-wal")
        try write([1, 2, 3], to: killed.database)

        let recovery = try #require(try killed.store(options).recovery)

        #expect(try read(recovery.setAside + "-wal") == log)
        let again = try killed.store(options)
        #expect(again.recovery == nil)
        #expect(try again.plugins().isEmpty)
    }

    @Test func `a log without its database is set aside`() throws {
        let directory = try StateDirectory()
        try write([1, 2, 3], to: directory / "host.db-wal")

        let recovery = try #require(try directory.store(options).recovery)

        #expect(try read(recovery.setAside + "-wal") == [1, 2, 3])
    }

    @Test func `two damaged files of one second are both kept`() throws {
        let directory = try StateDirectory()
        for byte in 1...3 as ClosedRange<UInt8> {
            try write([byte], to: directory.database)
            try directory.store(options).close()
        }
        let name = "host.db.corrupt-20260131T235959Z"
        #expect(directory.names == ["host.db", name, name + "-2", name + "-3"])
        #expect(try read(directory / (name + "-3")) == [3])
    }

    @Test func `another program's database is set aside whole`() throws {
        let directory = try StateDirectory()
        try directory.execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
        try expectSetAside(directory, read(directory.database), "no application id")
    }

    @Test func `a database without the tables of its version is set aside`() throws {
        let directory = try filled()
        try directory.execute("DROP TABLE hold; PRAGMA journal_mode = DELETE")
        let store = try directory.store(options)
        #expect(store.recovery?.reason.contains("no such table: hold") == true)
    }

    @Test func `a value that breaks the schema's rules is found at the start`() throws {
        let rules = [
            "UPDATE plugin SET id = 'Not-An-Id'", "UPDATE plugin SET enabled = 7",
            "UPDATE hold SET kind = 'frozen'", "UPDATE storage SET kind = 9",
            "UPDATE storage_total SET bytes = -1",
        ]
        for rule in rules {
            let directory = try filled()
            try directory.execute("PRAGMA ignore_check_constraints = ON; \(rule)")
            #expect(try directory.store(options).recovery != nil, "\(rule)")
        }
    }

    @Test func `an empty file left by a start that failed is not there the next time`() throws {
        let directory = try StateDirectory()
        let broken = Schema(
            steps: ["CREATE TABLE half (x)", "not SQL"], queries: [], contents: "halves")
        #expect(throws: StoreError.self) { try directory.store(OpeningOptions(schema: broken)) }
        #expect(directory.names == [])
    }
}
