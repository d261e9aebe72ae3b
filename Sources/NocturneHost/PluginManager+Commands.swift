// PluginManager+Commands.swift — what operators ask for. Each returns when it was carried out, or throws why not.

public import NocturneCore
import NocturneStorage

extension PluginManager {
    /// Loads a plugin from a file, in the watched directory or anywhere else. The seed's `loadPlugin`.
    ///
    /// A file from elsewhere is loaded until the host stops. Lifts an earlier ``unload(_:cascade:)`` of the path.
    ///
    /// - Parameters:
    ///   - id: if given, the manifest must have this id.
    ///   - cascade: also if plugins that depend on what it takes the place of have to stop.
    /// - Throws: ``PluginError`` with the reason why the file was refused or the plugin did not start; `dependents` if
    ///   others need what it would take the place of.
    @discardableResult
    public func load(
        _ id: PluginID? = nil, from path: String, cascade: Bool = false
    ) async throws(PluginError) -> PluginInfo {
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
        let loaded = file
        try await mustHurtNobody(build.id, unless: cascade) { trial in
            trial.holds[path] = nil
            trial.files[path] = loaded
            trial.failed[build.hash] = nil
        }
        try removeHolds(on: [path], of: build.id)
        catalog.files[path] = file
        catalog.failed[build.hash] = nil
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
    /// - Parameter cascade: also if plugins that depend on it have to stop. They wait until it is there again.
    /// - Throws: ``PluginError`` `unknownPlugin`, `dependents` if others need it, `state` if it could not be
    ///   remembered.
    public func unload(_ id: PluginID, cascade: Bool = false) async throws(PluginError) {
        try mustBeOpen()
        guard decisions[id]?.choice != nil || decisions[id]?.isUnloaded == true else {
            throw .unknownPlugin(id)
        }
        try await mustHurtNobody(id, unless: cascade) { Self.unload(id, in: &$0) }
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

    private static func unload(_ id: PluginID, in trial: inout Catalog) {
        for (path, file) in trial.files {
            guard let offer = file.offer, offer.id == id else { continue }
            if file.isExternal {
                trial.files[path] = nil
            } else {
                trial.holds[path] = .unloaded(offer.hash)
            }
        }
    }

    /// What ``unload(_:cascade:)`` would do. Changes nothing.
    ///
    /// - Throws: ``PluginError`` `unknownPlugin`.
    public func planUnload(_ id: PluginID) async throws(PluginError) -> ChangePlan {
        try mustBeOpen()
        guard decisions[id]?.choice != nil else { throw .unknownPlugin(id) }
        return await plan(id, forced: false) { Self.unload(id, in: &$0) }
    }

    /// Lets a plugin serve, and remembers it. The seed's `enablePlugin`. Of a plugin that failed: tries again.
    ///
    /// - Throws: ``PluginError`` with the reason if it does not serve now, retryable if it waits for something.
    @discardableResult
    public func enable(_ id: PluginID) async throws(PluginError) -> PluginInfo {
        _ = await plan(id, forced: true) { $0.off[id] = nil }
        try await setEnabled(true, id)
        return try await settled(id)
    }

    /// Stops a plugin and keeps it stopped, across restarts of the host too. The seed's `disablePlugin`.
    ///
    /// - Parameter cascade: also if plugins that depend on it have to stop. They wait until it is enabled again.
    /// - Throws: ``PluginError`` `unknownPlugin`, `dependents` if others need it, `state` if it could not be
    ///   remembered.
    @discardableResult
    public func disable(
        _ id: PluginID, cascade: Bool = false
    ) async throws(PluginError) -> PluginInfo {
        try mustBeOpen()
        guard decisions[id] != nil else { throw .unknownPlugin(id) }
        try await mustHurtNobody(id, unless: cascade) { $0.off[id] = Self.disabled(id) }
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
        catalog.released.insert(id)
        if enabled { forgetFailures(of: id) }
        await decide(forced: enabled && snapshots[id]?.status != .enabled ? id : nil)
        catalog.released.remove(id)
        if let refusal = await goals[id]?.refusal.value { throw failure(id, refusal) }
    }

    /// An operator asks for it again, so it is tried again.
    private func forgetFailures(of id: PluginID) {
        for file in catalog.files.values {
            if let offer = file.offer, offer.id == id { catalog.failed[offer.hash] = nil }
        }
    }

    /// Reads the plugin's file again and starts a new generation, even of the same bytes; carries out a pending change.
    /// The seed's `reloadPlugin`. If the new generation fails, the old one serves on and the error says why.
    ///
    /// - Parameter cascade: also if plugins that depend on it have to stop.
    /// - Throws: ``PluginError`` with the reason why the new build does not serve, `dependents` if others need the one
    ///   that serves, `unknownPlugin`.
    @discardableResult
    public func reload(
        _ id: PluginID, cascade: Bool = false
    ) async throws(PluginError) -> PluginInfo {
        try mustBeOpen()
        beginReading()
        defer { endReading() }
        let files = try await readAgain(id)
        let paths = files.map(\.path)
        try await mustHurtNobody(id, unless: cascade) { Self.reload(files, in: &$0) }
        try removeHolds(on: paths, of: id)
        Self.reload(files, in: &catalog)
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

    /// What ``reload(_:cascade:)`` would do now. Changes nothing.
    ///
    /// - Throws: ``PluginError`` `unknownPlugin`, or why its file cannot be loaded.
    public func planReload(_ id: PluginID) async throws(PluginError) -> ChangePlan {
        try mustBeOpen()
        beginReading()
        defer { endReading() }
        let files = try await readAgain(id)
        return await plan(id, forced: true) { Self.reload(files, in: &$0) }
    }

    /// The files of a plugin as they are now, those that vanished too.
    private func readAgain(_ id: PluginID) async throws(PluginError) -> [CatalogFile] {
        guard decisions[id] != nil || filesByID[id] != nil else { throw .unknownPlugin(id) }
        let reader = reader
        var files: [CatalogFile] = []
        for before in catalog.files.values where before.offer?.id == id {
            let file = await onFilesThread {
                reader.read(before.path, identity: nil, before: before)
            }
            switch file.content {
            case .refused(let why, _, _) where why.code != "vanished":
                catalog.files[before.path] = file
                throw PluginError(why.code, id, "\(id): not reloaded: \(why)")
            case .incomplete(let why):
                catalog.files[before.path] = file
                throw PluginError(
                    why.code, id, "\(id): not reloaded: \(why)", retryable: true, exit: 75)
            case .build, .refused: files.append(file)
            }
        }
        return files
    }

    private static func reload(_ files: [CatalogFile], in catalog: inout Catalog) {
        for file in files {
            catalog.holds[file.path] = nil
            if case .build(let build) = file.content {
                catalog.files[file.path] = file
                catalog.failed[build.hash] = nil
            } else {
                catalog.files[file.path] = nil
            }
        }
    }

    /// Serves again what served before, until the plugin's file changes or ``reload(_:cascade:)``. A second call goes
    /// forth again.
    ///
    /// - Parameter cascade: also if plugins that depend on it have to stop.
    /// - Throws: ``PluginError`` `noPrevious`, `dependents` if others need the build that serves, or the reason why the
    ///   earlier build does not serve.
    @discardableResult
    public func rollback(
        _ id: PluginID, cascade: Bool = false
    ) async throws(PluginError) -> PluginInfo {
        try mustBeOpen()
        guard decisions[id]?.choice != nil else { throw .unknownPlugin(id) }
        _ = await plan(id, forced: true)  // for what it goes back to may be about to change
        guard let previous = memory[id]?.previous.flatMap({ ContentHash(hex: $0) }),
            let build = build(of: previous)
        else {
            throw PluginError(
                "noPrevious", id, "\(id): there is no earlier build of it to go back to")
        }
        var holds: [String: CatalogHold?] = [:]
        for (path, file) in catalog.files {
            guard let offer = file.offer, offer.id == id else { continue }
            holds[path] =
                offer.hash == previous ? .some(nil) : .rolledBack(offer.hash, serving: build)
        }
        let changed = holds
        try await mustHurtNobody(id, unless: cascade) { trial in
            trial.failed[previous] = nil
            for (path, hold) in changed { trial.holds[path] = hold }
        }
        for (path, hold) in holds {
            if let hold {
                try setHold(hold, on: path, of: id)
            } else {
                try removeHolds(on: [path], of: id)
            }
        }
        catalog.failed[previous] = nil
        catalog.released.insert(id)
        await decide()
        catalog.released.remove(id)
        if let refusal = await goals[id]?.refusal.value { throw failure(id, refusal) }
        return try await settled(id)
    }

    // MARK: - Answers

    func failure(_ id: PluginID, _ refusal: Refusal) -> PluginError {
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

    func refreshSnapshot(_ id: PluginID) async {
        if let supervisor = supervisors[id] { snapshots[id] = await supervisor.snapshot }
    }
}
