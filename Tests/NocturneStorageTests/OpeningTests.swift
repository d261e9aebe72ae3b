// OpeningTests.swift — the file itself: private, versioned, refused or set aside as it deserves.

import GRDB
import Glibc
import NocturneCore
import Testing

@testable import NocturneStorage

@Suite struct OpeningTests {
    @Test func `the database and the two files beside it are the owner's alone`() throws {
        let directory = try StateDirectory()
        let previous = umask(0)
        defer { umask(previous) }
        let store = try directory.store()
        _ = try store.recordSeen(PluginID("a"))

        #expect(directory.names == ["host.db", "host.db-shm", "host.db-wal"])
        for name in directory.names { #expect(mode(directory / name) == 0o600) }
    }

    @Test func `a database that others may read becomes private when it is opened`() throws {
        let directory = try StateDirectory()
        try directory.store().close()
        chmod(directory.database, 0o644)

        let store = try directory.store()

        #expect(mode(directory.database) == 0o600)
        try store.close()
    }

    @Test func `commits are flushed through a write-ahead log, and the caches are small`() throws {
        let directory = try StateDirectory()
        let store = try directory.store()

        let (mode, flush, cache) = try store.write("look at") { database in
            (
                try String.fetchOne(database, sql: "PRAGMA journal_mode"),
                try Int.fetchOne(database, sql: "PRAGMA synchronous"),
                try Int.fetchOne(database, sql: "PRAGMA cache_size")
            )
        }

        #expect(mode == "wal")
        #expect(flush == 2, "FULL, <https://www.sqlite.org/pragma.html#pragma_synchronous>")
        #expect(cache == -512, "in KiB when negative")
    }

    @Test func `after close every use says so, and a second close does nothing`() throws {
        let directory = try StateDirectory()
        let store = try directory.store(), id = PluginID("a")
        try store.close()
        try store.close()

        let closed = StoreError.closed(path: directory.database)
        #expect(throws: closed) { try store.plugins() }
        #expect(throws: closed) { try store.setEnabled(true, for: id) }
        #expect(throws: closed) { try store.storageGet(id, "k".bytes) }
        #expect(directory.names == ["host.db"], "the log is gone: it was moved into the database")
    }

    @Test func `what others wrote while the store closes is refused or written, never lost`() throws
    {
        let directory = try StateDirectory()
        let store = try directory.store(), id = PluginID("a")
        let wait = try startThreads(4) { thread in
            for count in 0... {
                do throws(StoreError) {
                    try store.storageSet(id, "\(thread).\(count)".bytes, StoredValue(.bytes, []))
                } catch {
                    #expect(error == .closed(path: directory.database))
                    return
                }
            }
        }
        while try store.storageUsage(id).keys < 8 { sched_yield() }
        try store.close()
        wait()

        let keys = try directory.store().storageKeys(id)
        for thread in 0..<4 {
            let count = keys.filter { $0.hasPrefix("\(thread).") }.count
            #expect((0..<count).allSatisfy { keys.contains("\(thread).\($0)") })
        }
    }

    @Test(arguments: [2, 3, Int(Int32.max)])
    func `a newer database is refused by both versions' names and left as it is`(
        version: Int
    ) throws {
        let directory = try StateDirectory()
        try directory.store().close()
        try directory.execute("PRAGMA user_version = \(version); CREATE TABLE later (x)")
        let before = try read(directory.database)

        #expect(throws: StoreError.newer(path: directory.database, found: version, known: 1)) {
            try directory.store()
        }
        #expect(try read(directory.database) == before)
        #expect(directory.names == ["host.db"])
    }

