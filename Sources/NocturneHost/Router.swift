// Router.swift — the way of a call: find the plugin, check the input, take a place, cross over, check the result.
// No actor on it. Next: PluginManager.swift.

import CLinux
import CWire
import Glibc
import NocturneCore
import Synchronization

/// What a caller may ask for with a call.
public struct CallOptions: Sendable, Hashable {
    /// Gives up after this many milliseconds, if that is sooner than the plugin's own deadline; at least 1.
    public var deadlineMilliseconds: Int?

    /// The plugin's own deadline.
    public init(deadlineMilliseconds: Int? = nil) {
        self.deadlineMilliseconds = deadlineMilliseconds
    }
}

/// Routes calls to plugins. Thread-safe.
final class Router: Sendable {
    let registry = Registry()
    let graph = CallGraph()
    private let gates = Mutex<[PluginID: PluginGate]>([:])
    private let knownMeters = Mutex<[PluginID: PluginMeter]>([:])
    let slabs = PluginMetricSlabs()
    private let payloads: Reactor

    /// - Parameter payloads: the thread for payloads that take long.
    init(payloads: Reactor) { self.payloads = payloads }

    /// Makes a plugin's gate known, for the questions that calls between plugins ask.
    func setGate(_ gate: PluginGate?, for id: PluginID) { gates.withLock { $0[id] = gate } }

    func gate(of id: PluginID) -> PluginGate? { gates.withLock { $0[id] } }

    /// What is counted of a plugin, for as long as the host runs.
    func meter(of id: PluginID) -> PluginMeter {
        knownMeters.withLock { meters in
            if let meter = meters[id] { return meter }
            let meter = PluginMeter()
            meters[id] = meter
            return meter
        }
    }

    var meters: [PluginID: PluginMeter] { knownMeters.withLock { $0 } }

    // MARK: - Calls

    /// Calls a contribution. Input and result are checked against the manifest.
    func call(
        _ kind: ContributionKind, _ name: String, _ input: CallInput,
        options: CallOptions = .init(), context: CallContext = .init(), caller: NestedCaller? = nil
    ) async throws(CallError) -> JSONValue {
        guard let entry = registry.entry(kind, name) else {
            guard let owner = registry.owner(kind, name), let gate = gates.withLock({ $0[owner] })
            else {
                throw .unknownTool(name: name, kind: kind.rawValue)
            }
            return try await callAbsent(owner, gate, kind, name, input, options, context, caller)
        }
        return try await counted(entry.gate.meter) { () async throws(CallError) in
            try input.check(for: entry.contribution, of: entry.plugin)
            return try await self.call(
                entry.plugin, entry.gate, checkedFor: entry.generation, kind, name, input, options,
                context, caller)
        }
    }

    /// The plugin is being restarted or reloaded: its gate knows whether to wait.
    private func callAbsent(
        _ owner: PluginID, _ gate: PluginGate, _ kind: ContributionKind, _ name: String,
        _ input: CallInput, _ options: CallOptions, _ context: CallContext, _ caller: NestedCaller?
    ) async throws(CallError) -> JSONValue {
        try await counted(gate.meter) { () async throws(CallError) in
            try await self.call(
                owner, gate, checkedFor: nil, kind, name, input, options, context, caller)
        }
    }

    private func counted(
        _ meter: PluginMeter, _ body: () async throws(CallError) -> JSONValue
    ) async throws(CallError) -> JSONValue {
        do throws(CallError) {
            let result = try await body()
            meter.add(1, to: .calls)
            return result
        } catch {
            meter.addFailure(error.code)
            throw error
        }
    }

