// Tables.swift — the host's function tables as Swift functions; who is not called Tables calls none of them.
// A table that is too short for ABI 1.0 counts as absent. Next: Registry.swift.

internal import CNocturne
internal import Glibc

/// The host's tables, copied: they are constant, and their functions safe on any thread (plugin.h).
struct HostTables: Sendable {
    private let body: nocturne_host_t
    let log: LogTable?
    let configuration: ConfigurationTable?
    let storage: StorageTable?
    let events: EventsTable?
    let calls: CallsTable?
    let contributions: ContributionsTable?
    let tasks: TasksTable?
    let metrics: MetricsTable?
    let agents: AgentsTable?

    /// `nil` if the host's table is shorter than ABI 1.0's or has no function where one must be.
    init?(_ host: UnsafePointer<nocturne_host_t>) {
        guard host.pointee.struct_size >= MemoryLayout<nocturne_host_t>.size,
            let extensions = host.pointee.get_extension, host.pointee.complete != nil,
            host.pointee.is_cancelled != nil, host.pointee.remaining != nil
        else { return nil }
        func table<Table>(_ id: String, _: Table.Type) -> Table? {
            guard let table = extensions(id),
                table.load(as: UInt32.self) >= MemoryLayout<Table>.size
            else { return nil }
            return table.load(as: Table.self)
        }
        body = host.pointee
        log = table(NOCTURNE_HOST_LOG, nocturne_host_log_t.self).flatMap(LogTable.init)
        configuration = table(NOCTURNE_HOST_CONFIGURATION, nocturne_host_configuration_t.self)
            .flatMap(ConfigurationTable.init)
        storage = table(NOCTURNE_HOST_STORAGE, nocturne_host_storage_t.self)
            .flatMap(StorageTable.init)
        events = table(NOCTURNE_HOST_EVENTS, nocturne_host_events_t.self).flatMap(EventsTable.init)
        calls = table(NOCTURNE_HOST_CALLS, nocturne_host_calls_t.self).flatMap(CallsTable.init)
        contributions = extensions(NOCTURNE_HOST_CONTRIBUTIONS).flatMap(ContributionsTable.init)
        tasks = table(NOCTURNE_HOST_TASKS, nocturne_host_tasks_t.self).flatMap(TasksTable.init)
        metrics = table(NOCTURNE_HOST_METRICS, nocturne_host_metrics_t.self)
            .flatMap(MetricsTable.init)
        agents = table(NOCTURNE_HOST_AGENTS, nocturne_host_agents_t.self).flatMap(AgentsTable.init)
    }

    func isCancelled(_ call: OpaquePointer) -> Bool { body.is_cancelled(call) != 0 }

    /// Nanoseconds; `Int64.max` without a deadline.
    func remaining(_ call: OpaquePointer) -> Int64 { body.remaining(call) }

    /// A late completion is legal and ignored, so there is no error to tell.
    func complete(_ call: OpaquePointer, _ outcome: Outcome) {
        if let end = outcome.taskEnd, let tasks { return tasks.complete(call, end) }
        outcome.bytes.withUnsafeBytes { bytes in
            _ = body.complete(call, outcome.status, bytes.baseAddress, UInt64(bytes.count))
        }
    }
}

/// Refuses text that C would cut at a NUL.
func checkText(_ text: String, _ what: String) throws(HostError) {
    if text.utf8.contains(0) { throw .malformed("\(what) (it holds a NUL)") }
}

/// Reads a value of unknown size: into a small buffer first, then into one of the size that was told. A
/// value that keeps growing meanwhile is given up after a few rounds. `nil` for -ENOENT.
func readAll(
    _ what: String, _ read: (UnsafeMutableRawPointer?, UInt64) -> Int64
) throws(HostError) -> [UInt8]? {
    var capacity = 1024
    for _ in 0..<4 {
        var size: Int64 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            size = read(buffer.baseAddress, UInt64(buffer.count))
            count = max(0, min(Int(size), buffer.count))
        }
        if size == -Int64(ENOENT) { return nil }
        if size < 0 { throw HostError(size, what) }
        if size <= Int64(capacity) { return bytes }
        guard size <= Int64(NOCTURNE_PAYLOAD_MAX) else { throw .tooLarge(what) }
        capacity = Int(size)
    }
    throw .busy(what)
}

struct LogTable: Sendable {
    private let body: nocturne_host_log_t

    init?(_ table: nocturne_host_log_t) {
        guard table.write != nil else { return nil }
        body = table
    }

