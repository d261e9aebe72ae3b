// WorkerLink+Tasks.swift — the tasks that a worker runs: who hears what it says of them, and what it is told meanwhile.
// Next: EnginePlace.swift.

import CLinux
import CWire
import NocturneCore
import Synchronization

/// Names a call of a task in what its worker says, also after its slot has been used again. Never 0.
typealias TaskNumber = UInt64

/// A task that runs in a worker, or will.
struct LinkedTask: Sendable {
    /// `nil` until it runs.
    var listener: (any PluginTaskListener)?
    /// Hears what it says, if it is no task but an agent's work.
    var hear: (@Sendable ([UInt8]) -> Void)?
    /// Its engine wants it to pause.
    var isPauseRequested = false
    /// The plugin was told to pause, be it by its engine or because it is to leave.
    var wasToldToPause = false
}

extension WorkerLink {
    private static let numbers = Atomic<TaskNumber>(0)

    /// Makes a task known, before it runs.
    func addTask() -> TaskNumber {
        let number = Self.numbers.add(1, ordering: .relaxed).newValue
        state.withLock { $0.tasks[number] = LinkedTask() }
        return number
    }

    /// Has `listener` hear what the worker says of a task.
    func hear(_ number: TaskNumber, _ listener: any PluginTaskListener) {
        state.withLock { $0.tasks[number]?.listener = listener }
    }

    /// Has `listener` hear what the worker says of an agent's work.
    func hear(_ number: TaskNumber, _ listener: @escaping @Sendable ([UInt8]) -> Void) {
        state.withLock { $0.tasks[number]?.hear = listener }
    }

    /// Who hears what the worker says of an agent's work.
    func hearer(of number: TaskNumber) -> (@Sendable ([UInt8]) -> Void)? {
        state.withLock { $0.tasks[number]?.hear }
    }

    func listener(of number: TaskNumber) -> (any PluginTaskListener)? {
        state.withLock { $0.tasks[number]?.listener }
    }

    /// The task is over: nothing is heard of it any more. Returns what became of it, and why it was to leave, if it
    /// was.
    func removeTask(_ number: TaskNumber) -> (task: LinkedTask, leaving: String?) {
        state.withLock { ($0.tasks.removeValue(forKey: number) ?? LinkedTask(), $0.leaving) }
    }

    func setPauseRequested(_ isRequested: Bool, task number: TaskNumber) {
        state.withLock { state in
            state.tasks[number]?.isPauseRequested = isRequested
            for index in state.slots.indices where state.slots[index].call?.task == number {
                showPause(index, &state)
            }
        }
    }

    /// Has all tasks pause, since the worker is to be ended for this reason.
    func askTasksToLeave(because reason: String) {
        let listeners = setLeaving(reason)
        for listener in listeners { listener.log(reason + ": finishing, or pausing at once") }
    }

    /// The worker goes on after all.
    func letTasksStay() { _ = setLeaving(nil) }

    private func setLeaving(_ reason: String?) -> [any PluginTaskListener] {
        state.withLock { state in
            state.leaving = reason
            for index in state.slots.indices where state.slots[index].call?.task != nil {
                showPause(index, &state)
            }
            return state.tasks.values.compactMap(\.listener)
        }
    }

    /// Cancels all tasks: there is no time left for them.
    func stopTasks() {
        let actions = state.withLock { state in
            state.slots.indices.flatMap { index in
                state.slots[index].call?.stopGrace.map { stop(index, within: $0, &state) } ?? []
            }
        }
        for action in actions { action() }
    }

    /// Shows the worker whether the task in a slot is to pause.
    func showPause(_ index: Int, _ state: inout State) {
        guard let number = state.slots[index].call?.task else { return }
        if state.leaving != nil || state.tasks[number]?.isPauseRequested == true {
            state.tasks[number]?.wasToldToPause = true
            wire_set_bit(wire_pausing(memory.down), UInt32(index))
        } else {
            wire_clear_bit(wire_pausing(memory.down), UInt32(index))
        }
    }
}
