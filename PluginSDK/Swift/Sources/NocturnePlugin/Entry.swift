// Entry.swift — what the host sees: the entry, the plugin's tables and hooks. The tables are made at entry and
// live as long as the process. Start reading at Plugin.swift.

internal import CNocturne
internal import Synchronization

/// The way from the generated `nocturne_plugin_entry` into the author's ``Plugin``. Not for authors.
public enum PluginEntry {
    /// Enters `plugin`. [loader thread]
    ///
    /// - Parameters:
    ///   - identity: The id and version that the manifest had when this was built.
    ///   - host: A `nocturne_host_t`.
    ///   - error: A `nocturne_error_t` to fill when this returns `nil`.
    /// - Returns: A `nocturne_plugin_t` that stays valid for ever.
    public static func enter(
        _ plugin: Plugin, identity: (id: String, version: String), _ host: UnsafeRawPointer?,
        _ error: UnsafeMutableRawPointer?
    ) -> UnsafeRawPointer? {
        guard let host = host?.assumingMemoryBound(to: nocturne_host_t.self) else {
            HookError.write("the host gave no table", to: error)
            return nil
        }
        guard host.pointee.abi >> 16 == NOCTURNE_ABI >> 16 else {
            HookError.write(
                "the plugin needs a host of ABI \(NOCTURNE_ABI >> 16); this one has"
                    + " \(host.pointee.abi >> 16).\(host.pointee.abi & 0xffff)", to: error)
            return nil
        }
        guard let tables = HostTables(host) else {
            HookError.write("the host's table is shorter than that of ABI 1.0", to: error)
            return nil
        }
        let loaded = LoadedPlugin(plugin, identity, tables)
        LoadedPlugin.current.withLock { $0 = loaded }
        return UnsafeRawPointer(loaded.tables.plugin)
    }
}

/// The plugin of this process.
final class LoadedPlugin: Sendable {
    static let current = Mutex<LoadedPlugin?>(nil)

    let plugin: Plugin
    let host: Host
    let tables: PluginTables

    init(
        _ plugin: Plugin, _ identity: (id: String, version: String), _ hostTables: HostTables
    ) {
        let registry = Registry(tables: hostTables)
        self.plugin = plugin
        host = Host(tables: hostTables, registry: registry)
        tables = PluginTables(plugin, identity, registry)
    }

    /// Runs a hook of the plugin's on this thread.
    ///
    /// - Returns: What the hook returned, or `nil` after writing why into `error`.
    static func run<Value: Sendable>(
        _ error: UnsafeMutableRawPointer?,
        _ hook: @escaping @Sendable (Plugin, Host) async throws -> Value
    ) -> Value? {
        guard let loaded = current.withLock({ $0 }) else {
            HookError.write("the plugin was not entered", to: error)
            return nil
        }
        switch CallExecutor.run({ try await hook(loaded.plugin, loaded.host) }) {
        case .success(let value): return value
        case .failure(let failure):
            HookError.write(failure, to: error)
            return nil
        }
    }
}

/// Fills in a caller-owned `nocturne_error_t`, of whatever size it is.
enum HookError {
    static func write(_ error: any Error, to place: UnsafeMutableRawPointer?) {
        switch error {
        case let error as PluginError:
            write(error.message, code: error.code, isRetryable: error.isRetryable, to: place)
        case let error as HostError:
            write(error.description, isRetryable: error.isRetryable, to: place)
        default: write(String(describing: error), to: place)
        }
    }

    static func write(
        _ message: String, code: UInt32 = 0, isRetryable: Bool = false,
        to place: UnsafeMutableRawPointer?
    ) {
        let messageOffset = 16  // Asserted in plugin.h.
        guard let place else { return }
        let size = Int(place.load(as: UInt32.self))
        guard size > messageOffset else { return }
        place.storeBytes(of: code, toByteOffset: 4, as: UInt32.self)
        place.storeBytes(of: isRetryable ? 1 : 0, toByteOffset: 8, as: UInt32.self)
        let text = UnsafeMutableRawBufferPointer(
            start: place + messageOffset,
            count: min(size - messageOffset, Int(NOCTURNE_MESSAGE_MAX)))
        // Cut between characters, so that what remains is UTF-8.
        var bytes: [UInt8] = []
        for scalar in message.unicodeScalars {
            let encoded = UTF8.encode(scalar)
            guard let encoded, bytes.count + encoded.count < text.count else { break }
            bytes.append(contentsOf: encoded)
        }
        text.copyBytes(from: bytes)
        text[bytes.count] = 0
    }
}
