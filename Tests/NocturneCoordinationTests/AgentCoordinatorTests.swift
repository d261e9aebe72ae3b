// AgentCoordinatorTests.swift — the seed's coordinator in its spirit, with agents that run. Next:
// SessionCoreTests.swift.

import Glibc
import NocturneCore
import Synchronization
import TestKit
import Testing

@testable import NocturneCoordination

@Suite(.timeLimit(.minutes(1)))
struct AgentCoordinatorTests {
    private let goal = Goal("Analyze and refactor code", decompose: true)

    /// Works at whatever it is given.
    private static func worker(_ id: AgentID, role: Role = .worker) -> ClosureAgent {
        ClosureAgent(id, role: role) { request in
            switch request.work.kind {
            case .plan:
                Plan([
                    Subtask("analyze", text: "analyze"),
                    Subtask("refactor", text: "refactor", after: ["analyze"]),
                ]).json
            case .review: ReviewVerdict.accept.json
            default: .string("\(request.work.id) by \(id)")
            }
        }
    }

    @Test func `the seed's example of coordination`() async throws {
        let bus = EventBus()
        let coordinator = AgentCoordinator(
            configuration: AgentCoordinatorConfiguration(
                strategy: "hierarchical", maxAgents: 5, enableFaultTolerance: true), bus: bus)
        var events = coordinator.events.makeAsyncIterator()
        let session = try await coordinator.createSession(
            "code-review", goal: "Review and improve codebase")
        try await coordinator.addAgent(Self.worker("lead"), to: session.id, role: .leader)
        try await coordinator.addAgent(Self.worker("critic"), to: session.id, role: .reviewer)
        try await coordinator.addAgent(Self.worker("hand"), to: session.id, role: .worker)

        let outcome = try await coordinator.execute(session.id, goal)

        #expect(outcome.status == .completed)
        #expect(
            outcome.value == ["analyze": "analyze by hand", "refactor": "refactor by hand"])
        var names: [String] = []
        while names.last != "execution:completed", let delivery = await events.next() {
            if case .event(_, let event) = delivery { names.append(event.name) }
        }
        let expected = [
            "session:created", "agent:joined", "agent:started", "execution:started",
            "task:assigned", "task:completed", "execution:completed",
        ]
        #expect(Set(names).isSuperset(of: expected))
        try await coordinator.end(session.id)
        try await coordinator.end(session.id)
        #expect(try await coordinator.session(session.id).state == "ended")
    }

    @Test func `all methods of the seed are there, and all its events come`() async throws {
        let coordinator = AgentCoordinator()
        let names = Collected<String>()
        let events = coordinator.events
        let watching = Task {
            for await case .event(_, let event) in events {
                names.append(event.name)
                if case .ended = event { return }
            }
        }
        try await coordinator.createSession("s", goal: "g", strategy: "parallel")
        let bad = ClosureAgent("bad") { _ in throw WorkFailure(.refused, "no") }
        try await coordinator.addAgent(
            Self.worker("a"), to: "s", role: .worker, capabilities: [Capability("even", score: 1)])
        try await coordinator.addAgent(bad, to: "s", capabilities: [Capability("odd", score: 1)])
        try await coordinator.send("hello", from: "a", to: "bad", in: "s")
        try await coordinator.broadcast("all", in: "s")
        try await coordinator.pause("s")
        try await coordinator.resume("s")
        try await coordinator.execute("s", Goal("even one", requires: ["even"]))
        try await coordinator.execute("s", Goal("odd one", requires: ["odd"]))
        try await coordinator.removeAgent("bad", from: "s")
        try await coordinator.end("s")
        await watching.value
        let seed = [
            "session:created", "agent:joined", "agent:left", "task:assigned", "task:completed",
            "task:failed", "message:sent", "execution:started", "execution:completed",
        ]
        #expect(Set(names.all).isSuperset(of: seed))
    }

    @Test func `on the bus events have the seed's names and fields, and say their source`()
        async throws
    {
        let bus = EventBus()
        let coordinator = AgentCoordinator(bus: bus)
        let heard = bus.events(matching: "coordination/*")
        try await coordinator.createSession("s", goal: "g", strategy: "parallel")
        try await coordinator.addAgent(Self.worker("a"), to: "s")
        try await coordinator.execute("s", Goal("one"))
        var payloads: [String: JSONObject] = [:]
        for await case .event(let event) in heard {
            payloads[event.name] = event.payload
            if event.name == "execution:completed" { break }
        }
        #expect(payloads["task:assigned"]?["taskId"] == "goal")
        #expect(payloads["task:assigned"]?["agentId"] == "a")
        #expect(payloads["task:completed"]?["result"] == "goal by a")
        #expect(payloads["agent:task:completed"]?["duration"] != nil)
        #expect(payloads["agent:started"]?["id"] == "a")
        #expect(payloads.values.allSatisfy { $0["sessionId"] == "s" })
    }

    @Test func `a handler hears what its pattern means`() async throws {
        let coordinator = AgentCoordinator()
        let heard = Promise<SessionID>()
        let token = coordinator.on("agent:task:completed") { session, _ in heard.fulfill(session) }
        try await coordinator.createSession("s", goal: "g", strategy: "parallel")
        try await coordinator.addAgent(Self.worker("a"), to: "s")
        try await coordinator.execute("s", Goal("one"))
        #expect(await heard.value == "s")
        token.cancel()
    }

    @Test
    func `a strategy of one's own is registered by its name, and overrides the coordinator's`()
        async throws
    {
        struct Echo: Strategy {
            static let name = "echo"
            init(parameters: JSONValue) {}
            mutating func step(_ input: StrategyInput) -> [StrategyCommand] {
                guard case .started(let start) = input else { return [] }
                return [.finish(OutcomeProposal(.completed, value: start.goal.payload))]
            }
        }
        let coordinator = AgentCoordinator()
        try await coordinator.register(Echo.self)
        await #expect(throws: CoordinationError.strategyExists("echo")) {
            try await coordinator.register(Echo.self)
        }
        try await coordinator.createSession("s", goal: "g", strategy: "echo")
        try await coordinator.addAgent(Self.worker("a"), to: "s")
        #expect(try await coordinator.execute("s", Goal("g", payload: 42)).value == 42)
    }

    @Test func `who is not there is a typed error`() async throws {
        let coordinator = AgentCoordinator()
        await #expect(throws: CoordinationError.unknownSession("s")) {
            try await coordinator.execute("s", goal)
        }
        try await coordinator.createSession("s", goal: "g")
        await #expect(throws: CoordinationError.sessionExists("s")) {
            try await coordinator.createSession("s", goal: "g")
        }
        await #expect(throws: CoordinationError.noAgents("s")) {
            try await coordinator.execute("s", goal)
        }
        await #expect(throws: CoordinationError.unknownAgent("a", "s")) {
            try await coordinator.removeAgent("a", from: "s")
        }
        await #expect(throws: CoordinationError.self) {
            try await coordinator.createSession("t", goal: "g", strategy: "telepathy")
        }
        await #expect(throws: MessageError.unknownAgent("a")) {
            try await coordinator.send("hi", from: nil, to: "a", in: "s")
        }
    }

    @Test func `agents talk: to one, to all, and with an answer`() async throws {
        struct Talker: Agent {
            let descriptor: AgentDescriptor
            let heard: Promise<JSONValue>
            func perform(_ request: WorkRequest, _ context: AgentContext) async throws -> WorkAnswer
            {
                WorkAnswer(try await context.ask("what?", of: "b", within: .seconds(30)))
            }
            func receive(_ message: Message, _ context: AgentContext) async {
                if message.wantsReply {
                    await context.reply(to: message, "that")
                } else {
                    heard.fulfill(message.payload)
                }
            }
        }
        let coordinator = AgentCoordinator()
        try await coordinator.createSession("s", goal: "g", strategy: "parallel")
        let a = Talker(descriptor: AgentDescriptor("a"), heard: Promise())
        let b = Talker(descriptor: AgentDescriptor("b", role: .observer), heard: Promise())
        try await coordinator.addAgent(a, to: "s")
        try await coordinator.addAgent(b, to: "s")
        #expect(try await coordinator.execute("s", Goal("ask")).value == ["that"])
        try await coordinator.send("hello", from: "a", to: "b", in: "s")
        #expect(await b.heard.value == "hello")
        try await coordinator.broadcast("all", in: "s")
        #expect(await a.heard.value == "all")
    }

    @Test func `a pause returns when nothing is under way any more`() async throws {
        let coordinator = AgentCoordinator()
        let began = Promise<Void>(), goOn = Promise<Void>(), isOver = Mutex(false)
        try await coordinator.createSession("s", goal: "g", strategy: "parallel")
        let agent = ClosureAgent("a") { _ in
            began.fulfill(())
            await goOn.value
            isOver.withLock { $0 = true }
            return 1
        }
        try await coordinator.addAgent(agent, to: "s")
        async let outcome = coordinator.execute("s", Goal("g", payload: ["items": [1, 2]]))
        await began.value
        async let pause: Void = coordinator.pause("s")
        while try await coordinator.session("s").state != "paused" { await Task.yield() }
        goOn.fulfill(())
        try await pause
        #expect(isOver.withLock { $0 })
        #expect(try await coordinator.progress(of: "s")?.ended == 1)
        try await coordinator.resume("s")
        #expect(try await outcome.status == .completed)
    }

    @Test func `a work that is taken back is cancelled, and the end hands back what was finished`()
        async throws
    {
        let coordinator = AgentCoordinator()
        let began = Promise<Void>(), cancelled = Promise<Void>()
        try await coordinator.createSession("s", goal: "g", strategy: "parallel")
        let agent = ClosureAgent("a", concurrency: 2) { request in
            if request.work.payload["index"] == 0 { return "done" }
            began.fulfill(())
            await withTaskCancellationHandler {
                await cancelled.value
            } onCancel: {
                cancelled.fulfill(())
            }
            throw CancellationError()
        }
        try await coordinator.addAgent(agent, to: "s")
        async let outcome = coordinator.execute("s", Goal("g", payload: ["items": [1, 2]]))
        await began.value
        while try await coordinator.progress(of: "s")?.ended != 1 { await Task.yield() }
        let handedBack = try await coordinator.end("s", reason: "enough")
        await cancelled.value
        #expect(handedBack?.status == .cancelled && handedBack?.value == ["item/0": "done"])
        #expect(try await outcome == handedBack)
    }

    @Test func `what a work holds is released with its end, and the next one gets it`() async throws
    {
        let coordinator = AgentCoordinator()
        try await coordinator.createSession("s", goal: "g", strategy: "parallel")
        let file = try ResourceName("repo/a.swift")
        let agent = ClosureAgent(AgentDescriptor("a", concurrency: 4)) { request, context in
            let lease = try await context.resources.acquire(
                LeaseRequest(file, .exclusive, for: context.holder, patience: .seconds(30)))
            try context.resources.check(lease.id, allows: .exclusive, of: file)
            // A lost update, were it not for the lease.
            let count = context.resources.board["count"]?.value.int ?? 0
            await Task.yield()
            try context.resources.write(["count": JSONValue(count + 1)], by: "a")
            return WorkAnswer(JSONValue(lease.token))
        }
        try await coordinator.addAgent(agent, to: "s")
        let items = JSONValue.array((0..<20).map { JSONValue($0) })
        let outcome = try await coordinator.execute("s", Goal("g", payload: ["items": items]))
        #expect(outcome.status == .completed)
        #expect(Set(outcome.value.array?.compactMap(\.int) ?? []) == Set(1...20))
    }

    @Test func `a request gives up by itself, and permits come back`() async throws {
        let resources = SessionResources(clock: SystemClock())
        let name = try ResourceName("x")
        let held = try await resources.acquire(
            LeaseRequest(name, .exclusive, for: ResourceHolder("a")))
        let impatient = LeaseRequest(
            name, .shared, for: ResourceHolder("b"), patience: .milliseconds(5))
        await #expect(throws: ResourceError.self) { try await resources.acquire(impatient) }
        try resources.release(held.id)
        #expect(try await resources.acquire(impatient).token > held.token)

        try resources.defineSemaphore("model", permits: 1)
        let first = try await resources.acquire(of: "model", for: ResourceHolder("a"))
        async let second = resources.acquire(
            of: "model", for: ResourceHolder("b"), patience: .seconds(30))
        try resources.releasePermits(first.id)
        #expect(try await second.holder == ResourceHolder("b"))
    }

    @Test func `timeouts come by themselves`() async throws {
        let coordinator = AgentCoordinator()
        var policy = SessionPolicy()
        policy.workTimeout = .milliseconds(20)
        policy.attempts = 1
        try await coordinator.createSession("s", goal: "g", strategy: "parallel", policy: policy)
        let never = Promise<Void>()
        let agent = ClosureAgent("a") { _ in
            await withTaskCancellationHandler {
                await never.value
            } onCancel: {
                never.fulfill(())
            }
            throw CancellationError()
        }
        try await coordinator.addAgent(agent, to: "s")
        let outcome = try await coordinator.execute("s", Goal("g"))
        #expect(outcome.errors.map(\.failure.kind) == [.timedOut])
    }

    // MARK: - Logs

    private func coordinator(in path: String) -> AgentCoordinator {
        var configuration = AgentCoordinatorConfiguration()
        configuration.sessionsPath = path
        return AgentCoordinator(configuration: configuration)
    }

    @Test
    func `a session goes on where its log ends: what was done is not done again, the rest is`()
        async throws
    {
        let before = try TemporaryDirectory()
        let after = try TemporaryDirectory()
        let hangs = Promise<Void>(), never = Promise<Void>()
        let first = coordinator(in: before.path)
        try await first.createSession("s", goal: "g", strategy: "parallel")
        let agent = ClosureAgent("a", concurrency: 2) { request in
            if request.work.payload["index"] == 0 { return "before" }
            hangs.fulfill(())
            await never.value
            return "too late"
        }
        try await first.addAgent(agent, to: "s")
        async let lost = first.execute("s", Goal("g", payload: ["items": [1, 2]]))
        await hangs.value
        while try await first.progress(of: "s")?.ended != 1 { await Task.yield() }

        // The log as a process that was killed now would leave it.
        let log = SessionLogDirectory(path: before.path).path(of: "s")
        let copy = SessionLogDirectory(path: after.path).path(of: "s")
        try Self.copy(log, to: copy)
        let second = coordinator(in: after.path)
        let works = Mutex<[WorkID]>([])
        let again = ClosureAgent("a", concurrency: 2) { request in
            works.withLock { $0.append(request.work.id) }
            return "after"
        }
        let (restored, failed) = await second.restoreSessions { _, _ in again }
        #expect(restored == ["s"] && failed.isEmpty)
        let outcome = try #require(try await second.outcome(of: "s"))
        #expect(outcome.value == ["before", "after"])
        #expect(works.withLock { $0 } == ["item/1"])

        never.fulfill(())
        #expect(try await lost.value == ["before", "too late"])
    }

    @Test func `sessions that ended are not restored, and agents that are gone have left`()
        async throws
    {
        let before = try TemporaryDirectory()
        let after = try TemporaryDirectory()
        let first = coordinator(in: before.path)
        for id in ["over", "open"] as [SessionID] {
            try await first.createSession(id, goal: "g", strategy: "parallel")
            try await first.addAgent(Self.worker("a"), to: id)
            try await first.execute(id, Goal("g"))
            if id == "over" { try await first.end(id) }
            let log = try #require(SessionLogDirectory(path: before.path).log(of: id))
            // As if it was killed before it could mark the log.
            try Self.copy(log, to: SessionLogDirectory(path: after.path).path(of: id))
        }
        let second = coordinator(in: after.path)
        let (restored, failed) = await second.restoreSessions { _, _ in nil }
        #expect(restored == ["open"] && failed.isEmpty)
        let open = try await second.session("open")
        #expect(open.agents.isEmpty && open.outcome?.status == .completed)
        try await second.delete("over")
        await #expect(throws: CoordinationError.self) { try await second.delete("open") }
    }

    private static func copy(_ source: String, to target: String) throws {
        let input = open(source, O_RDONLY), output = open(target, O_WRONLY | O_CREAT, 0o600)
        defer {
            close(input)
            close(output)
        }
        try #require(input >= 0 && output >= 0)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        let count = read(input, &buffer, buffer.count)
        try #require(count > 0 && write(output, buffer, count) == count)
    }
}
