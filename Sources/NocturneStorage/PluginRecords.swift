// PluginRecords.swift — one row per plugin id: enabled, settings, generations. Next: Holds.swift.

internal import FoundationEssentials
internal import GRDB
package import NocturneCore

/// The two newest objects of a plugin, by content hash, for `rollback`.
package struct Generation: Sendable, Equatable {
    /// The object that serves, or last served.
    package var current: String?
    /// The one before it.
    package var previous: String?

    /// `current`, and `previous` before it.
    package init(current: String? = nil, previous: String? = nil) {
        (self.current, self.previous) = (current, previous)
    }
}

/// What is remembered of a plugin id.
package struct PluginRecord: Sendable, Equatable {
    /// Whose record it is.
    package let id: PluginID
    /// When the id was first recorded, in milliseconds since 1970-01-01 UTC.
    package let firstSeenMs: Int64
    /// The operator's decision, or `nil` if there was none: then `autoEnable` decides.
    package let enabled: Bool?
    /// The settings as they were given, or `nil` if none were.
    package let settings: JSONValue?
    /// Says why ``settings`` is `nil` although something is stored: damage that no check of
    /// SQLite's finds. The operator is to be told; the next `setSettings` replaces it.
    package let settingsDamage: String?
    /// The objects to serve and to roll back to.
    package let generation: Generation
}

extension HostStore {
    /// All records, by id.
    package func plugins() throws(StoreError) -> [PluginRecord] {
        try read("read the plugins in") { database in
            let rows = try database.rows(.plugins)
            var records: [PluginRecord] = []
            while let row = try rows.next() {
                var settings: JSONValue?, damage: String?
                if let bytes = try row.bytes(3) {
                    do {
                        settings = try JSONParser.parse(bytes)
                    } catch {
                        damage = "the stored settings are not JSON: \(error)"
                    }
                }
                records.append(
                    PluginRecord(
                        id: try PluginID(row.value(0)), firstSeenMs: try row.value(1),
                        enabled: try row.optional(2), settings: settings, settingsDamage: damage,
                        generation: Generation(
                            current: try row.optional(4), previous: try row.optional(5))))
            }
            return records
        }
    }

    /// Records that `id` exists. Every setter below does so too.
    ///
    /// - Returns: whether this is the first time.
    package func recordSeen(_ id: PluginID) throws(StoreError) -> Bool {
        let time = now().milliseconds
        return try write("record the plugin \(id) in") { database in
            try database.run(.seePlugin, [id.description, time])
            return database.changesCount > 0
        }
    }

    /// Remembers the operator's decision; `nil` forgets it.
    package func setEnabled(_ enabled: Bool?, for id: PluginID) throws(StoreError) {
        let time = now().milliseconds
        try write("remember whether \(id) is enabled in") { database in
            try database.run(.setEnabled, [id.description, time, enabled])
        }
    }

    /// Remembers settings, wholly replacing earlier ones; `nil` forgets them.
    package func setSettings(_ settings: JSONValue?, for id: PluginID) throws(StoreError) {
        let time = now().milliseconds, bytes = settings.map { Data($0.serialized()) }
        try write("store the settings of \(id) in", weightBytes: bytes?.count ?? 0) { database in
            try database.run(.setSettings, [id.description, time, bytes])
        }
    }

    /// The objects of `id`; both `nil` if it was never recorded.
    package func generation(of id: PluginID) throws(StoreError) -> Generation {
        try read("read the generation of \(id) in") { database in
            guard let row = try database.row(.generation, [id.description]) else {
                return Generation()
            }
            return Generation(current: try row.optional(0), previous: try row.optional(1))
        }
    }

    /// Remembers both objects of `id` in one step.
    package func setGeneration(
        _ generation: Generation, of id: PluginID
    ) throws(StoreError) {
        let time = now().milliseconds
        try write("remember the generation of \(id) in") { database in
            try database.run(
                .setGeneration,
                [id.description, time, generation.current, generation.previous])
        }
    }
}
