// PluginManager+Settings.swift — changes a plugin's settings, all or nothing. Next: PluginBuild.swift.

import CLinux
import CWire
public import NocturneCore
import NocturneStorage

extension PluginManager {
    /// Changes a plugin's settings, which survive reload and restart. The seed's `configurePlugin`.
    ///
    /// A running plugin that has no hook for new settings is restarted with them, as in a reload. If the settings do
    /// not match the manifest's schema, or the plugin refuses them, nothing changes.
    ///
    /// - Parameter replacing: forgets what is not in `settings`; otherwise its keys are merged into what there is, and
    ///   a `null` removes a key.
    /// - Throws: ``PluginError`` `settings` if they do not match or the plugin refuses them, `busy` if it could not
    ///   be asked.
    @discardableResult
    public func configure(
        _ id: PluginID, _ settings: JSONObject, replacing: Bool = false
    ) async throws(PluginError) -> PluginInfo {
        try mustBeOpen()
        guard let build = decisions[id]?.choice else { throw .unknownPlugin(id) }
        let before = memory[id]?.settings ?? [:]
        var after = replacing ? JSONObject() : before
        for (key, value) in settings {
            // Spelled out, because a bare `nil` beside a JSON value is a JSON null.
            after[key] = value.isNull && !replacing ? JSONValue?.none : value
        }
        let given = settings.first { !$0.value.isNull }
        if build.manifest.configuration == nil, let key = given?.key {
            throw PluginError(
                "settings", id,
                "\(id): \(key) cannot be set: its manifest has no `configuration`, so it has no settings"
            )
        }
        let filled: JSONValue
        do throws(Refusal) {
            filled = try build.settings(after)
        } catch {
            throw PluginError(error.code, id, "\(id): \(error); nothing was changed")
        }
        if let supervisor = supervisors[id] {
            // In a task of its own: a caller that goes away does not leave it half done.
            let refusal = await Task { await supervisor.offerSettings(filled) }.value
            if let refusal {
                throw PluginError(
                    refusal.code, id,
                    "\(id): the settings were not taken: \(refusal); nothing was changed",
                    retryable: refusal.code == "busy", exit: refusal.code == "busy" ? 75 : 65)
            }
        }
        try stored(id) { store throws(StoreError) in try store.setSettings(.object(after), for: id)
        }
        memory[id, default: PluginMemory()].settings = after
        issueGoals()
        if let refusal = await goals[id]?.refusal.value {
            try stored(id) { store throws(StoreError) in
                try store.setSettings(.object(before), for: id)
            }
            memory[id]?.settings = before
            issueGoals()
            throw failure(id, refusal)
        }
        await refreshSnapshot(id)
        return info(of: id)
    }
}

extension Supervisor {
    /// Hands new settings to a running plugin that has a hook for them. Returns why it refused.
    func offerSettings(_ settings: JSONValue) async -> Refusal? {
        guard current?.extensions.contains(.settings) == true else { return nil }
        let generation: Generation
        do throws(GateRefusal) {
            // A place like any call's, so that the hook's time does not run while it waits for one.
            generation = try await gate.enter(
                deadline: clinux_now() + Int64(host.limits.hook.milliseconds) * 1_000_000)
        } catch {
            switch error {
            case .gone, .restarting: return nil  // the next start gets them
            case .busy, .waitedTooLong, .cancelled:
                return Refusal("busy", "all its call places are taken; try again")
            }
        }
        defer { gate.leave(generation) }
        let outcome = await generation.hook(
            WIRE_CALL_SETTINGS, "the settings hook", settings.serialized(), within: host.limits.hook
        )
        switch outcome {
        case .done:
            if current === generation { self.settings = settings }
            return nil
        case .absent: return nil
        case .refused(let message): return Refusal("settings", message)
        case .failed(let error): return Refusal(error)
        }
    }
}
