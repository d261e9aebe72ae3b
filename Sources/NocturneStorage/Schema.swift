// Schema.swift — the tables of a database, version by version; a released one never changes. Here
// those of `host.db`. Next: Query.swift, then Opening.swift, which applies this.

internal import GRDB

/// The steps that lead from an empty file to the newest version. Forward only.
struct Schema: Sendable {
    /// SQL of each step: `steps[0]` makes version 1, `steps[1]` version 2 of it, and so on.
    let steps: [String]
    /// The statements that must compile on the newest version, else the file is not what it says.
    let queries: [String]
    /// What the database holds, in words that fit "without the …".
    let contents: String

    /// The version that this program reads and writes: SQLite's `user_version`.
    var version: Int { steps.count }

    /// Says in SQLite's header whose file this is: "NOCT".
    static let applicationID = 0x4E4F_4354

    /// Takes an older database to the newest version, wholly or not at all.
    func migrate(_ database: Database, from found: Int) throws {
        try database.inTransaction(.immediate) {
            for step in steps[found...] {
                try database.execute(sql: step)
            }
            try database.execute(sql: "PRAGMA application_id = \(Self.applicationID)")
            try database.execute(sql: "PRAGMA user_version = \(version)")
            return .commit
        }
    }
}

extension Schema {
    /// The tables of `host.db`.
    static let host = Schema(
        steps: [version1], queries: Query.allCases.map(\.rawValue),
        contents: "settings, choices and plugin storage")

    /// `quick_check` verifies STRICT types and CHECKs on every start, so a flipped bit in a kind
    /// is found there. Storage keys are BLOBs, to be compared and sorted byte by byte. Storage has
    /// row ids because its values are large: its index then holds keys only, and listing keys
    /// reads no values.
    private static let version1 = """
        CREATE TABLE plugin (
            id TEXT NOT NULL PRIMARY KEY
                CHECK (length(id) BETWEEN 1 AND 64 AND id GLOB '[a-z]*'
                    AND id NOT GLOB '*[^a-z0-9-]*'),
            first_seen_ms INTEGER NOT NULL,
            enabled INTEGER CHECK (enabled IN (0, 1)),
            settings BLOB,
            current_hash TEXT,
            previous_hash TEXT
        ) STRICT;
        CREATE TABLE hold (
            path TEXT NOT NULL PRIMARY KEY,
            content_hash TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('unloaded', 'rolledBack')),
            plugin TEXT NOT NULL
                CHECK (length(plugin) BETWEEN 1 AND 64 AND plugin GLOB '[a-z]*'
                    AND plugin NOT GLOB '*[^a-z0-9-]*'),
            serving_hash TEXT
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE storage (
            plugin TEXT NOT NULL,
            key BLOB NOT NULL CHECK (length(key) BETWEEN 1 AND 256),
            kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
            value BLOB NOT NULL,
            PRIMARY KEY (plugin, key)
        ) STRICT;
        CREATE TABLE storage_total (
            plugin TEXT NOT NULL PRIMARY KEY,
            keys INTEGER NOT NULL CHECK (keys >= 0),
            bytes INTEGER NOT NULL CHECK (bytes >= 0)
        ) STRICT, WITHOUT ROWID;
        """
}