    func write(_ level: UInt32, _ message: String, _ fields: KeyValuePairs<String, String>) {
        guard !fields.isEmpty else { return body.write(level, message, nil, 0) }
        // All texts one after another, each with its NUL, so that the fields can point into them.
        var text: [CChar] = []
        var places: [(key: Int, value: Int)] = []
        for (key, value) in fields {
            let start = text.count
            text.append(contentsOf: key.utf8CString)
            places.append((start, text.count))
            text.append(contentsOf: value.utf8CString)
        }
        text.withUnsafeBufferPointer { text in
            guard let base = text.baseAddress else { return }
            let fields = places.map { nocturne_field_t(key: base + $0.key, value: base + $0.value) }
            body.write(level, message, fields, UInt32(fields.count))
        }
    }
}

struct ConfigurationTable: Sendable {
    private let body: nocturne_host_configuration_t

    init?(_ table: nocturne_host_configuration_t) {
        guard table.get != nil else { return nil }
        body = table
    }

    func get(_ key: String?, _ what: String) throws(HostError) -> [UInt8]? {
        guard let key else { return try readAll(what) { body.get(nil, $0, $1) } }
        try checkText(key, what)
        return try readAll(what) { body.get(key, $0, $1) }
    }
}

struct StorageTable: Sendable {
    private let body: nocturne_host_storage_t

    init?(_ table: nocturne_host_storage_t) {
        guard table.get != nil, table.set != nil, table.remove != nil, table.keys != nil else {
            return nil
        }
        body = table
    }

    func get(_ key: String) throws(HostError) -> [UInt8]? {
        try checkText(key, "storage \(key)")
        return try readAll("storage \(key)") { body.get(key, $0, $1) }
    }

    func set(_ key: String, _ kind: UInt32, _ bytes: [UInt8]) throws(HostError) {
        try checkText(key, "storage \(key)")
        let code = bytes.withUnsafeBytes { body.set(key, kind, $0.baseAddress, UInt64($0.count)) }
        if code != 0 { throw HostError(Int64(code), "storage \(key)") }
    }

    func remove(_ key: String) throws(HostError) -> Bool {
        try checkText(key, "storage \(key)")
        let code = body.remove(key)
        if code == -ENOENT { return false }
        if code != 0 { throw HostError(Int64(code), "storage \(key)") }
        return true
    }

    func keys(_ prefix: String) throws(HostError) -> [UInt8] {
        try checkText(prefix, "storage keys \(prefix)")
        return try readAll("storage keys \(prefix)") { body.keys(prefix, $0, $1) }
            ?? Array("[]".utf8)
    }
}

struct EventsTable: Sendable {
    private let body: nocturne_host_events_t

    init?(_ table: nocturne_host_events_t) {
        guard table.emit != nil else { return nil }
        body = table
    }

    func emit(_ name: String, _ payload: [UInt8]) throws(HostError) {
        try checkText(name, "event \(name)")
        let code = payload.withUnsafeBytes { body.emit(name, $0.baseAddress, UInt64($0.count)) }
        if code != 0 { throw HostError(Int64(code), "event \(name)") }
    }
}

struct CallsTable: Sendable {
    private let body: nocturne_host_calls_t

    init?(_ table: nocturne_host_calls_t) {
        guard table.call_tool != nil else { return nil }
        body = table
    }

    /// Calls another plugin's tool and blocks until it has answered.
    func call(_ name: String, _ input: [UInt8], for parent: CallHandle) -> Result<
        [UInt8], HostError
    > {
        guard !name.utf8.contains(0) else {
            return .failure(.malformed("tool name (it holds a NUL)"))
        }
        var answer: (status: UInt32, bytes: [UInt8])?
        let code = parent.use { call in
            withUnsafeMutablePointer(to: &answer) { answer in
                input.withUnsafeBytes { input in
                    body.call_tool(
                        call, name, input.baseAddress, UInt64(input.count),
                        { context, status, bytes, size in
                            let content = UnsafeRawBufferPointer(start: bytes, count: Int(size))
                            context?.assumingMemoryBound(to: (UInt32, [UInt8])?.self).pointee =
                                (status, Array(content))
                        }, answer)
                }
            }
        }
        guard let code else { return .failure(.wrongState(name)) }
        switch (code, answer) {
        case (0, let answer?) where answer.status == NOCTURNE_OK: return .success(answer.bytes)
        case (_, let answer?):
            let message = String(decoding: answer.bytes, as: UTF8.self)
            return .failure(.tool(name: name, status: answer.status, message: message))
        default: return .failure(HostError(Int64(code), name))
        }
    }
}

struct ContributionsTable: Sendable {
    private let body: nocturne_host_contributions_t

