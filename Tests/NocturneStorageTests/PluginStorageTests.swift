// PluginStorageTests.swift — keys, values and limits of plugin storage, against a plain dictionary.

import GRDB
import NocturneCore
import Testing

@testable import NocturneStorage

@Suite struct PluginStorageTests {
    private let directory: StateDirectory, store: HostStore, id: PluginID

    init() throws {
        directory = try StateDirectory()
        store = try directory.store()
        id = PluginID("mine")
    }

    private func zeros(_ count: Int) -> StoredValue {
        StoredValue(.bytes, [UInt8](repeating: 0, count: count))
    }

    @Test func `a value comes back byte for byte with its kind, empty ones too`() throws {
        let values = [
            StoredValue(.json, "{\"a\":1}".bytes), StoredValue(.bytes, Array(0...255)),
            StoredValue(.bytes, []), StoredValue(.json, []),
        ]
        for (index, value) in values.enumerated() {
            try store.storageSet(id, "k\(index)".bytes, value)
        }
        try store.close()

        let reopened = try directory.store()
        for (index, value) in values.enumerated() {
            #expect(try reopened.storageGet(id, "k\(index)".bytes) == value)
        }
        #expect(try reopened.storageGet(id, "k9".bytes) == nil)
    }

    @Test func `a plugin sees nothing of another's`() throws {
        let other = PluginID("mine-2")
        try store.storageSet(id, "k".bytes, zeros(3))
        #expect(try store.storageGet(other, "k".bytes) == nil)
        #expect(try !store.storageDelete(other, "k".bytes))
        #expect(try store.storageKeys(other) == [])

        try store.storageSet(other, "k".bytes, zeros(4))
        try store.storageClear(id)
        #expect(try store.storageKeys(id) == [])
        #expect(try store.storageUsage(id) == StorageUsage(keys: 0, bytes: 0))
        #expect(try store.storageGet(other, "k".bytes) == zeros(4))
        #expect(try store.storageUsage(other) == StorageUsage(keys: 1, bytes: 5))
    }

