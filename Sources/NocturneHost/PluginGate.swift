// PluginGate.swift — admits the calls of one plugin to the generation that serves. Stays while generations come and go,
// so a reload switches here and nowhere else. On the call path, so a lock and no actor. Next: Router.swift.

import NocturneCore
import Synchronization

/// Why a call was not admitted.
enum GateRefusal: Error, Sendable, Hashable {
    case busy(waiting: Int)
    /// No place became free before the call's deadline.
    case waitedTooLong
    case cancelled
    /// The plugin does not serve, and will not soon.
    case gone
    /// It crashed; the next start is at this time (CLOCK_MONOTONIC, ns).
    case restarting(at: Int64)
}

/// The door of one plugin: `concurrency` calls run in the current generation, `queue` wait in order, others are
/// refused.
final class PluginGate: DeadlineKeeper {
    private struct Waiter {
        let key: UInt64
        let deadline: Int64
        let isEngine: Bool
        let resume: @Sendable (Result<Generation, GateRefusal>) -> Void
    }
    private enum Door {
        case open(Generation)
        /// Calls wait: a stateful reload, or a restart that has begun.
        case parked
        case closed(GateRefusal)
    }
    private struct State {
        var door = Door.closed(.gone)
        var running: [ObjectIdentifier: Int] = [:]
        var drained: [ObjectIdentifier: Promise<Void>] = [:]
        var waiters: [Waiter] = []
        var nextKey: UInt64 = 1
        var queue = 0
        /// The reactor looks here at this time at the latest.
        var watchedUntil = Int64.max
    }
    private let state = Mutex(State())
    private let reactor: Reactor
    /// What is counted of the plugin.
    let meter: PluginMeter

    init(reactor: Reactor, meter: PluginMeter) {
        self.reactor = reactor
        self.meter = meter
    }

    // MARK: - Calls

    /// A place, if one is free right now.
    func enterAtOnce() -> Generation? {
        state.withLock { state in
            guard case .open(let generation) = state.door, state.waiters.isEmpty,
                take(generation, &state)
            else { return nil }
            return generation
        }
    }

    /// Waits for a place until `deadline` (CLOCK_MONOTONIC, ns), in order of arrival.
    func enter(deadline: Int64) async throws(GateRefusal) -> Generation {
        if let generation = enterAtOnce() { return generation }
        return try await enterLine(until: deadline, isEngine: false)
    }

    /// Waits for a place in the line of the calls, beyond its limit, and also while the door is closed: an engine waits
    /// once for all that it has to do, and has no deadline. Throws only ``GateRefusal/cancelled``.
    func enterForEngine() async throws(GateRefusal) -> Generation {
        try await enterLine(until: .max, isEngine: true)
    }

