// RecordTests.swift — what is remembered of plugins and of paths, across restarts and kills.

import NocturneCore
import Testing

@testable import NocturneStorage

@Suite struct RecordTests {
    @Test func `a plugin is new once, and undecided until somebody decides`() throws {
        let directory = try StateDirectory()
        let id = PluginID("word-count")
        let first = try directory.store(OpeningOptions(now: { UnixTime(milliseconds: 1_000) }))

        #expect(try first.recordSeen(id))
        #expect(try !first.recordSeen(id))
        try first.close()

        let later = try directory.store(OpeningOptions(now: { UnixTime(milliseconds: 2_000) }))
        #expect(try !later.recordSeen(id))
        try later.setEnabled(true, for: id)
        let record = try #require(try later.plugins().first)
        #expect(record.id == id)
        #expect(record.firstSeenMs == 1_000)
        #expect(record.enabled == true)
        #expect(record.settings == nil)
        #expect(record.generation == Generation())
    }

    @Test func `each setter writes its own columns and leaves the others`() throws {
        let directory = try StateDirectory()
        let store = try directory.store(), id = PluginID("a")
        let text = #"{"every": "1h", "largest": 18446744073709551616, "names": ["\u00e9", null]}"#
        let settings = try JSONParser.parse(text.bytes)
        let generation = Generation(current: "bb", previous: "aa")

        try store.setSettings(settings, for: id)
        try store.setGeneration(generation, of: id)
        try store.setEnabled(false, for: id)
        try store.close()

        let reopened = try directory.store()
        let record = try #require(try reopened.plugins().first)
        #expect(record.settings == settings)
        #expect(record.generation == generation)
        #expect(record.enabled == false)
        #expect(try reopened.generation(of: id) == generation)

        try reopened.setSettings(nil, for: id)
        try reopened.setEnabled(nil, for: id)
        let cleared = try #require(try reopened.plugins().first)
        #expect(cleared.settings == nil && cleared.settingsDamage == nil)
        #expect(cleared.enabled == nil)
        #expect(cleared.generation == generation)
    }

    @Test func `plugins come by id, and an unknown one has no generations`() throws {
        let directory = try StateDirectory()
        let store = try directory.store()
        for name in ["b", "a-1", "a"] { _ = try store.recordSeen(PluginID(name)) }
        #expect(try store.plugins().map(\.id.description) == ["a", "a-1", "b"])
        #expect(try store.generation(of: PluginID("c")) == Generation())
    }

    @Test func `settings damaged on disk cost that plugin its settings, and are told`() throws {
        let directory = try StateDirectory()
        let store = try directory.store()
        try store.setSettings(JSONParser.parse(#""x""#.bytes), for: PluginID("a"))
        try store.setSettings(JSONParser.parse(#""y""#.bytes), for: PluginID("b"))
        try store.close()
        try directory.execute("UPDATE plugin SET settings = x'2278' WHERE id = 'a'")

        let records = try directory.store().plugins()

        #expect(records.map { $0.settings == nil } == [true, false])
        #expect(records.map { $0.settingsDamage == nil } == [false, true])
    }

    @Test func `a hold lasts until it is replaced or removed`() throws {
        let directory = try StateDirectory()
        let store = try directory.store(), id = PluginID("a")
        let unloaded = Hold(path: "/p/b.so", contentHash: "01", kind: .unloaded, pluginID: id)
        let rolledBack = Hold(
            path: "/p/a.so", contentHash: "02", kind: .rolledBack, pluginID: id, servingHash: "01")
        try store.setHold(unloaded)
        try store.setHold(rolledBack)
        try store.close()

        let reopened = try directory.store()
        #expect(try reopened.holds() == [rolledBack, unloaded], "by path")

        let other = Hold(path: "/p/b.so", contentHash: "03", kind: .unloaded, pluginID: id)
        try reopened.setHold(other)
        #expect(try reopened.holds() == [rolledBack, other])
        #expect(try reopened.removeHold(path: "/p/a.so"))
        #expect(try !reopened.removeHold(path: "/p/a.so"))
        #expect(try reopened.holds() == [other])
    }

    @Test func `after a kill all that was answered is there`() throws {
        let directory = try StateDirectory()
        let store = try directory.store()
        for count in 1...8 {
            let id = try PluginID("p\(count)")
            try store.setEnabled(count % 2 == 0, for: id)
            try store.storageSet(id, "k".bytes, StoredValue(.json, "\(count)".bytes))

            let reopened = try directory.snapshot().store()
            #expect(reopened.recovery == nil)
            #expect(try reopened.plugins().count == count)
            #expect(try reopened.storageGet(id, "k".bytes)?.bytes == "\(count)".bytes)
        }
    }

    @Test func `a log torn by the kill loses at most its unfinished end`() throws {
        let directory = try StateDirectory()
        let store = try directory.store()
        for count in 1...10 { try store.setEnabled(true, for: PluginID("p\(count)")) }
        let log = try read(directory / "host.db-wal")
        var last = 10
        for size in stride(from: log.count, through: 0, by: -3_000) {
            let killed = try directory.snapshot()
            try write(Array(log[..<size]), to: killed / "host.db-wal")
            let reopened = try killed.store()
            let ids = try Set(reopened.plugins().map(\.id.description))
            #expect(ids == Set((1...10).prefix(ids.count).map { "p\($0)" }), "cut to \(size)")
            #expect(ids.count <= last)
            last = ids.count
        }
        #expect(last == 0)
    }
}
