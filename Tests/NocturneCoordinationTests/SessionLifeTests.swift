// SessionLifeTests.swift — what is left of sessions: after their end, in their logs, after a kill. Next:
// SessionCoreTests.swift.

import Glibc
import NocturneCore
import Synchronization
import TestKit
import Testing

@testable import NocturneCoordination

@Suite(.timeLimit(.minutes(2))) struct SessionLifeTests {
    private static func coordinator(in path: String) -> AgentCoordinator {
        var configuration = AgentCoordinatorConfiguration(strategy: "parallel")
        configuration.sessionsPath = path
        return AgentCoordinator(configuration: configuration)
    }

    private static func worker(_ id: AgentID) -> ClosureAgent {
        ClosureAgent(id) { request in request.work.payload["item"] ?? .null }
    }

    // MARK: - After the end

    @Test func `ended sessions are known for a while, and then only by their logs`() async throws {
        let home = try TemporaryDirectory()
        let coordinator = Self.coordinator(in: home.path)
        for number in 0..<300 {
            let id = try SessionID("s\(number)")
            try await coordinator.createSession(id, goal: "g")
            try await coordinator.end(id)
        }
        let known = await coordinator.allSessions()
        #expect(known.count <= 200 && known.contains { $0.id == "s299" })
        #expect(SessionLogDirectory(path: home.path).items().allSatisfy { $0.isEnded })
        let history = try await coordinator.history(of: "s0")
        #expect(history.inputs.count == 1)
        await #expect(throws: CoordinationError.sessionExists("s0")) {
            try await coordinator.createSession("s0", goal: "another")
        }
        try await coordinator.delete("s0")
        try await coordinator.createSession("s0", goal: "another")
    }

    @Test func `a fork has the same past, and a future of its own`() async throws {
        let home = try TemporaryDirectory()
        let coordinator = Self.coordinator(in: home.path)
        try await coordinator.createSession("s", goal: "g")
        try await coordinator.addAgent(Self.worker("a"), to: "s")
        let items: JSONValue = ["items": [1, 2, 3]]
        let first = try await coordinator.execute("s", Goal("g", payload: items))
        try await coordinator.end("s")

        // Up to when the first work had ended: joining, the goal, one end.
        let count = try await coordinator.history(of: "s").inputs
            .firstIndex { if case .runEnded = $0.input { true } else { false } }
        let done = Mutex<[WorkID]>([])
        try await coordinator.fork("s", as: "t", upTo: try #require(count) + 1) { descriptor in
            ClosureAgent(descriptor) { request, _ in
                done.withLock { $0.append(request.work.id) }
                return WorkAnswer("other")
            }
        }
        let second = try #require(try await coordinator.outcome(of: "t"))
        #expect(first.value == [1, 2, 3])
        #expect(second.value == [1, "other", "other"])
        #expect(done.withLock { $0.sorted() } == ["item/1", "item/2"])
        await #expect(throws: CoordinationError.sessionExists("t")) {
            try await coordinator.fork("s", as: "t") { _ in nil }
        }
        await #expect(throws: CoordinationError.unknownSession("u")) {
            try await coordinator.fork("u", as: "v") { _ in nil }
        }
    }

    // MARK: - What the log holds

    @Test func `messages beyond the budget are refused before they are sent`() async throws {
        let coordinator = AgentCoordinator(
            configuration: AgentCoordinatorConfiguration(strategy: "parallel"))
        let heard = Collected<JSONValue>(), sent = Collected<String>()
        try await coordinator.createSession("s", goal: "g")
        try await coordinator.addAgent(Listener(heard), to: "s")
        try await coordinator.addAgent(
            ClosureAgent(AgentDescriptor("talker")) { _, context in
                for number in 0..<4 {
                    do {
                        try await context.send(JSONValue(number), to: .agent("listener"))
                    } catch {
                        sent.append("\(error)")
                    }
                }
                return WorkAnswer("said")
            }, to: "s")
        let outcome = try await coordinator.execute(
            "s", Goal("g", budget: Budget(messages: 2)))
        try await eventually("both that were allowed are heard") { heard.all.count == 2 }
        #expect(heard.all == [0, 1])
        #expect(sent.all.count == 2 && sent.all.allSatisfy { $0.contains("budget of messages") })
        #expect(outcome.usage.messages == 2)
    }

    @Test func `messages do not fill the log, and are counted all the same`() async throws {
        let home = try TemporaryDirectory()
        let coordinator = Self.coordinator(in: home.path)
        try await coordinator.createSession("s", goal: "g")
        try await coordinator.addAgent(Listener(Collected()), to: "s")
        try await coordinator.addAgent(
            ClosureAgent(AgentDescriptor("talker")) { _, context in
                for number in 0..<500 {
                    try await context.send(JSONValue(number), to: .agent("listener"))
                }
                return WorkAnswer("said")
            }, to: "s")
        let outcome = try await coordinator.execute("s", Goal("g"))
        #expect(outcome.usage.messages == 500)
        let history = try await coordinator.history(of: "s")
        #expect(history.inputs.count < 10)
    }

    // MARK: - Agents

    @Test func `one that is restarted gets its next work when it is ready`() async throws {
        var policy = SessionPolicy()
        policy.restartDelay = .milliseconds(1)
        policy.retryDelay = .milliseconds(1)
        let coordinator = AgentCoordinator()
        try await coordinator.createSession(
            "s", goal: "g", strategy: "parallel", policy: policy)
        let steps = Collected<String>()
        try await coordinator.addAgent(Crasher(steps), to: "s")
        let outcome = try await coordinator.execute("s", Goal("g"))
        #expect(outcome.value == ["well"])
        #expect(steps.all == ["work", "restarting", "restarted", "work"])
    }

    @Test func `a strategy that is gone fails the session that needs it, and replays without it`()
        async throws
    {
        let home = try TemporaryDirectory()
        let first = Self.coordinator(in: home.path)
        _ = await first.setRemoteStrategies(["guest"]) { request in
            // It asks for a work, and is gone when that is done.
            if request.number == 1 {
                return .stepped(state: .null, [.assign(Work("w", text: "w"))])
            }
            let isDone = request.inputs.contains { input in
                if case .workEnded = input { true } else { false }
            }
            return isDone ? .failed("gone") : .stepped(state: .null, [])
        }
        try await first.createSession("s", goal: "g", strategy: "guest")
        try await first.addAgent(Self.worker("a"), to: "s")
        let outcome = try await first.execute("s", Goal("g"))
        #expect(outcome.status == .failed(.strategyFailed))
        #expect(outcome.explanation.contains("gone"))
        #expect(outcome.works.map { $0.answer != nil } == [true], "what was done is handed back")
        let replayed = try await first.history(of: "s").replay(with: .builtIn)
        #expect(replayed.outcome == outcome)
    }

    /// Crashes at its first work, and takes a while to come back.
    private struct Crasher: Agent {
        let descriptor = AgentDescriptor("a")
        let steps: Collected<String>
        init(_ steps: Collected<String>) { self.steps = steps }

        func perform(_ request: WorkRequest, _ context: AgentContext) async throws -> WorkAnswer {
            steps.append("work")
            if request.attempt == 1 { throw WorkFailure(.crashed, "died") }
            return WorkAnswer("well")
        }
        func restart() async {
            steps.append("restarting")
            try? await Task.sleep(for: .milliseconds(20))
            steps.append("restarted")
        }
    }

    /// Hears, and works at nothing.
    private struct Listener: Agent {
        let descriptor = AgentDescriptor("listener", role: .observer)
        let heard: Collected<JSONValue>
        init(_ heard: Collected<JSONValue>) { self.heard = heard }

        func perform(_ request: WorkRequest, _ context: AgentContext) async throws -> WorkAnswer {
            throw WorkFailure(.refused, "it only listens")
        }
        func receive(_ message: Message, _ context: AgentContext) async {
            heard.append(message.payload)
        }
    }
}
