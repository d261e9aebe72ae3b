// StorageLimits.swift — how much a plugin may keep in its private storage, and what one entry is.
// Next: PluginStorage.swift.

/// The limits of plugin storage. They bound what a hostile plugin can cost in disk, in memory while
/// a value is copied, and in the time that a start spends on checking the database.
package enum StorageLimits {
    /// The longest key, in bytes of UTF-8. The shortest is 1. Long enough for a path-like name,
    /// short enough that a page of the index holds at least a dozen.
    package static let keyBytes = 256
    /// The longest value, in bytes (1 MiB): what is copied whole in one call.
    package static let valueBytes = 1 << 20
    /// Keys and values of one plugin together, in bytes (16 MiB).
    package static let totalBytes = 16 << 20
    /// Keys of one plugin. All of them fit in one answer of `storageKeys`: at most 2.5 MB.
    package static let keys = 10_000
}

/// One value of plugin storage.
package struct StoredValue: Sendable, Equatable {
    /// What the plugin said the bytes are. The store does not look into them.
    package enum Kind: Int, Sendable {
        /// Text of one JSON value.
        case json = 0
        /// Anything.
        case bytes = 1
    }

    /// What the plugin said the bytes are.
    package let kind: Kind
    /// The value itself, possibly empty.
    package let bytes: [UInt8]

    /// A value of `kind`, at most ``StorageLimits/valueBytes`` long to be accepted by the store.
    package init(_ kind: Kind, _ bytes: [UInt8]) {
        (self.kind, self.bytes) = (kind, bytes)
    }
}

/// What one plugin's storage holds at a moment.
package struct StorageUsage: Sendable, Equatable {
    /// How many keys.
    package let keys: Int
    /// Keys and values together, in bytes.
    package let bytes: Int

    /// `keys` keys that with their values take `bytes` bytes.
    package init(keys: Int, bytes: Int) {
        (self.keys, self.bytes) = (keys, bytes)
    }
}
