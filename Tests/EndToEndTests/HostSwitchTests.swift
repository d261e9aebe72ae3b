// HostSwitchTests.swift — what an operator sets holds: switches of the configuration, enabled and disabled, settings,
// unload and rollback, across reload, replacement of the file and restart of the host.

import Glibc
import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct HostSwitchTests {
    @Test func `a plugin without settings takes none, and an unloaded one is not enabled`()
        async throws
    {
        try await HostHarness.run(["counter"]) { harness in
            let host = harness.host
            try await harness.status("counter", .enabled)
            await #expect {
                try await host.configure("counter", ["level": 1])
            } throws: { error in
                (error as? PluginError)?.code == "settings"
            }
            _ = try await host.unload("counter")
            await #expect {
                try await host.enable("counter")
            } throws: { error in
                (error as? PluginError)?.code == "unloaded"
            }
        }
    }

    @Test func `with autoEnable off a new plugin is verified and loaded, and serves after enable`()
        async throws
    {
        try await HostHarness.run(["settings"], configure: { $0.autoEnable = false }) { harness in
            try harness.drop("counter")
            try await harness.status("counter", .loaded)
            try await harness.status("settings", .loaded)
            #expect(harness.host.tools.isEmpty)
            #expect(await harness.info("counter")?.pid == nil)
            #expect(await harness.events("plugin:loaded").count == 2)
            #expect(try await harness.failure("counter").code == "unknownTool")

            #expect(try await harness.host.enable("counter").status == .enabled)
            #expect(try await harness.host.call("counter")["value"] == 1)
            // It is remembered, and the other one still waits.
            try await harness.restart()
            #expect(await harness.info("counter")?.status == .enabled)
            #expect(await harness.info("settings")?.status == .loaded)
            // `autoEnable` is for ids that were never seen.
            try await harness.restart { $0.autoEnable = true }
            try harness.drop("slow")
            try await harness.status("slow", .enabled)
        }
    }

    @Test func `with enableHotReload off a change is shown, and waits for reload or unload`()
        async throws
    {
        try await HostHarness.run(configure: { $0.enableHotReload = false }) { harness in
            let host = harness.host
            let path = "\(harness.plugins)/held.so"
            func write(_ version: String) throws {
                try Fixtures.simple("held", version: version, build: version, to: path)
            }
            try write("1.0.0")
            try await harness.status("held", .enabled)  // new files still load
            try write("2.0.0")
            try await harness.eventually("the change is shown") {
                await harness.info("held")?.pendingChange?.contains("2.0.0") == true
            }
            #expect(await harness.info("held")?.pendingChange?.contains("reload held") == true)
            #expect(try await host.call("held")["build"] == "1.0.0")
            #expect(try await host.reload("held").version == "2.0.0")
            #expect(try await host.call("held")["build"] == "2.0.0")
            #expect(await harness.info("held")?.pendingChange == nil)

            unlink(path)
            try await harness.eventually("that it is gone is shown") {
                await harness.info("held")?.pendingChange?.contains("gone") == true
            }
            #expect(try await host.call("held")["build"] == "2.0.0")
            try await host.unload("held")
            #expect(try await harness.failure("held").code == "unknownTool")
            #expect(await harness.info("held") == nil)
            // Coming back it is a new file, which loads.
            try write("3.0.0")
            try await harness.status("held", .enabled)

            unlink(path)
            try await harness.eventually("that it is gone is shown") {
                await harness.info("held")?.pendingChange?.contains("gone") == true
            }
            await #expect {
                try await host.reload("held")
            } throws: { ($0 as? PluginError)?.code == "unloaded" }
            #expect(try await harness.failure("held").code == "unknownTool")
        }
    }

    @Test func `disabled stays disabled: across reload, a new version and a restart of the host`()
        async throws
    {
        try await HostHarness.run { harness in
            func write(_ version: String) throws {
                try Fixtures.simple(
                    "off", version: version, build: version, to: "\(harness.plugins)/off.so")
            }
            try write("1.0.0")
            try await harness.status("off", .enabled)
            #expect(try await harness.host.disable("off").status == .disabled)
            #expect(try await harness.failure("off").code == "unknownTool")
            #expect(await harness.events("plugin:disabled", of: "off").count == 1)
            #expect(try await harness.host.reload("off").status == .disabled)
            try write("2.0.0")
            try await harness.eventually("the new version is seen") {
                await harness.info("off")?.version == "2.0.0"
            }
            #expect(await harness.info("off")?.status == .disabled)
            try await harness.restart()
            #expect(await harness.info("off")?.status == .disabled)
            #expect(await harness.info("off")?.pid == nil)
            #expect(try await harness.host.enable("off").status == .enabled)
            #expect(try await harness.host.call("off")["build"] == "2.0.0")
            try await harness.restart()
            #expect(try await harness.host.call("off")["build"] == "2.0.0")
        }
    }

    @Test
    func `settings are checked, reach the plugin, and survive reload, a new file and a restart`()
        async throws
    {
        try await HostHarness.run(["settings"]) { harness in
            #expect(
                try await harness.host.call("settings")["all"] == ["level": 5, "label": "none"])
            try await harness.host.configure("settings", ["level": 7])
            try await harness.host.configure("settings", ["label": "seven"])
            let told: JSONValue = ["level": 7, "label": "seven"]
            #expect(try await harness.host.call("settings")["all"] == told)
            #expect(try await harness.host.call("settings")["changes"] == 2)

            for (bad, code, words) in [
                (["level": 101], "settings", "level"), (["level": "x"], "settings", "level"),
                (["other": 1], "settings", "other"), (["level": 13], "settings", "bad luck"),
            ] as [(JSONObject, String, String)] {
                await #expect {
                    try await harness.host.configure("settings", bad)
                } throws: { error in
                    let error = error as? PluginError
                    return error?.code == code && error?.description.contains(words) == true
                        && error?.description.contains("nothing was changed") == true
                }
                #expect(try await harness.host.call("settings")["all"] == told)
                #expect(await harness.info("settings")?.settings == told)
            }
            #expect(await harness.info("settings")?.generation == 1)

            _ = try await harness.host.reload("settings")
            #expect(try await harness.host.call("settings")["all"] == told)
            try harness.drop("settings")
            await harness.host.rescan()
            #expect(try await harness.host.call("settings")["all"] == told)
            try await harness.restart()
            #expect(try await harness.host.call("settings")["all"] == told)
            // A null removes a key, `replacing` all others.
            try await harness.host.configure("settings", ["level": nil])
            #expect(
                try await harness.host.call("settings")["all"] == ["level": 5, "label": "seven"])
            try await harness.host.configure("settings", ["level": 9], replacing: true)
            #expect(
                try await harness.host.call("settings")["all"] == ["level": 9, "label": "none"])
        }
    }

    @Test func `a plugin without a hook for settings is started again with them`() async throws {
        try await HostHarness.run { harness in
            try Fixtures.simple(
                "plain",
                manifest:
                    #""configuration":{"type":"object","properties":{"a":{"type":"integer"}}}"#,
                to: "\(harness.plugins)/plain.so")
            try await harness.status("plain", .enabled)
            let info = try await harness.host.configure("plain", ["a": 1])
            #expect(info.settings == ["a": 1] && info.generation == 2)
            await #expect(throws: PluginError.self) {
                try await harness.host.configure("plain", ["a": "one"])
            }
            #expect(await harness.info("plain")?.generation == 2)
        }
    }

    @Test
    func `unload holds across a rescan and a restart, until the file changes or load is called`()
        async throws
    {
        try await HostHarness.run(["counter"]) { harness in
            let path = "\(harness.plugins)/counter.so"
            try await harness.host.unload("counter")
            #expect(await harness.info("counter")?.status == .unloaded)
            #expect(await harness.events("plugin:unloaded", of: "counter").count == 1)
            await harness.host.rescan()
            #expect(await harness.info("counter")?.status == .unloaded)
            try await harness.host.unload("counter")  // twice is once
            try await harness.restart()
            #expect(await harness.info("counter")?.status == .unloaded)
            #expect(harness.host.tools.isEmpty)
            // The same bytes again are no change.
            try harness.drop("counter")
            await harness.host.rescan()
            #expect(await harness.info("counter")?.status == .unloaded)

            #expect(try await harness.host.load(from: path).status == .enabled)
            try await harness.host.unload("counter")
            try harness.drop("counter-b", as: "counter")
            try await harness.status("counter", .enabled)
            #expect(try await harness.host.call("counter") == ["value": 1, "build": "b"])
        }
    }

    @Test func `a plugin loaded from elsewhere lasts until the host stops`() async throws {
        try await HostHarness.run { harness in
            let path = try Fixtures.path("counter")
            let info = try await harness.host.load("counter", from: path)
            #expect(info.status == .enabled && info.file == path)
            await harness.host.rescan()
            #expect(try await harness.host.call("counter")["value"] == 1)
            try await harness.restart()
            #expect(try await harness.failure("counter").code == "unknownTool")
        }
    }

    @Test func `a second host on the same state directory is refused with the owner's pid`()
        async throws
    {
        try await HostHarness.run { harness in
            #expect {
                try PluginManager(configuration: harness.configuration)
            } throws: { error in
                let error = error as? PluginError
                return error?.code == "stateLocked"
                    && error?.description.contains("\(getpid())") == true
            }
        }
    }

    @Test func `start and shutdown may be called twice, at once, and by who goes away`()
        async throws
    {
        try await HostHarness.run(["counter", "slow"]) { harness in
            await harness.host.shutdown()
            let host = try PluginManager(configuration: harness.configuration)
            async let one: Void = host.start()
            async let two: Void = host.start()
            _ = try await (one, two)
            #expect(host.tools.map(\.name) == ["counter", "slow"])
            async let first: Void = host.shutdown()
            async let second: Void = host.shutdown()
            _ = await (first, second)
            await host.shutdown()
            #expect(host.tools.isEmpty)

            // Each `start` returns when what is there serves, also the second one.
            let other = try PluginManager(configuration: harness.configuration)
            let begun = Task { try await other.start() }
            try await other.start()
            #expect(other.tools.map(\.name) == ["counter", "slow"])
            try await begun.value

            // One that is cancelled goes on: a host is not left half shut down.
            let left = Task { await other.shutdown() }
            left.cancel()
            await left.value
            #expect(other.tools.isEmpty)

            // One that was never started, or is started when it has ended, ends too.
            let never = try PluginManager(configuration: harness.configuration)
            await never.shutdown()
            try? await never.start()
            #expect(never.tools.isEmpty)
            await #expect(throws: PluginError.self) {
                try await never.load(from: Fixtures.path("counter"))
            }
            await never.shutdown()
        }
    }
}
