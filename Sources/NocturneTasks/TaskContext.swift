// TaskContext.swift — what a handler can ask and say while its task runs. Next: BackgroundTaskManager.swift.

public import NocturneCore
internal import Synchronization

/// One attempt at a task, as its handler sees it. Thread-safe.
public final class TaskContext: Sendable {
    /// Why an attempt is to stop before its handler returned.
    enum Stop: Sendable, Hashable { case cancelled, timeout, shutdown, lost }

    private struct State {
        var job: Task<Void, Never>?
        var stop: (reason: Stop, asked: Duration)?
        var isPauseRequested = false
        /// How often a request to pause was taken back.
        var withdrawals = 0
        var hearsPauses: (@Sendable (Bool) -> Void)?
        var isEnded = false
        var progress: TaskProgress?
        var isProgressNoted = true
        var isTellingProgress = false
        var toldProgress: Duration?
        var checkpoint: String?
        var log: [String] = []
        var firstLine = 0
    }

    /// The task, as it was when this attempt began.
    public let task: TaskRecord
    /// When this attempt is stopped, by the manager's uptime.
    let end: Duration?
    private let manager: BackgroundTaskManager
    private let state = Mutex(State())

    init(_ task: TaskRecord, end: Duration?, manager: BackgroundTaskManager) {
        (self.task, self.end, self.manager) = (task, end, manager)
    }

    /// Somebody asked to stop: the handler should return soon. Its Swift task is cancelled, too.
    public var isCancelled: Bool { state.withLock { $0.stop != nil } }

    /// How much time is left until the attempt is stopped; `nil`: as much as it takes.
    public var timeLeft: Duration? { end.map { max(.zero, $0 - manager.clock.uptime) } }

    /// What the tasks directly before this one came to, by their references in the graph; only of those that completed
    /// and whose results are still kept. Empty for a task of no graph.
    ///
    /// - Throws: ``TaskError/store(_:)``.
    public func parentResults() async throws(TaskError) -> [String: JSONValue] {
        var results: [String: JSONValue] = [:]
        for id in task.node?.parents ?? [] {
            guard let parent = try await manager.store.task(id), parent.state == .completed,
                let reference = parent.node?.reference
            else { continue }
            results[reference] = parent.resultValue
        }
        return results
    }

    /// What an earlier attempt saved by ``checkpoint(_:)``.
    public var checkpoint: JSONValue? {
        let text = state.withLock { $0.checkpoint } ?? task.checkpoint
        return text.flatMap { try? JSONParser.parse($0) }
    }
}

// MARK: - Progress and log

extension TaskContext {
    /// Events of one task come no faster than this; the last one always comes.
    static let progressInterval = Duration.milliseconds(200)

    /// Says how far the task is, in percent. Values outside of 0...100 are moved to the nearest, less than before in
    /// this attempt counts as what it was, and what is no number as 0. The message is cut at
    /// ``TaskProgress/longestMessage`` bytes.
    public func updateProgress(_ percent: Double, _ message: String? = nil) {
        let uptime = manager.clock.uptime
        let (told, waits) = state.withLock { state -> (TaskProgress?, Duration?) in
            guard !state.isEnded else { return (nil, nil) }
            let before = state.progress?.percent ?? 0
            let fresh = TaskProgress(percent: percent, message: message)
            let progress = TaskProgress(percent: max(fresh.percent, before), message: fresh.message)
            state.progress = progress
            state.isProgressNoted = false
            // Somebody will tell the latest, even if late.
            if state.isTellingProgress { return (nil, nil) }
            if let told = state.toldProgress, uptime - told < Self.progressInterval {
                state.isTellingProgress = true
                return (nil, told + Self.progressInterval)
            }
            state.toldProgress = uptime
            return (progress, nil)
        }
        if let told { manager.tell(.progress(task.id, told)) }
        if let waits {
            Task { [weak self, clock = manager.clock] in
                try? await clock.sleep(until: waits)
                self?.tellLatestProgress()
            }
        }
    }

    private func tellLatestProgress() {
        let uptime = manager.clock.uptime
        let progress = state.withLock { state -> TaskProgress? in
            guard state.isTellingProgress else { return nil }
            state.isTellingProgress = false
            state.toldProgress = uptime
            return state.progress
        }
        if let progress { manager.tell(.progress(task.id, progress)) }
    }

    /// Writes a line into the attempt's log, of which the last ``TaskAttempt/mostLines`` are kept.
    public func log(_ line: String) {
        let line =
            line.utf8.count <= TaskAttempt.longestLine
            ? line : String(decoding: line.utf8.prefix(TaskAttempt.longestLine), as: UTF8.self)
        state.withLock { state in
            if state.log.count < TaskAttempt.mostLines {
                state.log.append(line)
            } else {
                state.log[state.firstLine] = line
                state.firstLine = (state.firstLine + 1) % TaskAttempt.mostLines
            }
        }
    }
}

