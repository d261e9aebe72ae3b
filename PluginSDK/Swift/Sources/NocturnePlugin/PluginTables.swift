// PluginTables.swift — the plugin's tables in C's layout, made once and never freed. Next: Entry.swift.

internal import CNocturne
internal import NocturneJSON
internal import Synchronization

/// Never freed, never written after `init`: the host may read them until the process ends, which is what
/// the `nonisolated(unsafe)` stand for.
struct PluginTables: Sendable {
    nonisolated(unsafe) let plugin: UnsafePointer<nocturne_plugin_t>
    nonisolated(unsafe) private var extensions: [String: UnsafeRawPointer] = [:]

    init(_ plugin: Plugin, _ identity: (id: String, version: String), _ registry: Registry) {
        self.plugin = Self.keep(
            nocturne_plugin_t(
                abi: NOCTURNE_ABI,
                struct_size: Self.size(nocturne_plugin_t.self),
                get_extension: { id in
                    guard let id else { return nil }
                    return LoadedPlugin.current.withLock { $0 }?.tables[String(cString: id)]
                },
                activate: plugin.activate == nil ? nil : activate,
                deactivate: plugin.deactivate == nil ? nil : deactivate))

        let kinds: [(String, Registry.Kind, [String: Handler])] = [
            (NOCTURNE_TOOLS, .tool, plugin.tools),
            (NOCTURNE_COMMANDS, .command, plugin.commands),
            (NOCTURNE_TASKS, .task, plugin.tasks.mapValues(\.handler)),
            (NOCTURNE_LISTENERS, .listener, plugin.listeners.mapValues(\.handler)),
            (NOCTURNE_EXPORTERS, .exporter, plugin.exporters.mapValues(\.handler)),
            (NOCTURNE_STRATEGIES, .strategy, plugin.strategies.mapValues(\.handler)),
            (NOCTURNE_AGENTS, .agent, plugin.agents.mapValues(\.handler)),
        ]
        for (id, kind, handlers) in kinds where !handlers.isEmpty {
            extensions[id] = Self.contributions(kind, handlers, registry)
        }
        extensions[NOCTURNE_IDENTITY] = UnsafeRawPointer(
            Self.keep(
                nocturne_identity_t(
                    struct_size: Self.size(nocturne_identity_t.self), reserved: 0,
                    id: Self.keep(text: identity.id),
                    version: Self.keep(text: identity.version))))
        extensions[NOCTURNE_CANCEL] = UnsafeRawPointer(
            Self.keep(
                nocturne_cancel_t(
                    struct_size: Self.size(nocturne_cancel_t.self), reserved: 0, cancel: cancel)))
        if plugin.health != nil {
            extensions[NOCTURNE_HEALTH] = UnsafeRawPointer(
                Self.keep(
                    nocturne_health_t(
                        struct_size: Self.size(nocturne_health_t.self), reserved: 0,
                        check: checkHealth)))
        }
        if plugin.state != nil {
            extensions[NOCTURNE_STATE] = UnsafeRawPointer(
                Self.keep(
                    nocturne_state_t(
                        struct_size: Self.size(nocturne_state_t.self), reserved: 0,
                        save: saveState, restore: restoreState)))
        }
        if plugin.settingsChanged != nil {
            extensions[NOCTURNE_SETTINGS] = UnsafeRawPointer(
                Self.keep(
                    nocturne_settings_t(
                        struct_size: Self.size(nocturne_settings_t.self), reserved: 0,
                        changed: settingsChanged)))
        }
    }

    subscript(id: String) -> UnsafeRawPointer? { extensions[id] }

    private static func size<Table>(_: Table.Type) -> UInt32 { UInt32(MemoryLayout<Table>.size) }

    private static func keep<Table>(_ table: Table) -> UnsafePointer<Table> {
        let place = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        place.initialize(to: table)
        return UnsafePointer(place)
    }

