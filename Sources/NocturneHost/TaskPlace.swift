// TaskPlace.swift — the host's side of NocturneCore/PluginCaller.swift: places at the gate of a plugin, and the way of a
// task through one. Next: PluginGate.swift.

import CLinux
import CWire
import NocturneCore
import Synchronization

extension Router: PluginCaller {
    func takePlace(in plugin: PluginID) -> (any PluginPlace)? {
        guard let gate = gate(of: plugin) else { return nil }
        return gate.enterAtOnce().map { TaskPlace($0, gate, self) }
    }

    func waitForPlace(in plugin: PluginID) async -> (any PluginPlace)? {
        guard let gate = gate(of: plugin), let generation = try? await gate.enterForEngine() else {
            return nil
        }
        return TaskPlace(generation, gate, self)
    }
}

/// A place in a generation of a plugin, for one task.
final class TaskPlace: PluginPlace {
    private let generation: Generation
    private let gate: PluginGate
    private let router: Router
    private let number: TaskNumber

    private var id: PluginID { generation.build.id }
    private var link: WorkerLink { generation.worker.link }

    init(_ generation: Generation, _ gate: PluginGate, _ router: Router) {
        (self.generation, self.gate, self.router) = (generation, gate, router)
        number = generation.worker.link.addTask()
    }

    func setPauseRequested(_ isRequested: Bool) {
        link.setPauseRequested(isRequested, task: number)
    }

    func giveBack() {
        _ = link.removeTask(number)
        gate.leave(generation)
    }

    func run(_ task: PluginTask) async -> PluginTaskEnd {
        guard let contribution = generation.contribution(.task, task.name) else {
            giveBack()
            return .withdrawn("\(id): \(generation.title) does not have this task")
        }
        if let refused = await check(task, contribution) {
            giveBack()
            return refused
        }
        link.hear(number, task.listener)
        let limit = task.timeLeft?.milliseconds
        let call = WireCall(
            kind: WIRE_CALL_TASK, target: contribution.index, name: "the task \(task.name)",
            deadline: limit.map { clinux_now() + Int64($0) * 1_000_000 } ?? .max,
            milliseconds: limit ?? 0, context: CallContext(chain: [id]), task: number,
            stopGrace: Int64(task.stopGrace.milliseconds) * 1_000_000)
        let outcome = await link.call(call, Self.payload(of: task, number))
        let isLate = limit != nil && clinux_now() >= call.deadline
        router.leave(gate, generation, outcome)
        // What was said before the end counts, and comes in by another way.
        await generation.worker.hearRecords()
        let (linked, leaving) = link.removeTask(number)
        let ending = TaskEnding(
            plugin: id, contribution: contribution, limit: limit ?? 0, isLate: isLate,
            isCancelled: Task.isCancelled, linked: linked, leaving: leaving)
        guard case .reply(CallStatus.ok, let bytes) = outcome else {
            return ending.end(of: outcome)
        }
        return await router.workingOn(bytes.count) { ending.completion(bytes) }
    }

    /// Why a task cannot begin, if it cannot.
    private func check(_ task: PluginTask, _ contribution: Contribution) async -> PluginTaskEnd? {
        if let left = task.timeLeft, left.milliseconds < 1 {
            return .timedOut("\(id): its time was up before it began")
        }
        let id = id
        return await router.workingOn(task.input.utf8.count) {
            do throws(CallError) {
                try CallInput(text: Array(task.input.utf8)).check(for: contribution, of: id)
                return nil
            } catch {
                return .invalidInput("\(error)")
            }
        }
    }

    /// What the worker gets: a head, what the task is, its input.
    private static func payload(of task: PluginTask, _ number: TaskNumber) -> [UInt8] {
        let info = JSONValue.object(task.info).serialized()
        var head = wire_task()
        head.number = number
        head.info_length = UInt32(info.count)
        return withUnsafeBytes(of: &head) { Array($0) } + info + Array(task.input.utf8)
    }
}

