// PluginRun.swift — one attempt at a task in a plugin: what the plugin is told, what it says, what its end means.
// Next: NocturneHost/EnginePlace.swift.

package import NocturneCore

extension TaskHandler {
    /// The shortest wait of a plugin that has nothing to do yet: attempts that do not count must not spin. 1 s.
    private static let shortestSnooze = Duration.seconds(1)

    /// Runs a task in a place of its plugin.
    static func inPlugin(_ place: any PluginPlace, stopGrace: Duration) -> TaskHandler {
        TaskHandler(
            run: { input, context in
                context.hearPauses { place.setPauseRequested($0) }
                let task = PluginTask(
                    name: context.task.name, input: input, info: context.info,
                    timeLeft: context.timeLeft, stopGrace: stopGrace, listener: context)
                return try result(of: await place.run(task), context)
            }, wait: nil)
    }

    private static func result(
        of end: PluginTaskEnd, _ context: TaskContext
    ) throws -> String {
        switch end {
        case .completed(let result): return result
        case .failed(let message, let isRetryable, let wait):
            guard isRetryable else { throw TaskFailure(.permanent, message) }
            if let wait { throw RetryLater(after: wait, message) }
            throw TaskFailure(.error, message)
        case .invalidInput(let why): throw TaskFailure(.input, why)
        case .cancelled: throw CancellationError()
        case .paused: throw Paused()
        case .snoozed(let delay): throw Snooze(for: max(delay, shortestSnooze))
        case .timedOut(let how):
            context.log(how)
            throw TaskFailure(.timeout, how)
        case .crashed(let how):
            context.log(how)
            throw Crashed(reason: how)
        case .withdrawn(let why):
            context.log(why)
            throw Withdrawn()
        }
    }
}

/// Thrown by a handler whose process died, for this reason. Crashes are counted apart from attempts.
struct Crashed: Error { let reason: String }

/// Thrown by a handler that could not go on here; it is started anew and the attempt does not count.
struct Withdrawn: Error {}

extension TaskContext: PluginTaskListener {
    package func save(_ checkpoint: JSONValue) async -> CheckpointReply {
        do throws(TaskError) {
            try await self.checkpoint(checkpoint)
            return .saved
        } catch {
            switch error {
            case .tooLarge: return .tooLarge
            case .claimLost: return .claimLost
            default: return .failed
            }
        }
    }

    /// What a plugin is told of its task; plugin.h has the fields.
    fileprivate var info: JSONObject {
        [
            "id": .string(task.id.description), "name": .string(task.name),
            "queue": .string(task.queue), "attempt": JSONValue(task.attempt),
            "crashes": JSONValue(task.crashes), "checkpoint": checkpoint ?? .null,
        ]
    }
}
