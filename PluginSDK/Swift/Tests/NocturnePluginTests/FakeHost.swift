// FakeHost.swift — a host in this process: C tables over Swift values, so that a plugin is tested through the ABI as it
// stands in plugin.h. Next: HandlerTests.swift.

import CNocturne
import Glibc
import NocturnePlugin
import Synchronization
import Testing

/// One call as the host keeps it; its address is the plugin's handle.
final class FakeCall: Sendable {
    struct Answer: Sendable, Equatable {
        let status: UInt32
        let text: String
        var json: JSON? { try? JSON(parsing: text) }
    }

    let answers = Mutex<[Answer]>([])
    let isCancelled = Mutex(false)
    let completions = Mutex(0)

    var handle: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(self).toOpaque()) }

    static func of(_ handle: OpaquePointer?) -> FakeCall? {
        handle.map { Unmanaged.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
    }
}

/// What the services saw. One for the process, as the tables have no context: suites that use it are serialized.
enum FakeHost {
    static let log = Mutex<[String]>([])
    static let events = Mutex<[String]>([])
    static let stored = Mutex<[String: [UInt8]]>([:])
    static let registered = Mutex<[String: UInt]>([:])
    static let nestedCalls = Mutex(0)

    static func clear() {
        log.withLock { $0 = [] }
        events.withLock { $0 = [] }
        stored.withLock { $0 = [:] }
        registered.withLock { $0 = [:] }
        nestedCalls.withLock { $0 = 0 }
    }

    static func keep<Table>(_ table: Table) -> UnsafePointer<Table> {
        let place = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        place.initialize(to: table)
        return UnsafePointer(place)
    }

    static func text(_ bytes: UnsafeRawPointer?, _ size: UInt64) -> String {
        String(decoding: UnsafeRawBufferPointer(start: bytes, count: Int(size)), as: UTF8.self)
    }

    static func copy(_ value: [UInt8], _ buffer: UnsafeMutableRawPointer?, _ room: UInt64) -> Int64
    {
        UnsafeMutableRawBufferPointer(start: buffer, count: Int(room))
            .copyBytes(from: value.prefix(Int(room)))
        return Int64(value.count)
    }

    static let extensions: @convention(c) (UnsafePointer<CChar>?) -> UnsafeRawPointer? = { id in
        FakeServices.table(id.map { String(cString: $0) })
    }

    static let noExtensions: @convention(c) (UnsafePointer<CChar>?) -> UnsafeRawPointer? = { _ in
        nil
    }

    /// A table of the host's, with or without services, of any ABI and size.
    static func table(
        services: Bool = true, abi: UInt32 = 0x1_0000,
        size: Int = MemoryLayout<nocturne_host_t>.size
    ) -> UnsafePointer<nocturne_host_t> {
        keep(
            nocturne_host_t(
                abi: abi, struct_size: UInt32(size),
                get_extension: services ? extensions : noExtensions,
                complete: { call, status, bytes, size in
                    guard let call = FakeCall.of(call) else { return -EINVAL }
                    let answer = FakeCall.Answer(status: status, text: FakeHost.text(bytes, size))
                    return call.answers.withLock { answers in
                        answers.append(answer)
                        return answers.count > 1 ? -EALREADY : 0
                    }
                },
                reserve: { _, _ in nil },
                is_cancelled: { call in
                    FakeCall.of(call)?.isCancelled.withLock { $0 } == true ? 1 : 0
                },
                remaining: { _ in 2_000_000_000 }))
    }
}