    private func enterLine(
        until deadline: Int64, isEngine: Bool
    ) async throws(GateRefusal) -> Generation {
        let key = state.withLock { state in
            state.nextKey += 1
            return state.nextKey
        }
        let result: Result<Generation, GateRefusal> = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                wait(key, deadline, isEngine) { continuation.resume(returning: $0) }
            }
        } onCancel: {
            remove(key)?.resume(.failure(.cancelled))
        }
        return try result.get()
    }

    /// Gives the place back.
    func leave(_ generation: Generation) {
        let (drained, admitted) = state.withLock { state in
            let key = ObjectIdentifier(generation)
            let left = (state.running[key] ?? 1) - 1
            state.running[key] = left == 0 ? nil : left
            let drained = left == 0 ? state.drained.removeValue(forKey: key) : nil
            return (drained, admit(&state))
        }
        drained?.fulfill(())
        for (waiter, generation) in admitted { waiter.resume(.success(generation)) }
    }

    /// What the graph of calls between plugins wants to know.
    var load: CallGraph.Load {
        state.withLock { state in
            guard case .open(let generation) = state.door else { return CallGraph.Load() }
            let count = state.running[ObjectIdentifier(generation)] ?? 0
            return CallGraph.Load(
                running: count, isFull: count >= generation.concurrency || !state.waiters.isEmpty,
                worker: ObjectIdentifier(generation.worker.link))
        }
    }

    // MARK: - Generations

    /// Lets calls into `generation` from now on. Those in an older one go on there.
    func open(_ generation: Generation, queue: Int) {
        let admitted = state.withLock { state in
            state.door = .open(generation)
            state.queue = queue
            return admit(&state)
        }
        for (waiter, generation) in admitted { waiter.resume(.success(generation)) }
    }

    /// Has new calls wait.
    func park() { state.withLock { $0.door = .parked } }

    /// The process of `generation` is gone: new calls wait for what its supervisor does about it.
    func lost(_ generation: Generation) {
        state.withLock { state in
            if case .open(let open) = state.door, open === generation { state.door = .parked }
        }
    }

    /// Refuses new calls, and those that wait.
    func close(_ refusal: GateRefusal) {
        let waiters = state.withLock { state in
            state.door = .closed(refusal)
            let waiters = state.waiters.filter { !$0.isEngine }
            state.waiters.removeAll { !$0.isEngine }
            return waiters
        }
        for waiter in waiters { waiter.resume(.failure(refusal)) }
    }

    /// Waits until no call runs in `generation`. Returns whether that came within `limit`.
    func drain(_ generation: Generation, within limit: Duration) async -> Bool {
        let key = ObjectIdentifier(generation)
        let promise = state.withLock { state -> Promise<Void>? in
            guard (state.running[key] ?? 0) > 0 else { return nil }
            let promise = state.drained[key] ?? Promise<Void>()
            state.drained[key] = promise
            return promise
        }
        guard let promise else { return true }
        return await promise.value(within: limit) != nil
    }

    // MARK: - Waiting

    private func take(_ generation: Generation, _ state: inout State) -> Bool {
        let key = ObjectIdentifier(generation)
        let count = state.running[key] ?? 0
        guard count < generation.concurrency else { return false }
        state.running[key] = count + 1
        return true
    }

    private func admit(_ state: inout State) -> [(Waiter, Generation)] {
        guard case .open(let generation) = state.door, !state.waiters.isEmpty else { return [] }
        var admitted: [(Waiter, Generation)] = []
        while admitted.count < state.waiters.count, take(generation, &state) {
            admitted.append((state.waiters[admitted.count], generation))
        }
        state.waiters.removeFirst(admitted.count)
        return admitted
    }

    private func wait(
        _ key: UInt64, _ deadline: Int64, _ isEngine: Bool,
        _ resume: @escaping @Sendable (Result<Generation, GateRefusal>) -> Void
    ) {
        var mustWatch = false
        let result = state.withLock { state -> Result<Generation, GateRefusal>? in
            // Under the lock: a cancellation that comes now finds the waiter, one that came earlier is seen.
            if Task.isCancelled { return .failure(.cancelled) }
            switch state.door {
            case .closed(let refusal) where !isEngine: return .failure(refusal)
            case .open(let generation) where state.waiters.isEmpty && take(generation, &state):
                return .success(generation)
            default: break
            }
            guard isEngine || state.waiters.count < state.queue else {
                return .failure(.busy(waiting: state.waiters.count))
            }
            state.waiters.append(
                Waiter(key: key, deadline: deadline, isEngine: isEngine, resume: resume))
            mustWatch = deadline < state.watchedUntil
            if mustWatch { state.watchedUntil = deadline }
            return nil
        }
        if mustWatch { reactor.watch(self, deadline: deadline) }
        if let result { resume(result) }
    }

    private func remove(_ key: UInt64) -> Waiter? {
        state.withLock { state in
            state.waiters.firstIndex { $0.key == key }.map { state.waiters.remove(at: $0) }
        }
    }

    func expire(now: Int64) -> Int64? {
        let (late, next) = state.withLock { state in
            let late = state.waiters.filter { $0.deadline <= now }
            state.waiters.removeAll { $0.deadline <= now }
            let next = state.waiters.map(\.deadline).min() ?? .max
            state.watchedUntil = next
            return (late, next == .max ? nil : next)
        }
        for waiter in late { waiter.resume(.failure(.waitedTooLong)) }
        return next
    }

    func postpone(by gap: Int64) {
        state.withLock { state in
            state.waiters = state.waiters.map {
                Waiter(
                    key: $0.key, deadline: $0.deadline == .max ? .max : $0.deadline + gap,
                    isEngine: $0.isEngine, resume: $0.resume)
            }
        }
    }

    /// Work that holds a place, in any generation.
    var runningCount: Int { state.withLock { $0.running.values.reduce(0, +) } }

    /// The process that new calls go to.
    var pid: Int32? {
        let door = state.withLock { $0.door }
        guard case .open(let generation) = door else { return nil }
        return generation.worker.pid
    }

    /// Calls that wait for a place.
    var waitingCount: Int { state.withLock { $0.waiters.count } }
}
