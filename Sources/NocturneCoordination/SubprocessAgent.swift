// SubprocessAgent.swift — an agent that is a program, in any language and with any model behind it: works go to its
// standard input and answers come from its standard output, one JSON object per line.

internal import NocturneCore
internal import Synchronization

/// An agent that is a program, one of those that the operator listed.
///
/// It reads `{"type": "work", "id", "work": {…}, …}` and writes `{"type": "result", "id", "value"}`; `AgentLine.swift`
/// has the other lines. It gets no descriptor of the host and only variables that are allowed. With the agent ends all
/// that the program started, but for what left its process group.
public final class SubprocessAgent: Agent {
    /// What the session knows of it.
    public let descriptor: AgentDescriptor

    /// What a program has said and nobody has heard yet; one that says more has gone mad.
    private static let mostUnheard = 1_024

    private let voice = AgentVoice()
    private let program: AgentProgram
    private let lines: AsyncStream<LineFromAgent>.Continuation

    /// - Parameter grace: how long the program may take to let go of a work, and to end.
    public init(
        _ descriptor: AgentDescriptor, _ command: AgentCommand, grace: Duration = .seconds(2)
    ) {
        self.descriptor = descriptor
        let (stream, lines) = AsyncStream.makeStream(
            of: LineFromAgent.self, bufferingPolicy: .bufferingOldest(Self.mostUnheard))
        self.lines = lines
        program = AgentProgram(command, grace: grace) { line in
            if case .dropped = lines.yield(line) { false } else { true }
        }
        // In one task, so that what it says stays in order.
        Task { [voice] in
            for await line in stream { await voice.say(line) }
        }
    }

    deinit { lines.finish() }

    /// The number of the process that runs, if one does.
    var processID: Int32? { program.processID }

    /// Has the program do a work.
    public func perform(
        _ request: WorkRequest, _ context: AgentContext
    ) async throws -> WorkAnswer {
        let id = voice.begin(context)
        defer { voice.end(id) }
        return try await program.perform(request, as: id)
    }

    /// Tells the program a message, if it runs.
    public func receive(_ message: Message, _ context: AgentContext) async {
        voice.hears(message, context)
        _ = program.deliver(message)
    }

    /// Ends the process, so that the next work has a new one.
    public func restart() async { program.restart() }

    /// Ends the program and all that it started.
    public func leave() async {
        await program.end()
        lines.finish()
    }
}

/// Speaks for a program in its session.
private final class AgentVoice: Sendable {
    /// Messages whose senders may wait for the program's reply.
    private static let mostQuestions = 1_024

    private struct State {
        var lastID = 0
        /// Of the works that are being done.
        var works: [Int: AgentContext] = [:]
        /// Of the session, whatever is being done.
        var session: AgentContext?
        var questions: [MessageID: Message] = [:]
    }
    private let state = Mutex(State())

    /// A number for a work that begins.
    func begin(_ context: AgentContext) -> Int {
        state.withLock { state in
            state.lastID += 1
            state.works[state.lastID] = context
            state.session = context
            return state.lastID
        }
    }

    func end(_ id: Int) { state.withLock { $0.works[id] = nil } }

    func hears(_ message: Message, _ context: AgentContext) {
        state.withLock { state in
            if state.session == nil { state.session = context }
            // One that forgets to reply must not fill the memory; who waits for it gives up by itself.
            if state.questions.count >= Self.mostQuestions { state.questions = [:] }
            if message.wantsReply { state.questions[message.id] = message }
        }
    }

    /// What cannot be delivered is a dead letter; the program is not told.
    func say(_ line: LineFromAgent) async {
        let session = state.withLock { $0.session }
        switch line {
        case .heartbeat(let id): await state.withLock { $0.works[id] }?.heartbeat()
        case .send(let recipient, let payload): try? await session?.send(payload, to: recipient)
        case .tell(let payload): try? await session?.tellStrategy(payload)
        case .reply(let id, let payload):
            let question = state.withLock { $0.questions.removeValue(forKey: id) }
            if let question { await session?.reply(to: question, payload) }
        case .result, .badResult, .failed, .garbage: break  // The program's business.
        }
    }
}