/// The services' tables.
enum FakeServices {
    static func table(_ id: String?) -> UnsafeRawPointer? {
        switch id {
        case NOCTURNE_HOST_LOG: UnsafeRawPointer(FakeHost.keep(log))
        case NOCTURNE_HOST_CONFIGURATION: UnsafeRawPointer(FakeHost.keep(configuration))
        case NOCTURNE_HOST_STORAGE: UnsafeRawPointer(FakeHost.keep(storage))
        case NOCTURNE_HOST_EVENTS: UnsafeRawPointer(FakeHost.keep(events))
        case NOCTURNE_HOST_CALLS: UnsafeRawPointer(FakeHost.keep(calls))
        case NOCTURNE_HOST_CONTRIBUTIONS: UnsafeRawPointer(FakeHost.keep(contributions))
        case NOCTURNE_HOST_TASKS: UnsafeRawPointer(FakeHost.keep(FakeTasks.table))
        case NOCTURNE_HOST_AGENTS: UnsafeRawPointer(FakeHost.keep(FakeAgents.table))
        case NOCTURNE_HOST_METRICS: UnsafeRawPointer(FakeHost.keep(FakeMetrics.table))
        default: nil
        }
    }

    static func size<Table>(_: Table.Type) -> UInt32 { UInt32(MemoryLayout<Table>.size) }

    static let log = nocturne_host_log_t(
        struct_size: size(nocturne_host_log_t.self), reserved: 0,
        write: { level, message, fields, count in
            var line = "\(level) " + (message.map { String(cString: $0) } ?? "")
            for index in 0..<Int(count) {
                guard let field = fields?[index] else { continue }
                line += " \(String(cString: field.key))=\(String(cString: field.value))"
            }
            FakeHost.log.withLock { $0.append(line) }
        })

