// ProgramAgent.swift — a program as an agent of a session. Next: SubprocessAgent.swift.

internal import NocturneCore
internal import Synchronization

/// A program as an agent of a session: any language, any model behind it. It is started with its first work, ended when
/// it leaves.
///
/// One object serves one session.
public final class ProgramAgent: Agent {
    private struct State {
        /// What the program may do while it is at a work.
        var contexts: [Epoch: AgentContext] = [:]
        var latest: AgentContext?
    }
    private let state = Mutex(State())
    private let program = Mutex<SubprocessAgent?>(nil)
    private let command: AgentCommand

    /// What the session knows of it.
    public let descriptor: AgentDescriptor

    /// An agent that is a program which the operator allowed.
    public init(_ descriptor: AgentDescriptor, running command: AgentCommand) {
        self.descriptor = descriptor
        self.command = command
    }

    /// The number of its process, if it runs.
    package var processID: Int32? { program.withLock { $0?.processID } }

    /// Has the program do a work.
    public func perform(
        _ request: WorkRequest, _ context: AgentContext
    ) async throws -> WorkAnswer {
        let epoch = request.assignment.epoch
        state.withLock { state in
            state.contexts[epoch] = context
            state.latest = context
        }
        defer { state.withLock { $0.contexts[epoch] = nil } }
        return try await running().perform(request.assignment)
    }

    /// Tells the program; it is not started for that.
    public func receive(_ message: Message, _ context: AgentContext) async {
        state.withLock { $0.latest = context }
        _ = program.withLock { $0 }?.deliver(from: message.sender, message.payload)
    }

    /// Ends the program, by force if it does not end by itself.
    public func leave() async {
        await program.withLock { $0 }?.end()
        state.withLock { $0 = State() }
    }

    private func running() -> SubprocessAgent {
        program.withLock { program in
            if let program { return program }
            let hearing = SubprocessAgent.Hearing(
                heartbeat: { [weak self] epoch in
                    guard let context = self?.state.withLock({ $0.contexts[epoch] }) else { return }
                    Task { await context.heartbeat() }
                },
                message: { [weak self] recipient, payload in
                    guard let context = self?.state.withLock({ $0.latest }) else { return }
                    // Who did not get it is told as a dead letter.
                    Task { try? await context.send(payload, to: recipient) }
                })
            let made = SubprocessAgent(command, hearing: hearing)
            program = made
            return made
        }
    }
}
