// Registry.swift — which closure answers which name. A name keeps one box for ever, so that the pointer
// that the host holds stays good however often the handler is exchanged. Next: CallExecutor.swift.

internal import CNocturne
internal import Synchronization

/// The handlers of a plugin by kind and name.
final class Registry: Sendable {
    enum Kind: Sendable, Hashable { case tool, command, task, listener, exporter, strategy, agent }

    private struct Key: Hashable {
        let kind: Kind
        let name: String
    }

    private let tables: HostTables
    private let boxes = Mutex<[Key: HandlerBox]>([:])
    private let running = RunningCalls()
    let series = KnownSeries()

    init(tables: HostTables) { self.tables = tables }

    /// The box of a name, with `handler` in it.
    func box(_ kind: Kind, _ name: String, _ handler: Handler) -> HandlerBox {
        boxes.withLock { boxes in
            let key = Key(kind: kind, name: name)
            let host = Host(tables: tables, registry: self)
            let box = boxes[key] ?? HandlerBox(isTask: kind == .task, host: host, running)
            box.handler.withLock { $0 = handler }
            boxes[key] = box
            return box
        }
    }

    func register(_ kind: Kind, _ name: String, _ handler: Handler) throws(HostError) {
        guard let contributions = tables.contributions else {
            throw .unavailable(service: NOCTURNE_HOST_CONTRIBUTIONS)
        }
        let box = box(kind, name, handler)
        try contributions.register(kind, name, HandlerBox.entry, box.context)
    }

    func unregister(_ kind: Kind, _ name: String) throws(HostError) {
        guard let contributions = tables.contributions else {
            throw .unavailable(service: NOCTURNE_HOST_CONTRIBUTIONS)
        }
        try contributions.unregister(kind, name)
    }

    func cancel(_ call: OpaquePointer) { running.cancel(UInt(bitPattern: call)) }
}

/// The tasks of the asynchronous calls in progress, by the address of the host's handle.
final class RunningCalls: Sendable {
    private let tasks = Mutex<[UInt: Task<Void, Never>]>([:])

    /// Starts the task of a call under the lock, so that neither its end nor a cancellation can come
    /// before it stands in the table.
    func start(_ call: UInt, _ start: () -> Task<Void, Never>) {
        tasks.withLock { $0[call] = start() }
    }

    /// To be called before the call is completed: the host may use its handle again at once.
    func end(_ call: UInt) {
        tasks.withLock { $0[call] = nil }
    }

    func cancel(_ call: UInt) {
        tasks.withLock { $0[call] }?.cancel()
    }
}

/// What the host's `context` points to: the handler of one name.
final class HandlerBox: Sendable {
    let handler = Mutex<Handler?>(nil)
    private let isTask: Bool
    private let host: Host
    private let running: RunningCalls

    init(isTask: Bool, host: Host, _ running: RunningCalls) {
        self.isTask = isTask
        self.host = host
        self.running = running
    }

    /// The box as the host keeps it. Valid for ever: the registry never lets a box go.
    var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    /// What the host calls.
    static let entry:
        @convention(c) (
            OpaquePointer?, UnsafeRawPointer?, UInt64, UnsafeMutableRawPointer?
        ) -> Void = { call, input, size, context in
            guard let call, let context else { return }
            let box = Unmanaged<HandlerBox>.fromOpaque(context).takeUnretainedValue()
            let bytes = UnsafeRawBufferPointer(start: input, count: Int(size))
            box.answer(call, Array(bytes))
        }

    private func answer(_ call: OpaquePointer, _ input: [UInt8]) {
        let handle = CallHandle(call, tables: host.tables)
        let input = Result { () throws(JSONError) in try JSON(parsing: input) }
        switch (input, handler.withLock { $0?.body }) {
        case (.failure(let error), _):
            let message = "the input is \(error)"
            handle.complete(Outcome(status: NOCTURNE_INVALID_INPUT, message: message))
        case (.success(let input), .synchronous(let body)):
            let outcome: Outcome
            do {
                outcome = Outcome(result: try body(input, Call(host: host, handle: handle)))
            } catch {
                outcome = Outcome(error: error, ofTask: isTask)
            }
            handle.complete(outcome)
        case (.success(let input), .asynchronous(let body)):
            answer(input, handle, body)
        case (.success, nil):
            handle.complete(Outcome(status: NOCTURNE_FAILED, message: "no handler"))
        }
    }

    private func answer(
        _ input: JSON, _ handle: CallHandle,
        _ body: @escaping @Sendable (JSON, Call) async throws -> [UInt8]
    ) {
        CallExecutor.withExecutor { executor in
            running.start(handle.address) {
                Task(executorPreference: executor) { [isTask, host, running] in
                    let outcome: Outcome
                    do {
                        outcome = Outcome(
                            result: try await body(input, Call(host: host, handle: handle)))
                    } catch {
                        outcome = Outcome(error: error, ofTask: isTask)
                    }
                    running.end(handle.address)
                    handle.complete(outcome)
                    executor.stop()
                }
            }
            executor.runUntilStopped()
        }
    }
}
