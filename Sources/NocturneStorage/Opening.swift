// Opening.swift — from a path to two connections that can be trusted: looked at, checked, migrated.
// Damage leads to a new file, and is told. Next: HostStore.swift.

internal import GRDB
internal import NocturneCore

/// The database is damaged, and why. It is to be set aside.
struct Damage: Error {
    let reason: String
}

/// Tells that a damaged database was put away and that the host starts without what it held.
package struct Recovery: Sendable, Equatable, CustomStringConvertible {
    /// Where the damaged file lies now; its log, if any, beside it with `-wal` appended.
    package let setAside: String
    /// What is wrong with it.
    package let reason: String
    /// What it held.
    let contents: String

    /// What happened, to which file, and what to do next.
    package var description: String {
        """
        the host's database is damaged: \(reason). It was set aside as \(setAside); the host \
        starts without the \(contents) in it. To get them back, stop the host and restore a backup
        """
    }
}

/// The two connections of an open store.
struct Connections: Sendable {
    let writer: DatabaseQueue
    /// Reads what was last committed, without waiting for a commit that is under way.
    let reader: DatabaseQueue
}

/// How a database is opened. Only tests use other values than the defaults.
struct OpeningOptions: Sendable {
    var schema = Schema.host
    /// How long a statement waits for another program's lock, in seconds: an operator's `sqlite3`
    /// shell is done by then, and a plugin's call has not yet timed out.
    var lockSeconds = 2.0
    /// The wall clock.
    var now: @Sendable () -> UnixTime = UnixTime.now
}

extension Connections {
    /// Opens the database at `path`; sets a damaged one aside and opens a new one in its place.
    static func recover(
        path: String, _ options: OpeningOptions
    ) throws(StoreError) -> (Connections, Recovery?) {
        let file = DatabaseFile(path: path)
        do {
            do {
                return (try open(file, options), nil)
            } catch let damage as Damage {
                let aside = try file.setAside(at: options.now())
                let recovery = Recovery(
                    setAside: aside, reason: damage.reason, contents: options.schema.contents)
                return (try open(file, options), recovery)
            }
        } catch let damage as Damage {
            // Damaged again right after it was made anew: the disk itself cannot be trusted.
            throw .corrupt(
                StoreError.Failure(
                    operation: "open", path: path, sqliteCode: nil, message: damage.reason))
        } catch {
            throw StoreError(error, operation: "open", path: path)
        }
    }

    /// The page cache of the writer and of the reader, in KiB. The writer must hold the pages that
    /// one usual transaction changes; the kernel's own cache serves the rest.
    private static let writerCacheKiB = 512, readerCacheKiB = 128
    /// What a log that once grew is cut back to, in bytes: SQLite's checkpoint after 1,000 pages
    /// of 4,096 bytes.
    private static let logBytes = 1_000 * 4_096

    /// Opens `file`, checks it, takes it to the newest version.
    ///
    /// - Throws: ``Damage``, or a ``StoreError`` about which nothing can be done here.
    static func open(_ file: DatabaseFile, _ options: OpeningOptions) throws -> Connections {
        let finding = try file.examine(known: options.schema.version)
        if case .damaged(let reason) = finding { throw Damage(reason: reason) }
        let isNew = finding == .created
        do {
            if isNew { try file.syncDirectory() }
            let writer = try connect(file, options, readOnly: false)
            do {
                try writer.writeWithoutTransaction { database in
                    try verify(database, file, options.schema, isNew: isNew)
                    try useLog(database)
                    try upgrade(database, file, options.schema)
                    try compile(database, options.schema)
                }
                let reader = try connect(file, options, readOnly: true)
                return Connections(writer: writer, reader: reader)
            } catch {
                // Before the file is renamed: a connection ends by removing the log by its name.
                // What the file's state led to is thrown; that ending failed too adds nothing.
                try? writer.close()
                throw error
            }
        } catch {
            if isNew { file.removeCreated() }
            throw damage(error)
        }
    }

