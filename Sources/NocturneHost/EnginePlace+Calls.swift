// EnginePlace+Calls.swift — the way of an engine's call that is no task through a place: bytes in, bytes out.
// Next: PluginGate.swift.

import CLinux
import CWire
import NocturneCore

extension EnginePlace {
    func call(_ call: PluginEngineCall) async -> PluginEngineCallEnd {
        let kind = ContributionKind(call.kind)
        guard let contribution = generation.contribution(kind, call.name) else {
            giveBack()
            return .withdrawn("\(id): \(generation.title) does not have this \(kind)")
        }
        let limit = call.timeLeft.milliseconds
        if let refused = check(call, limit) {
            giveBack()
            return refused
        }
        let wire = WireCall(
            kind: kind.wireKind, target: contribution.index, name: "the \(kind) \(call.name)",
            deadline: clinux_now() + Int64(limit) * 1_000_000, milliseconds: limit,
            context: CallContext(chain: [id]),
            stopGrace: Int64(call.stopGrace.milliseconds) * 1_000_000)
        if let hear = call.hear { link.hear(number, hear) }
        let outcome = await link.call(wire, payload(of: call))
        let isLate = clinux_now() >= wire.deadline
        router.leave(gate, generation, outcome)
        // What was said before the end counts, and comes in by another way.
        if call.hear != nil { await generation.worker.hearRecords() }
        let leaving = link.removeTask(number).leaving
        if isLate, outcome.isWithoutResult {
            return .timedOut("\(id): \(call.name) took longer than the \(limit) ms that it had")
        }
        return end(of: outcome, call.name, leaving)
    }

    /// What the worker gets: for an agent the number by which it speaks of the call, then the input.
    private func payload(of call: PluginEngineCall) -> [UInt8] {
        guard call.kind == .agent else { return call.input }
        var head = wire_task()
        head.number = number
        return withUnsafeBytes(of: &head) { Array($0) } + call.input
    }

    /// Why a call cannot begin, if it cannot.
    private func check(_ call: PluginEngineCall, _ limit: Int) -> PluginEngineCallEnd? {
        let room =
            Int(WIRE_PAYLOAD_MAX) - (call.kind == .agent ? MemoryLayout<wire_task>.size : 0)
        if call.input.count > room {
            let error = CallError.tooLarge(
                id, what: "the input of \(call.name)", bytes: call.input.count, limit: room)
            return .failed("\(error)", isRetryable: false)
        }
        return limit < 1 ? .timedOut("\(id): its time was up before it began") : nil
    }

    private func end(
        of outcome: WireOutcome, _ name: String, _ leaving: String?
    ) -> PluginEngineCallEnd {
        func withdrawn(_ what: String) -> PluginEngineCallEnd {
            .withdrawn("\(id): \(leaving.map { "\($0), so " } ?? "")\(what)")
        }
        switch outcome {
        case .reply(CallStatus.ok, let bytes): return .completed(bytes)
        case .reply(CallStatus.cancelled, _) where Task.isCancelled: return .cancelled
        case .reply(CallStatus.cancelled, _) where leaving != nil: return withdrawn("it stopped")
        case .reply(WIRE_STATUS_NO_HANDLER, _):
            return .failed("\(CallError.notRegistered(id, name: name))", isRetryable: true)
        case .reply(let status, let bytes):
            let message = String(decoding: bytes.prefix(512), as: UTF8.self)
            if status == CallStatus.invalidInput {
                return .invalidInput("\(id): \(name): \(message)")
            }
            let isRetryable = status == CallStatus.retry || status == CallStatus.cancelled
            return .failed("\(id): \(name) failed: \(message)", isRetryable: isRetryable)
        case .overdue, .cancelled, .gaveUp:
            return Task.isCancelled ? .cancelled : withdrawn("it did not stop and was killed")
        case .notSent(let end): return withdrawn("its process \(end)")
        case .ended(let end) where end.isByHost: return withdrawn("its process \(end)")
        case .ended(let end): return .crashed("\(id): its process \(end) during \(name)")
        case .failed(let error): return .failed("\(id): \(error)", isRetryable: true)
        }
    }
}

extension WireOutcome {
    /// The plugin was killed for it, or says that it gave up.
    fileprivate var isWithoutResult: Bool {
        switch self {
        case .overdue, .reply(CallStatus.cancelled, _): true
        default: false
        }
    }
}

extension ContributionKind {
    init(_ kind: PluginEngineCall.Kind) {
        switch kind {
        case .exporter: self = .exporter
        case .strategy: self = .strategy
        case .agent: self = .agent
        }
    }
}