    static let configuration = nocturne_host_configuration_t(
        struct_size: size(nocturne_host_configuration_t.self), reserved: 0,
        get: { key, buffer, room in
            guard let key else { return FakeHost.copy(Array(#"{"level":5}"#.utf8), buffer, room) }
            guard String(cString: key) == "level" else { return Int64(-ENOENT) }
            return FakeHost.copy(Array("5".utf8), buffer, room)
        })

    static let storage = nocturne_host_storage_t(
        struct_size: size(nocturne_host_storage_t.self), reserved: 0,
        get: { key, buffer, room in
            let value = FakeHost.stored.withLock { $0[key.map { String(cString: $0) } ?? ""] }
            return value.map { FakeHost.copy($0, buffer, room) } ?? Int64(-ENOENT)
        },
        set: { key, _, bytes, size in
            guard size <= NOCTURNE_STORAGE_VALUE_MAX else { return -EMSGSIZE }
            let value = Array(UnsafeRawBufferPointer(start: bytes, count: Int(size)))
            FakeHost.stored.withLock { $0[key.map { String(cString: $0) } ?? ""] = value }
            return 0
        },
        remove: { key in
            FakeHost.stored.withLock {
                $0.removeValue(forKey: key.map { String(cString: $0) } ?? "")
            }
                == nil ? -ENOENT : 0
        },
        keys: { prefix, buffer, room in
            let prefix = prefix.map { String(cString: $0) } ?? ""
            let keys = FakeHost.stored.withLock { $0.keys.filter { $0.hasPrefix(prefix) }.sorted() }
            return FakeHost.copy(JSON(keys).bytes, buffer, room)
        })

    static let events = nocturne_host_events_t(
        struct_size: size(nocturne_host_events_t.self), reserved: 0,
        emit: { name, payload, size in
            let name = name.map { String(cString: $0) } ?? ""
            FakeHost.events.withLock { $0.append("\(name) \(FakeHost.text(payload, size))") }
            return name.hasSuffix(":dropped") ? -EAGAIN : 0
        })

    /// Answers "echo" with its input and fails "fail"; every other tool times out without an answer.
    static let calls = nocturne_host_calls_t(
        struct_size: size(nocturne_host_calls_t.self), reserved: 0,
        call_tool: { parent, tool, input, size, answer, context in
            guard let call = FakeCall.of(parent), call.answers.withLock(\.isEmpty) else {
                return -EPERM
            }
            FakeHost.nestedCalls.withLock { $0 += 1 }
            switch tool.map({ String(cString: $0) }) {
            case "echo":
                answer?(context, NOCTURNE_OK, input, size)
                return 0
            case "fail":
                answer?(context, NOCTURNE_RETRY, "try later", 9)
                return -EIO
            default: return -ETIMEDOUT
            }
        })

    static let contributions = nocturne_host_contributions_t(
        struct_size: size(nocturne_host_contributions_t.self), reserved: 0,
        register_tool: { name, _, context in add("tool", name, context) },
        unregister_tool: { name in remove("tool", name) },
        register_command: { name, _, context in add("command", name, context) },
        unregister_command: { name in remove("command", name) },
        subscribe: { name, _, context in add("event", name, context) },
        unsubscribe: { name in remove("event", name) },
        register_task: { name, _, context in add("task", name, context) },
        unregister_task: { name in remove("task", name) },
        register_exporter: { name, _, context in add("exporter", name, context) },
        unregister_exporter: { name in remove("exporter", name) },
        register_strategy: { name, _, context in add("strategy", name, context) },
        unregister_strategy: { name in remove("strategy", name) },
        register_agent: { name, _, context in add("agent", name, context) },
        unregister_agent: { name in remove("agent", name) })

    static func add(
        _ kind: String, _ name: UnsafePointer<CChar>?, _ context: UnsafeMutableRawPointer?
    ) -> Int32 {
        let key = "\(kind) \(name.map { String(cString: $0) } ?? "")"
        guard !key.hasSuffix("undeclared") else { return -ENOENT }
        FakeHost.registered.withLock { $0[key] = UInt(bitPattern: context) }
        return 0
    }

    static func remove(_ kind: String, _ name: UnsafePointer<CChar>?) -> Int32 {
        let key = "\(kind) \(name.map { String(cString: $0) } ?? "")"
        return FakeHost.registered.withLock { $0.removeValue(forKey: key) } == nil ? -ENOENT : 0
    }
}

/// A plugin as the host sees it after its entry.
struct EnteredPlugin {
    static let identity = (id: "fake", version: "1.2.3-rc.1+build.7")
    let table: UnsafePointer<nocturne_plugin_t>

    init(_ plugin: Plugin, services: Bool = true) throws {
        FakeHost.clear()
        let entered = PluginEntry.enter(
            plugin, identity: Self.identity, FakeHost.table(services: services), nil)
        table = try #require(entered).assumingMemoryBound(to: nocturne_plugin_t.self)
    }

    func extensionTable<Table>(_ id: String, _: Table.Type) throws -> Table {
        let getExtension = try #require(table.pointee.get_extension)
        return try #require(getExtension(id)).load(as: Table.self)
    }

    /// Calls the handler of `name` on this thread.
    @discardableResult
    func call(
        _ name: String, _ input: String = "{}", in id: String = NOCTURNE_TOOLS,
        as call: FakeCall = FakeCall()
    ) throws -> [FakeCall.Answer] {
        let contributions = try extensionTable(id, nocturne_contributions_t.self)
        let item = try #require(
            UnsafeBufferPointer(start: contributions.items, count: Int(contributions.count))
                .first { String(cString: $0.name) == name })
        let handler = try #require(item.handler)
        Array(input.utf8).withUnsafeBytes { bytes in
            handler(call.handle, bytes.baseAddress, UInt64(bytes.count), item.context)
        }
        return call.answers.withLock { $0 }
    }
}

/// Runs `body` on threads of their own, as a worker with several call threads does, and waits.
func onThreads(_ count: Int, _ body: @escaping @Sendable () -> Void) {
    final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var threads: [pthread_t] = []
    for _ in 0..<count {
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(body)).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { work in
                guard let work else { return nil }
                Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body()
                return nil
            }, work)
        if code == 0 { threads.append(thread) }
    }
    for thread in threads { pthread_join(thread, nil) }
}
