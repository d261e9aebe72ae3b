// MigrationTests.swift — from any version to the newest: after a copy, wholly or not at all.

import GRDB
import Glibc
import NocturneCore
import Testing

@testable import NocturneStorage

@Suite struct MigrationTests {
    private func options(_ steps: String...) -> OpeningOptions {
        OpeningOptions(
            schema: Schema(
                steps: Schema.host.steps + steps, queries: Schema.host.queries,
                contents: Schema.host.contents))
    }

    private func value(_ sql: String, in path: String) throws -> String? {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.unsafeRead { try String.fetchOne($0, sql: sql) }
    }

    /// A database of version 1 with a row in it that lies in the log only.
    private func killedVersion1() throws -> StateDirectory {
        let directory = try StateDirectory()
        let store = try directory.store()
        try store.setEnabled(true, for: PluginID("kept"))
        let killed = try directory.snapshot()
        #expect(killed.names.contains("host.db-wal"))
        return killed
    }

    @Test func `an older database is copied with its log, then migrated`() throws {
        let directory = try killedVersion1()

        let store = try directory.store(options("ALTER TABLE plugin ADD COLUMN note TEXT"))

        #expect(try store.plugins().map(\.enabled) == [true])
        try store.close()
        #expect(try value("PRAGMA user_version", in: directory.database) == "2")
        let copy = directory / "host.db.before-2"
        #expect(directory.names == ["host.db", "host.db.before-2"])
        #expect(mode(copy) == 0o600)
        #expect(try value("PRAGMA user_version", in: copy) == "1")
        #expect(try value("SELECT id FROM plugin", in: copy) == "kept")
    }

    @Test func `a copy, put back, is a database of the old version`() throws {
        let directory = try killedVersion1()
        try directory.store(options("CREATE TABLE more (x)", "DROP TABLE more")).close()
        rename(directory / "host.db.before-3", directory.database)

        let store = try directory.store()

        #expect(store.recovery == nil)
        #expect(try store.plugins().map(\.id.description) == ["kept"])
    }

    @Test func `a migration that fails leaves the old version, all of it`() throws {
        let directory = try killedVersion1()

        #expect(throws: StoreError.self) {
            try directory.store(options("DELETE FROM plugin", "CREATE TABLE plugin (x)"))
        }

        let store = try directory.store()
        #expect(store.recovery == nil)
        #expect(try store.plugins().map(\.enabled) == [true])
    }

    @Test func `a second attempt replaces the copy of the first, and what it left unfinished`()
        throws
    {
        let directory = try killedVersion1()
        #expect(throws: StoreError.self) { try directory.store(options("not SQL")) }
        try write([1], to: directory / "host.db.before-2.partial")
        let store = try directory.store()
        try store.setEnabled(false, for: PluginID("kept"))
        try store.close()

        try directory.store(options("CREATE TABLE more (x)")).close()

        #expect(directory.names == ["host.db", "host.db.before-2"])
        #expect(
            try value("SELECT enabled FROM plugin", in: directory / "host.db.before-2") == "0")
    }

    @Test func `a new database and one of the newest version are not copied`() throws {
        let directory = try StateDirectory()
        try directory.store(options("CREATE TABLE more (x)")).close()
        try directory.store(options("CREATE TABLE more (x)")).close()
        #expect(directory.names == ["host.db"])
    }

    @Test func `a start that was killed before it made the tables is finished by the next`() throws
    {
        let directory = try StateDirectory()
        try directory.execute("PRAGMA journal_mode = WAL")

        let store = try directory.store()

        #expect(store.recovery == nil)
        #expect(try store.plugins().isEmpty)
    }
}
