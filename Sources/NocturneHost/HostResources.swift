// HostResources.swift — what a host holds while it runs: threads, stores, zygotes, the watch and the lock.

import CLinux
import Glibc
import NocturneCore
import NocturneStorage
import Synchronization

/// Owned by one ``PluginManager``; everything in it may be used from any thread.
final class HostResources: Sendable {
    let directory: StateDirectory
    /// Hears doorbells, control sockets and deadlines. Nothing on it blocks.
    let reactor: Reactor
    /// Storage, logs, output of workers. May block for the disk.
    let io: Reactor
    /// Reading plugin files. May block for the disk, for long.
    let files: Reactor
    /// Parsing and checking large payloads of plugins, one after the other.
    let payloads: Reactor
    let objects: ObjectStore
    let store: HostStore
    let pool: ZygotePool
    let watcher: DirectoryWatcher
    let typedEvents = TypedEvents()

    init(_ configuration: PluginManagerConfiguration, directory: String) throws(PluginError) {
        _ = clinux_raise_descriptor_limit()
        signal(SIGPIPE, SIG_IGN)  // a worker that died must not take the host along
        let worker = try Self.worker(configuration.workerPath)
        self.directory = try StateDirectory(PluginManager.absolute(configuration.statePath))
        do {
            store = try HostStore(directory: self.directory.path)
            objects = try ObjectStore(directory: self.directory.objects)
            try objects.clean()
            reactor = try Reactor()
            io = try Reactor()
            files = try Reactor()
            payloads = try Reactor()
            watcher = try DirectoryWatcher(path: directory)
        } catch {
            throw PluginError("state", nil, "\(error)", exit: 70)
        }
        pool = ZygotePool(
            ZygotePool.Configuration(
                worker: worker, objects: self.directory.objects, uids: configuration.workerUIDs),
            reactor: reactor, io: io)
    }

    /// Ends zygotes, threads and the database, in this order, and gives the state directory back.
    func close() async {
        await pool.close()
        let store = store
        await withCheckedContinuation { continuation in
            // Behind all that was asked of storage before.
            io.async {
                try? store.close()
                continuation.resume()
            }
        }
        for thread in [reactor, io, files, payloads] { thread.stop() }
        directory.release()
    }

    /// The worker's program: as configured, or beside this executable.
    static func worker(_ configured: String?) throws(PluginError) -> String {
        let path = configured ?? ownDirectory() + "/nocturne-worker"
        guard access(path, X_OK) == 0 else {
            throw PluginError(
                "worker", nil,
                "the program nocturne-worker is not at \(path); build it (`swift build`), or say where it is",
                exit: 70)
        }
        return path
    }

    /// The folder of the running executable.
    static func ownDirectory() -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(
            decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}

/// Listeners for typed events. Thread-safe; a listener must not block.
final class TypedEvents: Sendable {
    private struct State {
        var nextKey = 0
        var listeners: [(key: Int, listener: @Sendable (PluginEvent) -> Void)] = []
    }
    private let state = Mutex(State())

    func add(_ listener: @escaping @Sendable (PluginEvent) -> Void) -> EventToken {
        let key = state.withLock { state in
            state.nextKey += 1
            state.listeners.append((state.nextKey, listener))
            return state.nextKey
        }
        return EventToken { [weak self] in
            self?.state.withLock { state in state.listeners.removeAll { $0.key == key } }
        }
    }

    func publish(_ event: PluginEvent) {
        let listeners = state.withLock { $0.listeners }
        for (_, listener) in listeners { listener(event) }
    }

    var count: Int { state.withLock { $0.listeners.count } }
}
