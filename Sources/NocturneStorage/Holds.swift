// Holds.swift — what the operator decided against the directory, until the file there changes.
// Next: PluginStorage.swift.

internal import GRDB
package import NocturneCore

/// An operator's `unload` or `rollback` that holds against the file at a path, as long as that
/// file's content stays what it was.
package struct Hold: Sendable, Equatable {
    /// What the operator did.
    package enum Kind: String, Sendable {
        /// The plugin was unloaded: the file does not serve.
        case unloaded
        /// The plugin was rolled back: ``Hold/servingHash`` serves instead of the file.
        case rolledBack
    }

    /// The file held back.
    package let path: String
    /// The file's content hash when it was held back. With other content the hold is over.
    package let contentHash: String
    /// What the operator did.
    package let kind: Kind
    /// The plugin in the file.
    package let pluginID: PluginID
    /// The object that serves instead, if any does.
    package let servingHash: String?

    /// A hold of `kind` on the file at `path` with the content `contentHash`.
    package init(
        path: String, contentHash: String, kind: Kind, pluginID: PluginID,
        servingHash: String? = nil
    ) {
        (self.path, self.contentHash, self.kind) = (path, contentHash, kind)
        (self.pluginID, self.servingHash) = (pluginID, servingHash)
    }
}

extension HostStore {
    /// All holds, by path.
    package func holds() throws(StoreError) -> [Hold] {
        try read("read the holds in") { database in
            let rows = try database.rows(.holds)
            var holds: [Hold] = []
            while let row = try rows.next() {
                guard let kind = Hold.Kind(rawValue: try row.value(2)) else {
                    throw DatabaseError(
                        resultCode: .SQLITE_CORRUPT, message: "unknown kind of hold")
                }
                holds.append(
                    Hold(
                        path: try row.value(0), contentHash: try row.value(1), kind: kind,
                        pluginID: try PluginID(row.value(3)), servingHash: try row.optional(4)))
            }
            return holds
        }
    }

    /// Remembers a hold, in place of an earlier one on the same path.
    package func setHold(_ hold: Hold) throws(StoreError) {
        try write("remember the hold on \(hold.path) in") { database in
            try database.run(
                .setHold,
                [
                    hold.path, hold.contentHash, hold.kind.rawValue, hold.pluginID.description,
                    hold.servingHash,
                ])
        }
    }

    /// Ends the hold on `path`.
    ///
    /// - Returns: whether there was one.
    package func removeHold(path: String) throws(StoreError) -> Bool {
        try write("end the hold on \(path) in") { database in
            try database.run(.removeHold, [path])
            return database.changesCount > 0
        }
    }
}