    /// Swift calls the first two equal as strings (canonical equivalence); a plugin does not.
    @Test func `keys are bytes: sorted, told apart and found as such`() throws {
        let keys = [
            "\u{E9}", "e\u{301}", "e", "f", "a%", "a_", "a'b", "\u{1F600}", "\u{FFFF}", " ",
        ]
        for key in keys { try store.storageSet(id, key.bytes, zeros(0)) }
        let sorted = keys.map(\.bytes).sorted { $0.lexicographicallyPrecedes($1) }
        #expect(try store.storageKeys(id).map(\.bytes) == sorted)
        for prefix in keys.map(\.bytes) + [[0xC3], [0xF0, 0x9F], [0xFF], [0], "a".bytes] {
            #expect(
                try store.storageKeys(id, prefix: prefix).map(\.bytes)
                    == sorted.filter { $0.starts(with: prefix) }, "\(prefix)")
        }
        #expect(try store.storageKeys(id, prefix: [UInt8](repeating: 97, count: 257)) == [])
    }

    @Test func `what is no key is refused everywhere, by what is wrong with it`() throws {
        let long = [UInt8](repeating: 97, count: 257)
        let refusals: [([UInt8], StoreError)] = [
            ([], .keyLength(plugin: id, foundBytes: 0)),
            (long, .keyLength(plugin: id, foundBytes: 257)),
            ([97, 0], .keyNotText(plugin: id, reason: "holds a NUL at byte 1")),
            ([0xC3, 0x28], .keyNotText(plugin: id, reason: "of 2 bytes is not UTF-8")),
            ([0xED, 0xA0, 0x80], .keyNotText(plugin: id, reason: "of 3 bytes is not UTF-8")),
        ]
        for (key, refusal) in refusals {
            #expect(throws: refusal) { try store.storageSet(id, key, zeros(0)) }
            #expect(throws: refusal) { try store.storageGet(id, key) }
            #expect(throws: refusal) { try store.storageDelete(id, key) }
        }
        try store.storageSet(id, Array(long.dropLast()), zeros(1))
        #expect(try store.storageUsage(id) == StorageUsage(keys: 1, bytes: 257))
    }

    @Test func `a value of one mebibyte is kept and one byte more is refused`() throws {
        try store.storageSet(id, "k".bytes, zeros(1 << 20))
        #expect(
            throws: StoreError.valueTooLarge(plugin: id, key: "k", foundBytes: (1 << 20) + 1)
        ) {
            try store.storageSet(id, "k".bytes, zeros((1 << 20) + 1))
        }
        #expect(try store.storageGet(id, "k".bytes) == zeros(1 << 20))
    }

    @Test func `sixteen mebibytes of keys and values fit, to the byte`() throws {
        for count in 0..<15 { try store.storageSet(id, [97 + UInt8(count)], zeros(1 << 20)) }
        // Fifteen keys of one byte so far; "last" takes four.
        let rest = (1 << 20) - 15 - 4
        #expect(
            throws: StoreError.storageFull(plugin: id, key: "last", foundBytes: (16 << 20) + 1)
        ) {
            try store.storageSet(id, "last".bytes, zeros(rest + 1))
        }
        try store.storageSet(id, "last".bytes, zeros(rest))
        #expect(try store.storageUsage(id) == StorageUsage(keys: 16, bytes: 16 << 20))

        // Full, and still: replace by as much, by less, delete, and then use what became free.
        try store.storageSet(id, "last".bytes, zeros(rest))
        try store.storageSet(id, "last".bytes, zeros(rest - 10))
        #expect(throws: StoreError.self) { try store.storageSet(id, "12".bytes, zeros(9)) }
        try store.storageSet(id, "12".bytes, zeros(8))
        #expect(try store.storageUsage(id).bytes == 16 << 20)
        try store.storageSet(PluginID("other"), "k".bytes, zeros(1))
    }

    @Test func `ten thousand keys fit, and one more does not`() throws {
        // Written in one transaction here, else 10,000 flushes of the disk: the last ones count.
        let plugin = id.description
        try store.write("fill") { database in
            for count in 0..<9_999 {
                try database.execute(
                    sql: "INSERT INTO storage VALUES (?, CAST(? AS BLOB), 1, x'')",
                    arguments: [plugin, "k\(10_000 + count)"])
            }
            try database.execute(
                sql: "INSERT INTO storage_total VALUES (?, 9999, 59994)", arguments: [plugin])
        }
        try store.storageSet(id, "k0".bytes, zeros(0))
        #expect(throws: StoreError.tooManyKeys(plugin: id, key: "k1", found: 10_001)) {
            try store.storageSet(id, "k1".bytes, zeros(0))
        }
        try store.storageSet(id, "k0".bytes, zeros(1))
        #expect(try store.storageKeys(id).count == 10_000)
        #expect(try store.storageDelete(id, "k0".bytes))
        try store.storageSet(id, "k1".bytes, zeros(0))
        #expect(try store.storageUsage(id) == StorageUsage(keys: 10_000, bytes: 59_996))
    }

    @Test func `after any sets and deletes, contents and totals are those of a dictionary`() throws
    {
        var random = SeededGenerator(seed: 3), model: [[UInt8]: StoredValue] = [:]
        for step in 0..<250 {
            let key = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                UInt8.random(in: 97...100, using: &random)
            }
            switch Int.random(in: 0..<100, using: &random) {
            case 0:
                try store.storageClear(id)
                model = [:]
            case 1..<35:
                let existed = model.removeValue(forKey: key) != nil
                #expect(try store.storageDelete(id, key) == existed)
            default:
                let size = Int.random(in: 0...2_000, using: &random)
                let value = StoredValue(
                    step % 2 == 0 ? .json : .bytes,
                    [UInt8](repeating: UInt8(step % 256), count: size))
                try store.storageSet(id, key, value)
                model[key] = value
            }
            let bytes = model.reduce(0) { $0 + $1.key.count + $1.value.bytes.count }
            #expect(try store.storageUsage(id) == StorageUsage(keys: model.count, bytes: bytes))
        }
        let sorted = model.keys.sorted { $0.lexicographicallyPrecedes($1) }
        #expect(try store.storageKeys(id).map(\.bytes) == sorted)
        for (key, value) in model { #expect(try store.storageGet(id, key) == value) }
    }

    @Test func `every limit's message names the plugin, what was found, what is allowed`() throws {
        let messages = [
            StoreError.keyLength(plugin: id, foundBytes: 300).description: ["300", "256"],
            StoreError.valueTooLarge(plugin: id, key: "k", foundBytes: 2_000_000).description:
                ["\"k\"", "2000000", "1048576"],
            StoreError.storageFull(plugin: id, key: "k", foundBytes: 17_000_000).description:
                ["\"k\"", "17000000", "16777216"],
            StoreError.tooManyKeys(plugin: id, key: "a\u{1B}[31m\n\u{202E}", found: 10_001)
                .description: [#""a\u{1B}[31m\n\u{202E}""#, "10001", "10000"],
        ]
        for (message, words) in messages {
            #expect(message.hasPrefix("mine: "))
            for word in words { #expect(message.contains(word), "\(message)") }
        }
    }
}
