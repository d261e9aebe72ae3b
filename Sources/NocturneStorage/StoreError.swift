// StoreError.swift — all that can go wrong between the host and its databases, each with a way out.
// Next: StorageLimits.swift.

package import NocturneCore

/// Why the store could not do what was asked. Nothing was changed unless a case says otherwise.
package enum StoreError: Error, Equatable, CustomStringConvertible {
    /// What the operating system or SQLite answered, and to which operation.
    package struct Failure: Equatable, Sendable {
        /// What was being done, as a phrase that follows "cannot".
        package let operation: String
        /// The file it was done to.
        package let path: String
        /// SQLite's extended result code (<https://www.sqlite.org/rescode.html>), or `nil` when
        /// the operating system refused before SQLite was asked.
        package let sqliteCode: Int32?
        /// What was answered, in the words of SQLite or of `strerror`.
        package let message: String
    }

    /// The database was written by a newer Nocturne. It was not touched.
    case newer(path: String, found: Int, known: Int)
    /// The database's name belongs to something that is not a regular file.
    case notAFile(path: String, found: String)
    /// Another process owns the database or the directory.
    case owned(path: String, pid: String)
    /// No space, or no quota, is left where the database lies.
    case diskFull(Failure)
    /// The file, its directory or its file system may not be written.
    case readOnly(Failure)
    /// Another program holds the database, longer than the store waits.
    case locked(Failure)
    /// SQLite found damage while the database was in use. The next start sets the file aside.
    case corrupt(Failure)
    /// Anything else SQLite or the operating system refused.
    case failed(Failure)
    /// The store was closed.
    case closed(path: String)

    /// A storage key is empty or longer than ``StorageLimits/keyBytes``.
    case keyLength(plugin: PluginID, foundBytes: Int)
    /// A storage key is not UTF-8, or holds a NUL byte.
    case keyNotText(plugin: PluginID, reason: String)
    /// A value is longer than ``StorageLimits/valueBytes``.
    case valueTooLarge(plugin: PluginID, key: String, foundBytes: Int)
    /// With this write the plugin would hold more than ``StorageLimits/totalBytes``.
    case storageFull(plugin: PluginID, key: String, foundBytes: Int)
    /// With this write the plugin would hold more than ``StorageLimits/keys`` keys.
    case tooManyKeys(plugin: PluginID, key: String, found: Int)

    /// What failed, on what, by how much, and what to do next. Keys are shown in ASCII only: they
    /// come from plugins, and this text ends in logs and on terminals.
    package var description: String {
        switch self {
        case .newer(let path, let found, let known):
            """
            \(path) has version \(found) and this Nocturne knows up to \(known): run the newer \
            Nocturne, or start with another state directory
            """
        case .notAFile(let path, let found):
            "\(path) is a \(found), not a regular file: move it away and start again"
        case .owned(let path, let pid):
            """
            \(path) belongs to a running host with pid \(pid); stop it first, or give this one \
            another state directory
            """
        case .diskFull(let failure):
            "\(failure): the disk is full; free some space or quota there, then try again"
        case .readOnly(let failure):
            "\(failure): give the host's user write permission to it and to its directory"
        case .locked(let failure):
            "\(failure): another program holds it; close that program, then try again"
        case .corrupt(let failure):
            """
            \(failure): the database is damaged; restart the host, which sets the file aside, \
            and restore a backup if there is one
            """
        case .failed(let failure):
            "\(failure): check the disk and the permissions there, then try again"
        case .closed(let path):
            "\(path) was closed: the host is stopping; try again when it runs"
        default:
            limitDescription
        }
    }

    private var limitDescription: String {
        switch self {
        case .keyLength(let plugin, let found):
            """
            \(plugin): a storage key has \(found) bytes, and 1 to \(StorageLimits.keyBytes) are \
            allowed: choose another key
            """
        case .keyNotText(let plugin, let reason):
            "\(plugin): a storage key \(reason): keys are UTF-8 text without NUL"
        case .valueTooLarge(let plugin, let key, let found):
            """
            \(plugin): the value of storage key \(Self.shown(key)) has \(found) bytes, and \
            \(StorageLimits.valueBytes) are allowed: split it over several keys
            """
        case .storageFull(let plugin, let key, let found):
            """
            \(plugin): with storage key \(Self.shown(key)) its keys and values would take \
            \(found) bytes, and \(StorageLimits.totalBytes) are allowed: delete some keys first
            """
        case .tooManyKeys(let plugin, let key, let found):
            """
            \(plugin): with storage key \(Self.shown(key)) it would have \(found) keys, and \
            \(StorageLimits.keys) are allowed: delete some keys first
            """
        default:
            ""
        }
    }

    private static func shown(_ key: String) -> String {
        "\"" + key.unicodeScalars.map { $0.escaped(asASCII: true) }.joined() + "\""
    }
}

extension StoreError.Failure: CustomStringConvertible {
    /// The failure as the first half of a sentence, without advice.
    package var description: String {
        let code = sqliteCode.map { " (SQLite \($0))" } ?? ""
        return "cannot \(operation) \(path): \(message)\(code)"
    }
}
