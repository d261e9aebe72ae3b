// AgentProgram.swift — a program that does works: started when it is needed, ended when it cannot be trusted any more;
// whatever it does, each work ends. Next: SubprocessAgent.swift.

internal import NocturneCore
internal import Synchronization

/// A program that does works.
///
/// It is started with the first work and again after it ended. Each work ends in one answer or one ``WorkFailure``:
/// `crashed` if the program dies, `timedOut` if it does not answer, `invalidAnswer` if it prints what nobody
/// understands, after which it is started anew.
final class AgentProgram: Sendable {
    /// Is told what the program says besides answers, in order; returns `false` if that is too much.
    typealias Listener = @Sendable (LineFromAgent) -> Bool

    private typealias Answer = Promise<Result<WorkAnswer, WorkFailure>>

    private struct State {
        var process: ChildProcess?
        /// Counts the processes, so that the end of an old one is not taken for that of its successor.
        var generation = 0
        var open: [Int: Answer] = [:]
        /// Works that were taken back and that the program has not let go of.
        var abandoned: Set<Int> = []
        var isEnded = false
        /// Why the process is being killed, if it is.
        var verdict: WorkFailure?
    }
    private let state = Mutex(State())
    private let command: AgentCommand
    private let listener: Listener
    private let grace: Duration
    private let reaped = Mutex<[Int: Promise<Void>]>([:])

    /// - Parameter grace: how long the program may take to let go of a work, and to end.
    init(_ command: AgentCommand, grace: Duration, listener: @escaping Listener) {
        (self.command, self.grace, self.listener) = (command, grace, listener)
    }

    /// The number of the process that runs, if one does.
    var processID: Int32? { state.withLock { $0.process?.pid } }

    // MARK: - Working

    /// Has a work done. If the caller's task is cancelled, the program is told to leave it.
    ///
    /// - Parameter id: a number that this program was never given before.
    func perform(_ request: WorkRequest, as id: Int) async throws(WorkFailure) -> WorkAnswer {
        let answer = Answer()
        let process = try process(for: id, answer)
        guard process.write(LineToAgent.work(request, id).bytes) else {
            _ = state.withLock { $0.open.removeValue(forKey: id) }
            throw WorkFailure(.failed, "it does not read what is written to it")
        }
        let result = await withTaskCancellationHandler {
            await answer.value(within: request.timeout)
        } onCancel: {
            answer.fulfill(.failure(WorkFailure(.interrupted, "it was taken back")))
        }
        leave(id, process)
        guard let result else {
            throw WorkFailure(.timedOut, "no answer within \(request.timeout)")
        }
        return try result.get()
    }

    /// Tells the program something. It is not started for that.
    ///
    /// - Returns: whether it runs and will hear it.
    func deliver(_ message: Message) -> Bool {
        let process = state.withLock { $0.process }
        return process?.write(LineToAgent.message(message).bytes) ?? false
    }

    /// Ends the process that runs, if one does; the next work has a new one.
    func restart() {
        let process = state.withLock { $0.process }
        if let process { condemn(process, WorkFailure(.crashed, "it was restarted")) }
    }

    /// Ends the program, by force after the grace, and waits until nothing is left of it. No work is done afterwards.
    func end() async {
        let process = state.withLock { state in
            state.isEnded = true
            return state.process
        }
        process?.end(after: grace)
        for promise in reaped.withLock({ Array($0.values) }) { await promise.value }
    }

    private func process(
        for id: Int, _ answer: Answer
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
            state.open[id] = answer
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

    /// The work is over as far as its caller is concerned. If the program is still at it, it is told; if it does not
    /// let go of it, it is killed, because it may hang.
    private func leave(_ id: Int, _ process: ChildProcess) {
        let isUnanswered = state.withLock { state in
            guard state.open.removeValue(forKey: id) != nil, state.process === process else {
                return false
            }
            state.abandoned.insert(id)
            return true
        }
        guard isUnanswered else { return }
        _ = process.write(LineToAgent.cancel(id).bytes)
        let grace = grace
        Task.detached { [weak self] in
            try? await Task.sleep(for: grace)
            guard let self else { return }
            let hangs = self.state.withLock { state in
                state.process === process && state.abandoned.contains(id)
            }
            guard hangs else { return }
            self.condemn(
                process, WorkFailure(.crashed, "it did not let go of a work that was taken back"))
        }
    }

    // MARK: - What the program does

    private func take(_ line: LineFromAgent, of generation: Int) {
        switch line {
        case .result(let id, let answer): close(id, generation, .success(answer))
        case .badResult(let id, let why):
            close(id, generation, .failure(WorkFailure(.invalidAnswer, why)))
        case .failed(let id, let why, let isRefused):
            close(id, generation, .failure(WorkFailure(isRefused ? .refused : .failed, why)))
        case .heartbeat, .send, .tell, .reply:
            if !listener(line) { condemn(generation, "more than can be delivered") }
        case .garbage(let what): condemn(generation, what)
        }
    }

    private func condemn(_ generation: Int, _ what: String) {
        let process = state.withLock { $0.generation == generation ? $0.process : nil }
        if let process { condemn(process, WorkFailure(.invalidAnswer, "it printed \(what)")) }
    }

    /// An answer to a work that is over is none.
    private func close(
        _ id: Int, _ generation: Int, _ result: Result<WorkAnswer, WorkFailure>
    ) {
        let answer = state.withLock { state -> Answer? in
            guard state.generation == generation else { return nil }
            state.abandoned.remove(id)
            return state.open.removeValue(forKey: id)
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
