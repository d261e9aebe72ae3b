// HookTests.swift — entry, hooks and host services through the ABI. Start reading at FakeHost.swift.

import CNocturne
import Glibc
import NocturnePlugin
import Synchronization
import Testing

extension `Everything that goes through the one plugin of a process`.`Hooks and services` {
    final class Failure {
        let place = UnsafeMutablePointer<nocturne_error_t>.allocate(capacity: 1)
        init() {
            place.initialize(to: nocturne_error_t())
            place.pointee.struct_size = UInt32(MemoryLayout<nocturne_error_t>.size)
        }
        deinit { place.deallocate() }
        var message: String {
            String(
                cString: UnsafeRawPointer(place).advanced(by: 16).assumingMemoryBound(
                    to: CChar.self))
        }
    }

    @Test func `a host of another major ABI, or with a short table, is refused in words`() {
        func enter(
            _ host: UnsafeRawPointer?, _ error: UnsafeMutableRawPointer?
        ) -> UnsafeRawPointer? {
            PluginEntry.enter(Plugin(), identity: EnteredPlugin.identity, host, error)
        }
        let failure = Failure()
        #expect(enter(FakeHost.table(abi: 0x2_0003), failure.place) == nil)
        #expect(failure.message == "the plugin needs a host of ABI 1; this one has 2.3")
        #expect(enter(FakeHost.table(size: 40), failure.place) == nil)
        #expect(failure.message == "the host's table is shorter than that of ABI 1.0")
        #expect(enter(nil, nil) == nil)
    }