// MARK: - Stopping and going on

extension TaskContext {
    /// Saves what a later attempt needs to go on from here. It survives the death of this process.
    ///
    /// - Throws: ``TaskError/claimLost(_:)`` if somebody else runs the task by now: stop.
    ///   ``TaskError/tooLarge(_:_:_:)`` beyond ``NewTask/largestValueBytes`` or ``NewTask/deepestValue``.
    ///   ``TaskError/store(_:)`` if it was not saved.
    public func checkpoint(_ value: JSONValue) async throws(TaskError) {
        let text = value.description
        try NewTask.check(value: text, of: "the checkpoint of task \(task.id)")
        try await manager.save(checkpoint: text, of: self)
        state.withLock { $0.checkpoint = text }
    }

    /// A place where the task may be held: if somebody asked to pause it, this saves the checkpoint and leaves the
    /// handler by throwing; after a resume the handler is called again and finds the checkpoint.
    ///
    /// - Throws: what is not to be caught, to leave the handler; `CancellationError` if the task is to stop; what
    ///   ``checkpoint(_:)`` throws.
    public func pausePoint(_ value: JSONValue? = nil) async throws {
        try Task.checkCancellation()
        guard state.withLock({ $0.isPauseRequested }) else { return }
        if let value { try await checkpoint(value) }
        throw Paused()
    }

    var withdrawals: Int { state.withLock { $0.withdrawals } }

    /// Somebody asked to pause it, and as of so many withdrawals had not taken that back. What the store answers may be
    /// older than a withdrawal.
    func requestPause(asOf withdrawals: Int) {
        // Under the lock, so that what is heard last is what is so. Those who hear it only note it.
        state.withLock { state in
            guard state.withdrawals == withdrawals else { return }
            state.isPauseRequested = true
            state.hearsPauses?(true)
        }
    }

    func withdrawPause() {
        state.withLock { state in
            state.withdrawals += 1
            state.isPauseRequested = false
            state.hearsPauses?(false)
        }
    }

    /// Has `listener` told whether the task is to pause, at once if it is already.
    func hearPauses(_ listener: @escaping @Sendable (Bool) -> Void) {
        state.withLock { state in
            state.hearsPauses = listener
            if state.isPauseRequested { listener(true) }
        }
    }

    /// Asks the handler to stop. The first reason counts.
    func stop(_ reason: Stop) {
        let uptime = manager.clock.uptime
        let job = state.withLock { state -> Task<Void, Never>? in
            if state.stop == nil { state.stop = (reason, uptime) }
            return state.job
        }
        job?.cancel()
    }

    func began(_ job: Task<Void, Never>) {
        let isStopped = state.withLock { state in
            state.job = state.isEnded ? nil : job
            return state.stop != nil
        }
        if isStopped { job.cancel() }
    }

    var stopReason: Stop? { state.withLock { $0.stop?.reason } }

    /// When something is to be done about an attempt: stop it because it takes too long, or go on without it because
    /// its handler was asked to stop and did not.
    func nextStop(grace: Duration) -> Duration? {
        state.withLock { $0.stop.map { $0.asked + grace } } ?? end
    }

    /// Ends the attempt, once; `nil` if it was ended before.
    func finish(_ outcome: TaskEnd.Outcome) -> TaskEnd? {
        let (end, untold) = state.withLock { state -> (TaskEnd?, TaskProgress?) in
            guard !state.isEnded else { return (nil, nil) }
            state.isEnded = true
            state.job = nil
            state.hearsPauses = nil
            let untold = state.isTellingProgress ? state.progress : nil
            state.isTellingProgress = false
            let log =
                state.log.isEmpty
                ? [] : Array(state.log[state.firstLine...] + state.log[..<state.firstLine])
            let end = TaskEnd(
                id: task.id, token: task.token, outcome: outcome, log: log,
                progress: state.progress)
            return (end, untold)
        }
        if let untold { manager.tell(.progress(task.id, untold)) }
        return end
    }

    /// What a heartbeat has to say of it, if anything is new.
    func takeNote() -> Heartbeat.Note? {
        let progress = state.withLock { state -> TaskProgress? in
            guard !state.isProgressNoted else { return nil }
            state.isProgressNoted = true
            return state.progress
        }
        return progress.map {
            Heartbeat.Note(id: task.id, token: task.token, progress: $0, checkpoint: nil)
        }
    }

    /// What the last ``takeNote()`` said was not heard.
    func noteAgain() { state.withLock { $0.isProgressNoted = $0.progress == nil } }

    /// How far it is by now.
    var progress: TaskProgress? { state.withLock { $0.progress } }
}