    /// The functions from tasks to agents were appended: a host without them has a shorter table.
    init?(_ place: UnsafeRawPointer) {
        let size = Int(place.load(as: UInt32.self))
        let least = MemoryLayout.offset(of: \nocturne_host_contributions_t.register_task)
        guard let least, size >= least else { return nil }
        var table = nocturne_host_contributions_t()
        withUnsafeMutableBytes(of: &table) { copy in
            copy.copyMemory(
                from: UnsafeRawBufferPointer(start: place, count: min(size, copy.count)))
        }
        guard table.register_tool != nil, table.unregister_tool != nil,
            table.register_command != nil, table.unregister_command != nil,
            table.subscribe != nil, table.unsubscribe != nil
        else { return nil }
        body = table
    }

    func register(
        _ kind: Registry.Kind, _ name: String, _ handler: nocturne_handler_t,
        _ context: UnsafeMutableRawPointer
    ) throws(HostError) {
        try checkText(name, "\(kind) \(name)")
        let code =
            switch kind {
            case .tool: body.register_tool(name, handler, context)
            case .command: body.register_command(name, handler, context)
            case .task: body.register_task?(name, handler, context) ?? -ENOSYS
            case .exporter: body.register_exporter?(name, handler, context) ?? -ENOSYS
            case .strategy: body.register_strategy?(name, handler, context) ?? -ENOSYS
            case .agent: body.register_agent?(name, handler, context) ?? -ENOSYS
            case .listener: body.subscribe(name, handler, context)
            }
        if code != 0 { throw HostError(Int64(code), "\(kind) \(name)") }
    }

    func unregister(_ kind: Registry.Kind, _ name: String) throws(HostError) {
        try checkText(name, "\(kind) \(name)")
        let code =
            switch kind {
            case .tool: body.unregister_tool(name)
            case .command: body.unregister_command(name)
            case .task: body.unregister_task?(name) ?? -ENOSYS
            case .exporter: body.unregister_exporter?(name) ?? -ENOSYS
            case .strategy: body.unregister_strategy?(name) ?? -ENOSYS
            case .agent: body.unregister_agent?(name) ?? -ENOSYS
            case .listener: body.unsubscribe(name)
            }
        if code != 0 { throw HostError(Int64(code), "\(kind) \(name)") }
    }
}

struct TasksTable: Sendable {
    private let body: nocturne_host_tasks_t

    init?(_ table: nocturne_host_tasks_t) {
        guard table.info != nil, table.progress != nil, table.log != nil, table.checkpoint != nil,
            table.is_pause_requested != nil, table.pause != nil, table.retry_after != nil,
            table.snooze != nil
        else { return nil }
        body = table
    }

    private static let isOver = "a task's attempt (it is over)"

    func info(_ call: CallHandle) throws(HostError) -> [UInt8] {
        let result = call.use { call in
            Result { () throws(HostError) in
                try readAll("a task's attempt") { body.info(call, $0, $1) }
            }
        }
        guard let bytes = try result?.get() else { throw .wrongState(Self.isOver) }
        return bytes
    }

    /// What the host cannot take in time is dropped, and what an attempt that is over says.
    func progress(_ call: CallHandle, _ percent: Double, _ message: String?) {
        _ = call.use { call in
            guard let message else { return body.progress(call, percent, nil) }
            return body.progress(call, percent, message)
        }
    }

    func log(_ call: CallHandle, _ line: String) { _ = call.use { body.log($0, line) } }

    func checkpoint(_ call: CallHandle, _ json: [UInt8]) throws(HostError) {
        let code = call.use { call in
            json.withUnsafeBytes { body.checkpoint(call, $0.baseAddress, UInt64($0.count)) }
        }
        guard let code else { throw .wrongState(Self.isOver) }
        if code != 0 { throw HostError(Int64(code), "a task's checkpoint") }
    }

    func isPauseRequested(_ call: CallHandle) -> Bool {
        call.use { body.is_pause_requested($0) } ?? 0 != 0
    }

    func complete(_ call: OpaquePointer, _ end: Outcome.TaskEnd) {
        switch end {
        case .paused: _ = body.pause(call)
        case .retryAfter(let milliseconds, let reason):
            _ = body.retry_after(call, milliseconds, reason)
        case .snoozed(let milliseconds): _ = body.snooze(call, milliseconds)
        }
    }
}

struct AgentsTable: Sendable {
    private let body: nocturne_host_agents_t

    init?(_ table: nocturne_host_agents_t) {
        guard table.say != nil else { return nil }
        body = table
    }

    func say(_ call: CallHandle, _ json: [UInt8]) throws(HostError) {
        let code = call.use { call in
            json.withUnsafeBytes { body.say(call, $0.baseAddress, UInt64($0.count)) }
        }
        guard let code else { throw .wrongState("an agent's work (it is over)") }
        if code != 0 { throw HostError(Int64(code), "what an agent says") }
    }
}