    @Test func `a plugin offers only what it has`() throws {
        let plugin = try EnteredPlugin(Plugin(tools: ["t": Tool { _, _ in nil }]))
        let getExtension = try #require(plugin.table.pointee.get_extension)
        #expect(plugin.table.pointee.activate == nil)
        #expect(plugin.table.pointee.deactivate == nil)
        for id in [NOCTURNE_TOOLS, NOCTURNE_CANCEL, NOCTURNE_IDENTITY] {
            #expect(getExtension(id) != nil)
        }
        for id in [
            NOCTURNE_COMMANDS, NOCTURNE_LISTENERS, NOCTURNE_HEALTH, NOCTURNE_STATE,
            NOCTURNE_SETTINGS, "x",
        ] { #expect(getExtension(id) == nil) }
    }

    @Test func `the code states the id and version that it was built with`() throws {
        let plugin = try EnteredPlugin(Plugin())
        let identity = try plugin.extensionTable(NOCTURNE_IDENTITY, nocturne_identity_t.self)
        #expect(identity.struct_size == 24)  // Asserted in plugin.h.
        #expect(String(cString: identity.id) == "fake")
        #expect(String(cString: identity.version) == "1.2.3-rc.1+build.7")
    }

    @Test
    func `a hook that throws returns a negative number and the message, cut between characters`()
        throws
    {
        let plugin = try EnteredPlugin(
            Plugin(activate: { _ in
                await Task.yield()
                throw PluginError(String(repeating: "é", count: 300), retryable: true, code: 7)
            }))
        let failure = Failure()
        let activate = try #require(plugin.table.pointee.activate)
        #expect(activate(failure.place) < 0)
        #expect(failure.place.pointee.code == 7)
        #expect(failure.place.pointee.retryable == 1)
        #expect(failure.message == String(repeating: "é", count: 255))  // 510 of 512 bytes, NUL
        #expect(activate(nil) < 0)
    }

    @Test func `state goes from save to restore with its schema`() throws {
        let plugin = try EnteredPlugin(
            Plugin(
                state: StateHooks(
                    save: { _ in SavedState(schema: 3, json: ["n": 1]) },
                    restore: { saved, host in
                        guard saved.schema == 3 else { throw PluginError("cannot") }
                        host.log.info("\(try saved.json())")
                    })))
        let state = try plugin.extensionTable(NOCTURNE_STATE, nocturne_state_t.self)
        let failure = Failure()
        var schema: UInt32 = 0
        var buffer = [UInt8](repeating: 0, count: 7)
        #expect(state.save(&schema, &buffer, 7, failure.place) == 7)
        #expect(schema == 3)
        #expect(state.restore(3, buffer, 7, failure.place) == 0)
        #expect(FakeHost.log.withLock { $0 } == [#"1 {"n":1}"#])
        #expect(state.restore(4, buffer, 7, failure.place) < 0)
        #expect(failure.message == "cannot")
        #expect(state.save(&schema, &buffer, 6, failure.place) < 0)
        #expect(failure.message == "the state has 7 bytes; 6 are allowed")
    }

    @Test func `health and settings are asked and may refuse`() throws {
        let plugin = try EnteredPlugin(
            Plugin(
                health: { _ in throw PluginError("not well") },
                settingsChanged: { settings, _ in
                    if settings["level"] == 13 { throw PluginError("no 13") }
                }))
        let failure = Failure()
        let health = try plugin.extensionTable(NOCTURNE_HEALTH, nocturne_health_t.self)
        let settings = try plugin.extensionTable(NOCTURNE_SETTINGS, nocturne_settings_t.self)
        #expect(health.check(failure.place) < 0)
        #expect(failure.message == "not well")
        #expect(settings.changed(#"{"level":1}"#, 11, failure.place) == 0)
        #expect(settings.changed(#"{"level":13}"#, 12, failure.place) < 0)
        #expect(failure.message == "no 13")
    }

    @Test func `services carry what they are given`() throws {
        let plugin = try EnteredPlugin(
            Plugin(tools: [
                "t": Tool { _, call in
                    let host = call.host
                    host.log.warning("careful", ["a": "1", "b": ""])
                    let large = [UInt8](repeating: 0x61, count: 5000)
                    try host.storage.set("large", to: large)
                    try host.storage.set("small", to: ["x": 1])
                    try host.events.emit("t:done", [1, 2])
                    return [
                        "all": try host.configuration.all(),
                        "level": try host.configuration.get("level") ?? nil,
                        "none": JSON(try host.configuration.get("none") == nil),
                        "large": JSON(try host.storage.bytes("large") == large),
                        "small": try host.storage.get("small") ?? nil,
                        "absent": JSON(try host.storage.get("absent") == nil),
                        "keys": JSON(try host.storage.keys()),
                        "removed": JSON(try host.storage.remove("small")),
                        "again": JSON(try host.storage.remove("small")),
                    ]
                },
                "too-large": Tool { _, call in
                    try call.host.storage.set("k", to: [UInt8](repeating: 0, count: 1 << 20 + 1))
                    return nil
                },
                "nul": Tool { _, call in try call.host.storage.get("a\0b") ?? nil },
                "dropped": Tool { _, call in
                    try call.host.events.emit("t:dropped", nil)
                    return nil
                },
            ]))
        #expect(
            try plugin.call("t").first?.json == [
                "all": ["level": 5], "level": 5, "none": true, "large": true, "small": ["x": 1],
                "absent": true, "keys": ["large", "small"], "removed": true, "again": false,
            ])
        #expect(FakeHost.log.withLock { $0 } == ["2 careful a=1 b="])
        #expect(FakeHost.events.withLock { $0 } == ["t:done [1,2]"])
        #expect(
            try plugin.call("too-large")
                == [.init(status: NOCTURNE_FAILED, text: "storage k: over the limit in size")])
        #expect(try plugin.call("nul").first?.status == NOCTURNE_FAILED)
        #expect(try plugin.call("dropped").first?.status == NOCTURNE_RETRY)
    }

    @Test func `an absent service is an error that names it, never a trap`() throws {
        let plugin = try EnteredPlugin(
            Plugin(tools: [
                "log": Tool { _, call in
                    call.host.log.info("nobody hears", ["a": "b"])
                    return "fine"
                },
                "configuration": Tool { _, call in try call.host.configuration.all() },
                "storage": Tool { _, call in try call.host.storage.get("a") ?? nil },
                "events": Tool { _, call in
                    try call.host.events.emit("a:b", nil)
                    return nil
                },
                "contributions": Tool { _, call in
                    try call.host.unregister(tool: "log")
                    return nil
                },
                "calls": Tool { (_: JSON, call) async throws in try await call.callTool("x", nil) },
            ]), services: false)
        #expect(try plugin.call("log").first?.text == #""fine""#)
        for name in ["configuration", "storage", "events", "contributions", "calls"] {
            #expect(
                try plugin.call(name) == [
                    .init(
                        status: NOCTURNE_FAILED,
                        text: "this host has no service nocturne.host.\(name)/1")
                ])
        }
    }

    @Test func `a handler registered at run time keeps its place when it is exchanged`() throws {
        let plugin = try EnteredPlugin(
            Plugin(tools: [
                "on": Tool { _, call in
                    try call.host.register(tool: "x", Tool { _, _ in 1 })
                    try call.host.register(command: "x", Command { _, _ in 2 })
                    try call.host.subscribe("x", Listener { _, _ in })
                    return nil
                },
                "off": Tool { _, call in
                    try call.host.unregister(tool: "x")
                    try call.host.unregister(command: "x")
                    try call.host.unsubscribe("x")
                    return nil
                },
                "wrong": Tool { _, call in
                    try call.host.register(tool: "undeclared", Tool { _, _ in nil })
                    return nil
                },
            ]))
        try plugin.call("on")
        let first = FakeHost.registered.withLock { $0 }
        #expect(first.keys.sorted() == ["command x", "event x", "tool x"])
        try plugin.call("on")
        #expect(FakeHost.registered.withLock { $0 } == first)
        try plugin.call("off")
        #expect(FakeHost.registered.withLock { $0.count } == 0)
        #expect(
            try plugin.call("wrong").first?.text
                == "tool undeclared: not found, or not declared in the manifest")
    }
}
