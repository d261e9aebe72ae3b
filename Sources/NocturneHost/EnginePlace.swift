// EnginePlace.swift — the host's side of NocturneCore/PluginCaller.swift: places at the gate of a plugin, and the way
// of a task through one. Next: TaskEnding.swift, EnginePlace+Calls.swift.

import CLinux
import CWire
import NocturneCore
import Synchronization

extension Router: PluginCaller {
    func takePlace(in plugin: PluginID) -> (any PluginPlace)? {
        guard let gate = gate(of: plugin) else { return nil }
        return gate.enterAtOnce().map { EnginePlace($0, gate, self) }
    }

    func waitForPlace(in plugin: PluginID) async -> (any PluginPlace)? {
        guard let gate = gate(of: plugin), let generation = try? await gate.enterForEngine() else {
            return nil
        }
        return EnginePlace(generation, gate, self)
    }
}

/// A place in a generation of a plugin, for one piece of work.
final class EnginePlace: PluginPlace {
    let generation: Generation
    let gate: PluginGate
    let router: Router
    let number: TaskNumber

    var id: PluginID { generation.build.id }
    var link: WorkerLink { generation.worker.link }

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
