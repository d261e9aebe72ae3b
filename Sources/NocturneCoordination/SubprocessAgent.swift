// SubprocessAgent.swift — an agent that is a program, in any language and with any model behind it: works go to its
// standard input and answers come from its standard output, one JSON object per line.

package import NocturneCore
internal import Synchronization

/// An agent that is a program.
///
/// The program is started with the first work and again after it ended. Whatever it does, each work ends in one answer
/// or one ``WorkFailure``: `crashed` if it dies, `timedOut` if it does not answer, `invalidAnswer` if it prints what
/// nobody understands, after which it is started anew.
package final class SubprocessAgent: Sendable {
    /// What is told of the program besides its answers.
    package struct Hearing: Sendable {
        package var heartbeat: @Sendable (Epoch) -> Void
        package var message: @Sendable (Recipient, JSONValue) -> Void

        package init(
            heartbeat: @escaping @Sendable (Epoch) -> Void = { _ in },
            message: @escaping @Sendable (Recipient, JSONValue) -> Void = { _, _ in }
        ) {
            (self.heartbeat, self.message) = (heartbeat, message)
        }
    }

    private typealias Answer = Promise<Result<WorkAnswer, WorkFailure>>

    private struct State {
        var process: ChildProcess?
        /// Counts the processes, so that the end of an old one is not taken for that of its successor.
        var generation = 0
        var open: [Epoch: Answer] = [:]
        /// Works that were taken back and that the program has not let go of.
        var abandoned: Set<Epoch> = []
        var isEnded = false
        /// Why the process is being killed, if it is.
        var verdict: WorkFailure?
    }
    private let state = Mutex(State())
    private let command: AgentCommand
    private let hearing: Hearing
    private let grace: Duration
    private let reaped = Mutex<[Int: Promise<Void>]>([:])

    /// - Parameter grace: how long the program may take to let go of a work, and to end.
    package init(
        _ command: AgentCommand, hearing: Hearing = Hearing(), grace: Duration = .seconds(2)
    ) {
        (self.command, self.hearing, self.grace) = (command, hearing, grace)
    }

    /// The number of the process that runs, if one does.
    package var processID: Int32? { state.withLock { $0.process?.pid } }

    // MARK: - Working

    /// Has a work done. If the caller's task is cancelled, the program is told to leave it.
    package func perform(_ assignment: Assignment) async throws(WorkFailure) -> WorkAnswer {
        let answer = Answer(), epoch = assignment.epoch
        let process = try process(for: epoch, answer)
        guard process.write(LineToAgent.work(assignment).bytes) else {
            _ = state.withLock { $0.open.removeValue(forKey: epoch) }
            throw WorkFailure(.failed, "it does not read what is written to it")
        }
        let result = await withTaskCancellationHandler {
            await answer.value(within: assignment.timeout)
        } onCancel: {
            answer.fulfill(.failure(WorkFailure(.interrupted, "it was taken back")))
        }
        leave(epoch, process)
        guard let result else {
            throw WorkFailure(.timedOut, "no answer within \(assignment.timeout)")
        }
        return try result.get()
    }

    /// Tells the program something. It is not started for that.
    ///
    /// - Returns: whether it runs and will hear it.
    package func deliver(from sender: AgentID?, _ payload: JSONValue) -> Bool {
        let process = state.withLock { $0.process }
        return process?.write(LineToAgent.message(from: sender, payload).bytes) ?? false
    }

    /// Ends the program, by force after the grace, and waits until nothing is left of it. No work is done afterwards.
    package func end() async {
        let process = state.withLock { state in
            state.isEnded = true
            return state.process
        }
        process?.end(after: grace)
        for promise in reaped.withLock({ Array($0.values) }) { await promise.value }
    }

    private func process(
        for epoch: Epoch, _ answer: Answer
    ) throws(WorkFailure) -> ChildProcess {
        let result = state.withLock { state -> Result<ChildProcess, WorkFailure> in
            if state.isEnded { return .failure(WorkFailure(.interrupted, "the agent was ended")) }
            if state.process == nil || state.verdict != nil {
                do throws(AgentCommandError) {
                    try start(&state)
                } catch {
                    return .failure(WorkFailure(.crashed, "\(error)"))
                }
            }
            guard let process = state.process else {
                return .failure(WorkFailure(.crashed, "it does not run"))
            }
            state.open[epoch] = answer
            return .success(process)
        }
        return try result.get()
    }

    private func start(_ state: inout State) throws(AgentCommandError) {
        let generation = state.generation + 1
        let gone = Promise<Void>()
        reaped.withLock { $0[generation] = gone }
        do throws(AgentCommandError) {
            state.process = try ChildProcess(
                command,
                ChildProcess.Hearing(
                    line: { [weak self] in self?.take(LineFromAgent($0), of: generation) },
                    end: { [weak self] how in
                        self?.processEnded(how, generation)
                        gone.fulfill(())
                    }))
        } catch {
            reaped.withLock { $0[generation] = nil }
            throw error
        }
        state.generation = generation
        state.verdict = nil
        state.abandoned = []
    }

    /// The work is over as far as its caller is concerned. If the program is still at it, it is told; if it does not let
    /// go of it, it is killed, because it may hang.
    private func leave(_ epoch: Epoch, _ process: ChildProcess) {
        let isUnanswered = state.withLock { state in
            guard state.open.removeValue(forKey: epoch) != nil, state.process === process else {
                return false
            }
            state.abandoned.insert(epoch)
            return true
        }
        guard isUnanswered else { return }
        _ = process.write(LineToAgent.cancel(epoch).bytes)
        let grace = grace
        Task.detached { [weak self] in
            try? await Task.sleep(for: grace)
            guard let self else { return }
            let hangs = self.state.withLock { state in
                state.process === process && state.abandoned.contains(epoch)
            }
            guard hangs else { return }
            self.condemn(
                process, WorkFailure(.crashed, "it did not let go of a work that was taken back"))
        }
    }

    // MARK: - What the program does

    private func take(_ line: LineFromAgent, of generation: Int) {
        switch line {
        case .result(let epoch, let answer): close(epoch, generation, .success(answer))
        case .badResult(let epoch, let why):
            close(epoch, generation, .failure(WorkFailure(.invalidAnswer, why)))
        case .failed(let epoch, let why, let isRefused):
            close(epoch, generation, .failure(WorkFailure(isRefused ? .refused : .failed, why)))
        case .heartbeat(let epoch): hearing.heartbeat(epoch)
        case .send(let recipient, let payload): hearing.message(recipient, payload)
        case .garbage(let what):
            let process = state.withLock { $0.generation == generation ? $0.process : nil }
            if let process { condemn(process, WorkFailure(.invalidAnswer, "it printed \(what)")) }
        }
    }

    /// An answer to a work that is over is none.
    private func close(
        _ epoch: Epoch, _ generation: Int, _ result: Result<WorkAnswer, WorkFailure>
    ) {
        let answer = state.withLock { state -> Answer? in
            guard state.generation == generation else { return nil }
            state.abandoned.remove(epoch)
            return state.open.removeValue(forKey: epoch)
        }
        answer?.fulfill(result)
    }

    /// Kills the process; its works fail for this reason, and the next one has a new process.
    private func condemn(_ process: ChildProcess, _ verdict: WorkFailure) {
        let answers = state.withLock { state -> [Answer] in
            guard state.process === process, state.verdict == nil else { return [] }
            state.verdict = verdict
            defer { state.open = [:] }
            return Array(state.open.values)
        }
        for answer in answers { answer.fulfill(.failure(verdict)) }
        process.end(after: .zero)
    }

    private func processEnded(_ how: String, _ generation: Int) {
        _ = reaped.withLock { $0.removeValue(forKey: generation) }
        let (answers, verdict) = state.withLock { state -> ([Answer], WorkFailure?) in
            guard state.generation == generation else { return ([], nil) }
            state.process = nil
            defer { (state.open, state.verdict) = ([:], nil) }
            return (Array(state.open.values), state.verdict)
        }
        let failure = verdict ?? WorkFailure(.crashed, how)
        for answer in answers { answer.fulfill(.failure(failure)) }
    }
}