    private static func keep(text: String) -> UnsafePointer<CChar> {
        let text = text.utf8CString
        let place = UnsafeMutablePointer<CChar>.allocate(capacity: text.count)
        place.initialize(from: Array(text), count: text.count)
        return UnsafePointer(place)
    }

    private static func contributions(
        _ kind: Registry.Kind, _ handlers: [String: Handler], _ registry: Registry
    ) -> UnsafeRawPointer {
        let items = UnsafeMutablePointer<nocturne_contribution_t>.allocate(capacity: handlers.count)
        let sorted = handlers.sorted { $0.key < $1.key }
        for (index, (name, handler)) in sorted.enumerated() {
            let box = registry.box(kind, name, handler)
            (items + index).initialize(
                to: nocturne_contribution_t(
                    name: keep(text: name), handler: HandlerBox.entry, context: box.context))
        }
        let table = nocturne_contributions_t(
            struct_size: size(nocturne_contributions_t.self), count: UInt32(handlers.count),
            items: items)
        return UnsafeRawPointer(keep(table))
    }
}

// MARK: - Hooks, as C calls them

/// What a hook returns that failed; the ABI asks only for a negative number.
private let failed: Int32 = -1

private func activate(_ error: UnsafeMutablePointer<nocturne_error_t>?) -> Int32 {
    LoadedPlugin.run(error) { plugin, host in try await plugin.activate?(host) } == nil ? failed : 0
}

private func deactivate(_ error: UnsafeMutablePointer<nocturne_error_t>?) -> Int32 {
    LoadedPlugin.run(error) { plugin, host in try await plugin.deactivate?(host) } == nil
        ? failed : 0
}

private func checkHealth(_ error: UnsafeMutablePointer<nocturne_error_t>?) -> Int32 {
    LoadedPlugin.run(error) { plugin, host in try await plugin.health?(host) } == nil ? failed : 0
}

private func settingsChanged(
    _ json: UnsafeRawPointer?, _ size: UInt64, _ error: UnsafeMutablePointer<nocturne_error_t>?
) -> Int32 {
    let bytes = Array(UnsafeRawBufferPointer(start: json, count: Int(size)))
    let done: Void? = LoadedPlugin.run(error) { plugin, host in
        try await plugin.settingsChanged?(try JSON(parsing: bytes), host)
    }
    return done == nil ? failed : 0
}

private func saveState(
    _ schema: UnsafeMutablePointer<UInt32>?, _ buffer: UnsafeMutableRawPointer?,
    _ capacity: UInt64, _ error: UnsafeMutablePointer<nocturne_error_t>?
) -> Int64 {
    let saved: SavedState? = LoadedPlugin.run(error) { plugin, host in
        guard let state = try await plugin.state?.save(host) else {
            throw PluginError("the plugin has no state")
        }
        guard state.bytes.count <= capacity else {
            throw PluginError("the state has \(state.bytes.count) bytes; \(capacity) are allowed")
        }
        return state
    }
    guard let saved else { return Int64(failed) }
    schema?.pointee = saved.schema
    UnsafeMutableRawBufferPointer(start: buffer, count: Int(clamping: capacity))
        .copyBytes(from: saved.bytes)
    return Int64(saved.bytes.count)
}

private func restoreState(
    _ schema: UInt32, _ bytes: UnsafeRawPointer?, _ size: UInt64,
    _ error: UnsafeMutablePointer<nocturne_error_t>?
) -> Int32 {
    let content = Array(UnsafeRawBufferPointer(start: bytes, count: Int(size)))
    let saved = SavedState(schema: schema, bytes: content)
    let done: Void? = LoadedPlugin.run(error) { plugin, host in
        try await plugin.state?.restore(saved, host)
    }
    return done == nil ? failed : 0
}

private func cancel(_ call: OpaquePointer?) {
    guard let call, let loaded = LoadedPlugin.current.withLock({ $0 }) else { return }
    loaded.host.registry.cancel(call)
}