    @Test func `a newer version that stands only in the log is refused too`() throws {
        let directory = try StateDirectory()
        try directory.store().close()
        let queue = try DatabaseQueue(path: directory.database)
        try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 9") }
        let killed = try directory.snapshot()
        try queue.close()

        #expect(killed.names == ["host.db", "host.db-wal"])
        #expect(throws: StoreError.newer(path: killed.database, found: 9, known: 1)) {
            try killed.store()
        }
    }

    @Test func `what is no regular file is refused by what it is`() throws {
        func refused(_ make: (StateDirectory) -> Void) throws -> StoreError? {
            let directory = try StateDirectory()
            make(directory)
            let error = #expect(throws: StoreError.self) { try directory.store() }
            rmdir(directory.database)
            guard case .notAFile(directory.database, let found) = error else { return error }
            return .notAFile(path: "", found: found)
        }
        #expect(
            try refused { mkdir($0.database, 0o700) } == .notAFile(path: "", found: "directory"))
        #expect(try refused { mkfifo($0.database, 0o600) } == .notAFile(path: "", found: "FIFO"))
        #expect(
            try refused { symlink("/nowhere", $0.database) }
                == .notAFile(path: "", found: "symbolic link"))
    }

    @Test func `a missing directory is named, with what the system said`() throws {
        let error = #expect(throws: StoreError.self) {
            try HostStore(directory: "/nowhere/at/all")
        }
        #expect(
            error?.description.hasPrefix(
                "cannot create /nowhere/at/all/host.db: No such file or directory") == true)
    }

    @Test(.enabled(if: geteuid() != 0, "SKIPPED: root may write to any directory"))
    func `a directory that may not be written is read-only, by path`() throws {
        let directory = try StateDirectory()
        chmod(directory.path, 0o500)
        defer { chmod(directory.path, 0o700) }
        try expectReadOnly(directory.path)
    }

    /// sysfs lets nobody create a file, root included.
    @Test func `a file system that may not be written is read-only, by path`() throws {
        try expectReadOnly("/sys/kernel")
    }

    private func expectReadOnly(_ path: String) throws {
        let error = #expect(throws: StoreError.self) { try HostStore(directory: path) }
        guard case .readOnly(let failure) = error else {
            Issue.record("not read-only: \(String(describing: error))")
            return
        }
        #expect(failure.path == path + "/host.db")
    }

    @Test func `another program's lock ends in an error that says so, and reads go on`() throws {
        let directory = try StateDirectory()
        let store = try directory.store(OpeningOptions(lockSeconds: 0.01))
        let id = PluginID("a")
        try store.storageSet(id, "k".bytes, StoredValue(.bytes, [1]))
        let other = try DatabaseQueue(path: directory.database)

        try other.writeWithoutTransaction { database in
            try database.execute(sql: "BEGIN IMMEDIATE")
            let error = #expect(throws: StoreError.self) { try store.setEnabled(true, for: id) }
            guard case .locked(let failure) = error else {
                Issue.record("not locked: \(String(describing: error))")
                return
            }
            #expect(failure.sqliteCode == 5, "SQLITE_BUSY, <https://www.sqlite.org/rescode.html>")
            #expect(try store.storageGet(id, "k".bytes) == StoredValue(.bytes, [1]))
            try database.execute(sql: "ROLLBACK")
        }
        try store.setEnabled(true, for: id)
        try other.close()
    }

    /// Codes and meanings from <https://www.sqlite.org/rescode.html>.
    @Test func `each of SQLite's answers leads to the advice that helps`() {
        let advice: [(Int32, String)] = [
            (13, "free some space"), (4_874, "free some space"), (8, "write permission"),
            (1_032, "write permission"), (5, "close that program"), (261, "close that program"),
            (11, "restart the host"), (779, "restart the host"), (10, "check the disk"),
        ]
        for (code, words) in advice {
            let answer = DatabaseError(resultCode: ResultCode(rawValue: code), message: "no")
            let text = StoreError(answer, operation: "open", path: "/s/host.db").description
            #expect(text.hasPrefix("cannot open /s/host.db: no (SQLite \(code)): "))
            #expect(text.contains(words), "\(text)")
        }
    }

    @Test func `a full disk is an error that says so, and nothing of the write stays`() throws {
        let directory = try StateDirectory()
        let store = try directory.store(), id = PluginID("a")
        try store.storageSet(id, "small".bytes, StoredValue(.bytes, [1]))
        try store.limitPages()

        let error = #expect(throws: StoreError.self) {
            try store.storageSet(
                id, "big".bytes, StoredValue(.bytes, Array(repeating: 7, count: 1 << 20)))
        }
        guard case .diskFull(let failure) = error else {
            Issue.record("not full: \(String(describing: error))")
            return
        }
        #expect(failure.sqliteCode == 13, "SQLITE_FULL")
        #expect(try store.storageKeys(id) == ["small"])
        #expect(try store.storageUsage(id) == StorageUsage(keys: 1, bytes: 6))
        try store.storageSet(id, "small".bytes, StoredValue(.bytes, [2]))
    }
}

extension HostStore {
    /// Lets the database grow by five pages at most, as a full disk would.
    func limitPages() throws {
        try write("limit") { database in
            let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
            try database.execute(sql: "PRAGMA max_page_count = \(pages + 5)")
        }
    }
}
