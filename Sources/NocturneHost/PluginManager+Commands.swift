// PluginManager+Commands.swift — what operators ask for. Each returns when it was carried out, or throws why not.

import CLinux
import CWire
public import NocturneCore
import NocturneStorage

extension PluginManager {
    /// Loads a plugin from a file, in the watched directory or anywhere else. The seed's `loadPlugin`.
    ///
    /// A file from elsewhere is loaded until the host stops. Lifts an earlier ``unload(_:)`` of the path.
    ///
    /// - Parameter id: if given, the manifest must have this id.
    /// - Throws: ``PluginError`` with the reason why the file was refused or the plugin did not start.
    @discardableResult
    public func load(_ id: PluginID? = nil, from path: String) async throws(PluginError)
        -> PluginInfo
    {
        try mustBeOpen()
        let path = Self.absolute(path)
        let reader = reader
        let before = catalog.files[path]
        beginReading()
        defer { endReading() }
        var file = await onFilesThread { reader.read(path, identity: nil, before: before) }
        let build: PluginBuild
        switch file.content {
        case .build(let found): build = found
        case .refused(let why, let id, _): throw PluginError(why.code, id, why.description)
        case .incomplete(let why):
            throw PluginError(why.code, nil, why.description, retryable: true)
        }
        if let id, id != build.id {
            throw PluginError(
                "otherID", id, "\(path) holds the plugin \(build.id), not \(id); nothing was loaded"
            )
        }
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) }
        file.isExternal =
            directory != self.directory
            || !DirectoryScan.isPlugin(name: String(path.split(separator: "/").last ?? ""))
        try removeHolds(on: [path], of: build.id)
        catalog.files[path] = file
        await refreshSnapshot(build.id)
        catalog.released.insert(build.id)
        await decide(forced: snapshots[build.id]?.status == .failed ? build.id : nil)
        catalog.released.remove(build.id)
        if let refusal = await goals[build.id]?.refusal.value { throw failure(build.id, refusal) }
        let decision = decisions[build.id]
        if decision?.choice?.hash != build.hash, let why = decision?.reasons[path] {
            if file.isExternal {  // or it would serve one day, when nobody expects it any more
                catalog.files[path] = before
                await decide()
            }
            throw PluginError(why.code, build.id, "\(build.id): \(path) does not serve: \(why)")
        }
        return try await settled(build.id)
    }

    /// Unloads a plugin, and remembers it: its files stay unloaded until their content changes or they are loaded
    /// again. The seed's `unloadPlugin`. Its calls may finish within the manifest's `reload.drain`; settings and stored
    /// data stay.
    ///
    /// - Throws: ``PluginError`` `unknownPlugin`, or `state` if it could not be remembered.
    public func unload(_ id: PluginID) async throws(PluginError) {
        try mustBeOpen()
        guard decisions[id]?.choice != nil || decisions[id]?.isUnloaded == true else {
            throw .unknownPlugin(id)
        }
        for (path, file) in catalog.files {
            guard let offer = file.offer, offer.id == id else { continue }
            if file.isExternal {
                catalog.files[path] = nil
            } else {
                try setHold(.unloaded(offer.hash), on: path, of: id)
            }
        }
        catalog.released.insert(id)
        await decide()
        catalog.released.remove(id)
        _ = await goals[id]?.refusal.value
        await refreshSnapshot(id)
    }

    /// Lets a plugin serve, and remembers it. The seed's `enablePlugin`. Of a plugin that failed: tries again.
    ///
    /// - Throws: ``PluginError`` with the reason if it does not serve now, retryable if it waits for something.
    @discardableResult
    public func enable(_ id: PluginID) async throws(PluginError) -> PluginInfo {
        try await setEnabled(true, id)
        return try await settled(id)
    }

    /// Stops a plugin and keeps it stopped, across restarts of the host too. The seed's `disablePlugin`.
    ///
    /// - Throws: ``PluginError`` `unknownPlugin`, or `state` if it could not be remembered.
    @discardableResult
    public func disable(_ id: PluginID) async throws(PluginError) -> PluginInfo {
        try await setEnabled(false, id)
        await refreshSnapshot(id)
        return info(of: id)
    }

    private func setEnabled(_ enabled: Bool, _ id: PluginID) async throws(PluginError) {
        try mustBeOpen()
        guard decisions[id] != nil else { throw .unknownPlugin(id) }
        try stored(id) { store throws(StoreError) in try store.setEnabled(enabled, for: id) }
        memory[id, default: PluginMemory()].enabled = enabled
        if enabled, decisions[id]?.choice == nil {
            throw PluginError(
                "unloaded", id,
                "\(id) is enabled but unloaded: `load` or a change of its file brings it back")
        }
        issueGoals(forced: enabled && snapshots[id]?.status != .enabled ? id : nil)
        if let refusal = await goals[id]?.refusal.value { throw failure(id, refusal) }
    }

    /// Reads the plugin's file again and starts a new generation, even of the same bytes; carries out a pending change.
    /// The seed's `reloadPlugin`. If the new generation fails, the old one serves on and the error says why.
    @discardableResult
    public func reload(_ id: PluginID) async throws(PluginError) -> PluginInfo {
        try mustBeOpen()
        guard decisions[id] != nil || filesByID[id] != nil else { throw .unknownPlugin(id) }
        let paths = catalog.files.values.filter { $0.offer?.id == id }.map(\.path)
        try removeHolds(on: paths, of: id)
        let reader = reader
        beginReading()
        defer { endReading() }
        for path in paths {
            let before = catalog.files[path]
            let file = await onFilesThread { reader.read(path, identity: nil, before: before) }
            if case .refused(let why, _, _) = file.content, why.code != "vanished" {
                catalog.files[path] = file
                throw PluginError(why.code, id, "\(id): not reloaded: \(why)")
            }
            if case .refused = file.content {
                catalog.files[path] = nil
            } else {
                catalog.files[path] = file
            }
            if case .incomplete(let why) = file.content {
                throw PluginError(
                    why.code, id, "\(id): not reloaded: \(why)", retryable: true, exit: 75)
            }
        }
        catalog.released.insert(id)
        await decide(forced: id)
        catalog.released.remove(id)
        guard decisions[id]?.choice != nil else {
            _ = await goals[id]?.refusal.value
            throw PluginError("unloaded", id, "\(id): its file is gone, so it was unloaded")
        }
        if let refusal = await goals[id]?.refusal.value { throw failure(id, refusal) }
        return try await settled(id)
    }

    /// Serves again what served before, until the plugin's file changes or ``reload(_:)``. A second call goes forth
    /// again.
    ///
    /// - Throws: ``PluginError`` `noPrevious`, or the reason why the earlier build does not serve.
    @discardableResult
    public func rollback(_ id: PluginID) async throws(PluginError) -> PluginInfo {
        try mustBeOpen()
        guard let decision = decisions[id], decision.choice != nil else { throw .unknownPlugin(id) }
        guard let previous = memory[id]?.previous.flatMap({ ContentHash(hex: $0) }),
            let build = build(of: previous)
        else {
            throw PluginError(
                "noPrevious", id, "\(id): there is no earlier build of it to go back to")
        }
        for (path, file) in catalog.files {
            guard let offer = file.offer, offer.id == id else { continue }
            if offer.hash == previous {
                try removeHolds(on: [path], of: id)
            } else {
                try setHold(.rolledBack(offer.hash, serving: build), on: path, of: id)
            }
        }
        catalog.released.insert(id)
        await decide()
        catalog.released.remove(id)
        if let refusal = await goals[id]?.refusal.value { throw failure(id, refusal) }
        return try await settled(id)
    }

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

    // MARK: - Answers

    private func failure(_ id: PluginID, _ refusal: Refusal) -> PluginError {
        PluginError(refusal.code, id, "\(id): \(refusal)", exit: refusal.code == "system" ? 70 : 65)
    }

    /// The plugin as it is now; throws if it failed.
    private func settled(_ id: PluginID) async throws(PluginError) -> PluginInfo {
        await refreshSnapshot(id)
        let info = info(of: id)
        if info.status == .failed || info.status == .waiting {
            let reason = info.reason ?? "it does not serve"
            throw PluginError(
                info.reasonCode ?? "failed", id, "\(id): \(reason)",
                retryable: info.status == .waiting, exit: info.status == .waiting ? 75 : 65)
        }
        return info
    }

    private func refreshSnapshot(_ id: PluginID) async {
        if let supervisor = supervisors[id] { snapshots[id] = await supervisor.snapshot }
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