    private func call(
        _ id: PluginID, _ gate: PluginGate, checkedFor checked: Generation?,
        _ kind: ContributionKind, _ name: String, _ input: CallInput, _ options: CallOptions,
        _ context: CallContext, _ caller: NestedCaller?
    ) async throws(CallError) -> JSONValue {
        let own = checked?.deadlineMilliseconds ?? Self.defaultDeadline
        let now = clinux_now()
        var deadline = now + Int64(own) * 1_000_000
        if let milliseconds = options.deadlineMilliseconds {
            deadline = min(deadline, now + Int64(max(1, min(milliseconds, own))) * 1_000_000)
        }
        if let caller { deadline = min(deadline, caller.deadline) }
        var context = context
        if let caller { context.node = try nest(caller, in: id, context) }
        defer { if caller != nil, let node = context.node { graph.leave(node) } }

        var call = WireCall(
            kind: kind.wireKind, name: name, deadline: deadline,
            milliseconds: own, killAt: now + Int64(own) * 1_000_000, context: context)
        call.context?.chain.append(id)
        let patience = Int(max(0, deadline - now) / 1_000_000)
        var checked = checked
        while true {
            let generation: Generation
            if let entered = gate.enterAtOnce() {
                generation = entered
            } else {
                generation = try await enter(gate, deadline, id, name, patience)
                // The time that the call waited is its caller's, not the plugin's.
                call.killAt = clinux_now() + Int64(own) * 1_000_000
            }
            if caller != nil, let node = context.node { graph.started(node) }
            guard let contribution = generation.contribution(kind, name) else {
                gate.leave(generation)
                throw .gone(id, name: name)  // a reload took it away while the call waited
            }
            if checked !== generation {
                do throws(CallError) {
                    try input.check(for: contribution, of: id)
                } catch {
                    gate.leave(generation)
                    throw error
                }
                checked = generation
            }
            call.target = contribution.index
            let outcome = await generation.worker.link.call(call, input.text)
            leave(gate, generation, outcome)
            // It ended before it saw the call, which may wait for the next one.
            if case .notSent = outcome { continue }
            gate.meter.addLatency(generation.worker.link.latestReturn - now)
            switch outcome {
            case .gaveUp: throw .gaveUp(id, name: name, milliseconds: patience)
            // The plugin saw its caller's deadline pass before the host did.
            case .reply(CallStatus.cancelled, _) where clinux_now() >= deadline:
                throw .gaveUp(id, name: name, milliseconds: patience)
            default:
                let bytes = try Self.result(of: outcome, id, name, own, contribution)
                let checked = await workingOn(bytes.count) {
                    Result { () throws(CallError) in try Self.checkResult(bytes, contribution, id) }
                }
                return try checked.get()
            }
        }
    }

    /// Does `work` on a payload: on a large one in a thread kept for that, one after the other. A plugin can make one
    /// that takes half a second to parse, and the pool has no more threads than the machine has processors.
    func workingOn<Value: Sendable>(
        _ bytes: Int, _ work: @escaping @Sendable () -> Value
    ) async -> Value {
        guard bytes > Int(WIRE_BLOCK) else { return work() }
        return await withUnsafeContinuation { continuation in
            payloads.async { continuation.resume(returning: work()) }
        }
    }

    /// Gives the place of a call back: at once, or when the plugin is done with a call that its caller has left.
    func leave(_ gate: PluginGate, _ generation: Generation, _ outcome: WireOutcome) {
        switch outcome {
        case .cancelled(let ticket), .gaveUp(let ticket):
            generation.worker.link.whenOver(ticket) { gate.leave(generation) }
        case .notSent, .ended, .overdue:
            // First, or who waits for the place would be let into a dying process.
            gate.lost(generation)
            gate.leave(generation)
        default: gate.leave(generation)
        }
    }

    /// For calls that wait for a plugin that is not there: its manifest is not at hand.
    private static let defaultDeadline = 5_000

    func enter(
        _ gate: PluginGate, _ deadline: Int64, _ id: PluginID, _ name: String, _ milliseconds: Int
    ) async throws(CallError) -> Generation {
        do throws(GateRefusal) {
            return try await gate.enter(deadline: deadline)
        } catch {
            switch error {
            case .busy(let waiting): throw .busy(id, waiting: waiting)
            case .waitedTooLong: throw .waitedTooLong(id, name: name, milliseconds: milliseconds)
            case .cancelled: throw .cancelled(id, name: name)
            case .gone: throw .gone(id, name: name)
            case .restarting(let at):
                let left = max(0, at - clinux_now()) / 1_000_000
                throw .restarting(id, milliseconds: Int(left))
            }
        }
    }

    // MARK: - Events

