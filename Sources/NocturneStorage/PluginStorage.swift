// PluginStorage.swift — keys and values that a plugin keeps for itself, across reload and restart.
// Plugins are hostile: keys and values are any bytes until checked here. Next: StorageLimits.swift.

internal import FoundationEssentials
internal import GRDB
package import NocturneCore

extension HostStore {
    /// The value of `key`, or `nil` if there is none.
    ///
    /// - Throws: ``StoreError/keyLength(plugin:foundBytes:)`` or
    ///   ``StoreError/keyNotText(plugin:reason:)`` for what can be no key, as all methods here.
    package func storageGet(
        _ id: PluginID, _ key: [UInt8]
    ) throws(StoreError) -> StoredValue? {
        try Self.checkKey(key, of: id)
        return try read("read the storage of \(id) in") { database in
            guard let row = try database.row(.storedValue, [id.description, Data(key)]) else {
                return nil
            }
            guard let kind = StoredValue.Kind(rawValue: try row.value(0)),
                let bytes = try row.bytes(1)
            else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "unknown kind of value")
            }
            return StoredValue(kind, bytes)
        }
    }

    /// Sets the value of `key`, in place of an earlier one.
    ///
    /// - Throws: the case of ``StoreError`` that names the limit of ``StorageLimits`` in the way;
    ///   the earlier value then stays.
    package func storageSet(
        _ id: PluginID, _ key: [UInt8], _ value: StoredValue
    ) throws(StoreError) {
        let name = try Self.checkKey(key, of: id)
        guard value.bytes.count <= StorageLimits.valueBytes else {
            throw .valueTooLarge(plugin: id, key: name, foundBytes: value.bytes.count)
        }
        let keyData = Data(key), valueData = Data(value.bytes)
        let operation = "write the storage of \(id) in"
        try write(operation, weightBytes: value.bytes.count) { database in
            let old = try Self.storedLength(database, id, keyData)
            let total = try Self.total(database, id)
            let keys = total.keys + (old == nil ? 1 : 0)
            let bytes = total.bytes + valueData.count - (old ?? -keyData.count)
            guard keys <= StorageLimits.keys else {
                throw StoreError.tooManyKeys(plugin: id, key: name, found: keys)
            }
            guard bytes <= StorageLimits.totalBytes else {
                throw StoreError.storageFull(plugin: id, key: name, foundBytes: bytes)
            }
            try database.run(
                .storeValue, [id.description, keyData, value.kind.rawValue, valueData])
            try database.run(.setTotal, [id.description, keys, bytes])
        }
    }

    /// Deletes `key` and its value.
    ///
    /// - Returns: whether there was one.
    package func storageDelete(_ id: PluginID, _ key: [UInt8]) throws(StoreError) -> Bool {
        try Self.checkKey(key, of: id)
        let keyData = Data(key)
        return try write("write the storage of \(id) in") { database in
            guard let old = try Self.storedLength(database, id, keyData) else { return false }
            let total = try Self.total(database, id)
            try database.run(.deleteValue, [id.description, keyData])
            try database.run(
                .setTotal, [id.description, total.keys - 1, total.bytes - keyData.count - old])
            return true
        }
    }

    /// The keys that begin with the bytes `prefix`, in the order of their bytes. All without one.
    package func storageKeys(
        _ id: PluginID, prefix: [UInt8] = []
    ) throws(StoreError) -> [String] {
        if prefix.count > StorageLimits.keyBytes { return [] }
        return try read("read the storage of \(id) in") { database in
            // No UTF-8 text holds the byte 0xFF: what begins with the prefix comes before this.
            let end = Data(prefix + [0xFF])
            let rows = try database.rows(.storedKeys, [id.description, Data(prefix), end])
            var keys: [String] = []
            while let row = try rows.next() {
                guard let bytes = try row.bytes(0),
                    let key = String(validating: bytes, as: UTF8.self)
                else {
                    throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a key is not UTF-8")
                }
                keys.append(key)
            }
            return keys
        }
    }

    /// How much `id` has stored.
    package func storageUsage(_ id: PluginID) throws(StoreError) -> StorageUsage {
        try read("read the storage of \(id) in") { try Self.total($0, id) }
    }

    /// Deletes all that `id` has stored.
    package func storageClear(_ id: PluginID) throws(StoreError) {
        try write("clear the storage of \(id) in") { database in
            try database.run(.clearValues, [id.description])
            try database.run(.clearTotal, [id.description])
        }
    }
}

extension HostStore {
    /// The key as text, if it may be a key at all.
    @discardableResult
    private static func checkKey(
        _ key: [UInt8], of id: PluginID
    ) throws(StoreError) -> String {
        guard (1...StorageLimits.keyBytes).contains(key.count) else {
            throw .keyLength(plugin: id, foundBytes: key.count)
        }
        if let index = key.firstIndex(of: 0) {
            throw .keyNotText(plugin: id, reason: "holds a NUL at byte \(index)")
        }
        guard let name = String(validating: key, as: UTF8.self) else {
            throw .keyNotText(plugin: id, reason: "of \(key.count) bytes is not UTF-8")
        }
        return name
    }

    /// The length of a value, in bytes, or `nil` if there is none. SQLite reads no value for this.
    private static func storedLength(
        _ database: Database, _ id: PluginID, _ key: Data
    ) throws -> Int? {
        try database.row(.storedLength, [id.description, key])?.value(0)
    }

    /// The running totals: kept in the transaction of each write, so never counted anew.
    private static func total(_ database: Database, _ id: PluginID) throws -> StorageUsage {
        guard let row = try database.row(.total, [id.description]) else {
            return StorageUsage(keys: 0, bytes: 0)
        }
        return StorageUsage(keys: try row.value(0), bytes: try row.value(1))
    }
}