/// What the end of a call means for the task that it was an attempt at.
struct TaskEnding: Sendable {
    let plugin: PluginID
    let contribution: Contribution
    /// Milliseconds that it had.
    let limit: Int
    /// The time was up when it ended.
    let isLate: Bool
    let isCancelled: Bool
    let linked: LinkedTask
    /// Why the worker was to be left, if it was.
    let leaving: String?

    /// A result, if it is one.
    func completion(_ bytes: [UInt8]) -> PluginTaskEnd {
        do throws(CallError) {
            return .completed(try Router.checkResult(bytes, contribution, plugin).description)
        } catch {
            return .failed("\(error)", isRetryable: false)
        }
    }

    /// Every end but a result.
    func end(of outcome: WireOutcome) -> PluginTaskEnd {
        switch outcome {
        case .reply(let status, let bytes): end(of: status, bytes)
        case .overdue where isLate: timedOut
        case .overdue, .cancelled, .gaveUp:
            isCancelled ? .cancelled : withdrawn("it did not stop and was killed")
        case .notSent(let end): withdrawn("its process \(end)")
        case .ended(let end): self.end(of: end)
        case .failed(let error): .failed("\(plugin): \(error)", isRetryable: true)
        }
    }

    private func end(of status: UInt32, _ bytes: [UInt8]) -> PluginTaskEnd {
        let message = String(decoding: bytes.prefix(512), as: UTF8.self)
        switch status {
        case CallStatus.invalidInput: return .invalidInput("\(plugin): \(message)")
        case CallStatus.cancelled: return stopped(message)
        case WIRE_STATUS_NO_HANDLER:
            let error = CallError.notRegistered(plugin, name: contribution.name)
            return .failed("\(error)", isRetryable: true)
        case WIRE_STATUS_PAUSED where linked.isPauseRequested || !linked.wasToldToPause:
            return .paused
        case WIRE_STATUS_PAUSED: return withdrawn("it paused")
        case WIRE_STATUS_RETRY_AFTER:
            guard let wait = Self.wait(bytes) else { break }
            let message = String(decoding: bytes.dropFirst(8).prefix(512), as: UTF8.self)
            return .failed("\(plugin): \(message)", isRetryable: true, wait: wait)
        case WIRE_STATUS_SNOOZED:
            guard let wait = Self.wait(bytes) else { break }
            return .snoozed(wait)
        default: break
        }
        return .failed("\(plugin): \(message)", isRetryable: status == CallStatus.retry)
    }

    /// The plugin says that it stopped because it was told to.
    private func stopped(_ message: String) -> PluginTaskEnd {
        if isCancelled { return .cancelled }
        if isLate { return timedOut }
        if leaving != nil { return withdrawn("it stopped") }
        return .failed("\(plugin): \(message.isEmpty ? "it gave up" : message)", isRetryable: true)
    }

    private func end(of end: WorkerEnd) -> PluginTaskEnd {
        switch end {
        case .stopped, .zygoteLost: withdrawn("its process \(end)")
        case .overdue: withdrawn("its process \(end)")
        case .exited, .signaled, .protocolError, .vanished:
            .crashed("\(plugin): its process \(end) during \(contribution.name)")
        }
    }

    private var timedOut: PluginTaskEnd {
        .timedOut("\(plugin): \(contribution.name) took longer than the \(limit) ms that it had")
    }

    /// It is not this task's fault.
    private func withdrawn(_ what: String) -> PluginTaskEnd {
        .withdrawn(
            "\(plugin): \(leaving.map { "\($0), so " } ?? "")\(what); the task starts anew with its last checkpoint"
        )
    }

    /// The wait in front of a reply's payload; at most a year.
    private static func wait(_ bytes: [UInt8]) -> Duration? {
        guard bytes.count >= 8 else { return nil }
        let milliseconds = bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
        return .milliseconds(Int64(min(milliseconds, 365 * 86_400_000)))
    }
}