    /// Hands an event to a plugin that listens for it. One that does not take it in time is treated as any other call.
    func deliver(_ event: Event, as pattern: String, to id: PluginID, _ gate: PluginGate) async {
        let payload = event.json.serialized()
        let milliseconds = Self.defaultDeadline
        let deadline = clinux_now() + Int64(milliseconds) * 1_000_000
        do throws(GateRefusal) {
            let generation = try await gate.enter(deadline: deadline)
            guard let listener = generation.contribution(.listener, pattern) else {
                return gate.leave(generation)
            }
            let call = WireCall(
                kind: WIRE_CALL_LISTENER, target: listener.index, name: "listener \(pattern)",
                deadline: deadline, milliseconds: milliseconds)
            let outcome = await generation.worker.link.call(call, payload)
            leave(gate, generation, outcome)
            switch outcome {
            case .reply(CallStatus.ok, _): break
            default: gate.meter.add(1, to: .eventsUndelivered)
            }
        } catch {
            gate.meter.add(1, to: .eventsUndelivered)
        }
    }

    // MARK: - Calls between plugins

    /// The call in a plugin that makes another call.
    struct NestedCaller: Sendable {
        let plugin: PluginID
        let key: CallGraph.CallKey
        let deadline: Int64
        let parent: CallGraph.NodeID?
    }

    private func nest(
        _ caller: NestedCaller, in callee: PluginID, _ context: CallContext
    ) throws(CallError) -> CallGraph.NodeID {
        guard context.depth <= CallContext.depthLimit else {
            throw .tooDeep(callee, name: "\(callee)", limit: CallContext.depthLimit)
        }
        let gates = gates.withLock { $0 }
        let result = graph.enter(
            caller: caller.plugin, key: caller.key, callee: callee, parent: caller.parent
        ) { id in gates[id]?.load ?? CallGraph.Load() }
        switch result {
        case .success(let node): return node
        case .failure(let ring):
            throw .wouldDeadlock(callee, ring: ring.plugins.map(\.description))
        }
    }

    // MARK: - Checks

    static func checkResult(
        _ bytes: [UInt8], _ contribution: Contribution, _ id: PluginID
    ) throws(CallError) -> JSONValue {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(bytes)
        } catch {
            throw .invalidResult(id, name: contribution.name, why: "it is not JSON: \(error)")
        }
        guard let schema = contribution.output else { return value }
        do throws(JSONSchemaViolation) {
            try schema.validate(value)
        } catch {
            throw .invalidResult(id, name: contribution.name, why: "\(error)")
        }
        return value
    }

    static func result(
        of outcome: WireOutcome, _ id: PluginID, _ name: String, _ milliseconds: Int,
        _ contribution: Contribution
    ) throws(CallError) -> [UInt8] {
        let isIdempotent = contribution.isIdempotent
        switch outcome {
        case .reply(CallStatus.ok, let bytes): return bytes
        case .reply(let status, let bytes):
            let message = String(decoding: bytes.prefix(512), as: UTF8.self)
            switch status {
            case CallStatus.invalidInput: throw .invalidInput(id, name: name, why: message)
            case CallStatus.cancelled:
                // The caller has not gone, or the outcome would be another one.
                throw .failed(
                    id, name: name, message: message.isEmpty ? "it gave up" : message,
                    retryable: true)
            case WIRE_STATUS_NO_HANDLER: throw .notRegistered(id, name: name)
            case WIRE_STATUS_CONTRACT: throw .invalidResult(id, name: name, why: message)
            default:
                throw .failed(
                    id, name: name, message: message, retryable: status == CallStatus.retry)
            }
        case .overdue: throw .deadlineExceeded(id, name: name, milliseconds: milliseconds)
        case .ended(.overdue(let call, let limit)):
            throw .killedBecause(
                id, name: name, because: "\(call) did not answer within \(limit) ms",
                retryable: isIdempotent)
        case .notSent, .ended(.stopped):
            throw .killedBecause(
                id, name: name,
                because:
                    "it was stopped and the call was not done when its time to finish had passed",
                retryable: isIdempotent)
        case .ended(let end):
            throw .crashed(id, name: name, how: "\(end)", retryable: isIdempotent)
        case .gaveUp: throw .gaveUp(id, name: name, milliseconds: milliseconds)
        case .cancelled: throw .cancelled(id, name: name)
        case .failed(let error):
            throw .failed(id, name: name, message: "\(error)", retryable: true)
        }
    }
}