    private static func connect(
        _ file: DatabaseFile, _ options: OpeningOptions, readOnly: Bool
    ) throws -> DatabaseQueue {
        do {
            return try DatabaseQueue(
                path: file.path, configuration: configuration(file, options, readOnly: readOnly))
        } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
            // The statements of a new connection are right, so the file is wrong: its format
            // number, for instance.
            throw Damage(error)
        }
    }

    private static func configuration(
        _ file: DatabaseFile, _ options: OpeningOptions, readOnly: Bool
    ) -> Configuration {
        var configuration = Configuration()
        configuration.label = file.name + (readOnly ? " reader" : " writer")
        configuration.readonly = readOnly
        configuration.busyMode = .timeout(options.lockSeconds)
        configuration.foreignKeysEnabled = false
        // A rollback that fails on a broken disk must end in an error, not in GRDB's trap.
        configuration.allowsUnsafeTransactions = true
        configuration.prepareDatabase { database in
            let cache = readOnly ? readerCacheKiB : writerCacheKiB
            // A negative cache size is in KiB. The schema is not trusted: the file may be forged.
            // Freed pages are wiped only where that costs no extra write.
            try database.execute(
                sql: """
                    PRAGMA cache_size = -\(cache);
                    PRAGMA mmap_size = 0;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA trusted_schema = OFF;
                    PRAGMA cell_size_check = ON;
                    PRAGMA secure_delete = FAST;
                    """)
        }
        return configuration
    }

    /// Refuses a newer version first: its schema may be more than this SQLite understands.
    private static func verify(
        _ database: Database, _ file: DatabaseFile, _ schema: Schema, isNew: Bool
    ) throws {
        if isNew { return }
        let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        if found > schema.version {
            throw StoreError.newer(path: file.path, found: found, known: schema.version)
        }
        let problem = try String.fetchOne(database, sql: "PRAGMA quick_check(1)")
        guard problem == "ok" else {
            throw Damage(reason: "SQLite's quick_check says: \(problem ?? "nothing")")
        }
        if try isEmpty(database) { return }
        let application = try Int.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        guard application == Schema.applicationID, found > 0 else {
            throw Damage(
                reason: """
                    it is a database of another program (application id \(application), \
                    version \(found))
                    """)
        }
    }

    private static func isEmpty(_ database: Database) throws -> Bool {
        try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0
    }

    /// A write-ahead log flushed at each commit: readers never wait, and a commit survives power
    /// loss. GRDB's own set-up would leave `synchronous` at NORMAL, which does not.
    private static func useLog(_ database: Database) throws {
        let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
        guard mode == "wal" else {
            throw DatabaseError(
                resultCode: .SQLITE_CANTOPEN,
                message: "the file system allows no write-ahead log (mode \(mode ?? "none"))")
        }
        try database.execute(
            sql: "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = \(logBytes)")
    }

    private static func upgrade(
        _ database: Database, _ file: DatabaseFile, _ schema: Schema
    ) throws {
        let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard found < schema.version else { return }
        if try !isEmpty(database) {
            // SQLite makes the copy: it includes the log, and reading the file past SQLite would
            // drop its locks.
            let copy = "\(file.path).before-\(schema.version)", unfinished = copy + ".partial"
            try file.removeIfPresent(unfinished)
            try file.createEmpty(unfinished)
            try database.execute(sql: "VACUUM INTO ?", arguments: [unfinished])
            try file.publish(unfinished, as: copy)
        }
        try schema.migrate(database, from: found)
    }

    /// Every statement compiles, or the file is not of the version it names.
    private static func compile(_ database: Database, _ schema: Schema) throws {
        for query in schema.queries {
            do {
                _ = try database.makeStatement(sql: query)
            } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
                throw Damage(
                    reason: "its tables are not those of version \(schema.version): "
                        + (error.message ?? "no reason given"))
            }
        }
    }

    private static func damage(_ error: any Error) -> any Error {
        guard let error = error as? DatabaseError,
            [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode)
        else { return error }
        return Damage(error)
    }
}

extension Damage {
    fileprivate init(_ error: DatabaseError) {
        reason = "SQLite says: \(error.message ?? "\(error.extendedResultCode)")"
    }
}
