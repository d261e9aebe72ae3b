// CoordinationBench.swift — how many agents there can be, and how many that work at once. Next:
// CoordinationMessageBench.swift, CoordinationWorkBench.swift, CoordinationStepBench.swift.

import CLinux
import Glibc
import NocturneCoordination
import NocturneCore
import Synchronization

struct CoordinationBench {
    let isQuick: Bool
    /// What agents answer and say, in bytes: a short text, as of a model.
    private static let answerBytes = 200
    static let answer = JSONValue(String(repeating: "a", count: answerBytes))

    func run() async throws {
        // First, while nothing of this process was used and given back.
        try await registered()
        try await working()
        try await CoordinationMessageBench(isQuick: isQuick).run()
        try await CoordinationWorkBench(isQuick: isQuick).run()
        try await CoordinationStepBench(isQuick: isQuick).run()
        // They print rows of the same form, or why there are none.
        _ = system("Benchmarks/coordination/peers\(isQuick ? " --quick" : "")")
    }

    /// A coordinator with one session.
    static func coordinator(
        _ session: SessionID, strategy: String = "parallel", parameters: JSONValue = .null,
        agents: Int, log: String? = nil
    ) async throws -> AgentCoordinator {
        var configuration = AgentCoordinatorConfiguration(strategy: strategy, maxAgents: agents)
        configuration.sessionsPath = log
        let coordinator = AgentCoordinator(configuration: configuration)
        try await coordinator.createSession(session, goal: "bench", parameters: parameters)
        return coordinator
    }

    /// Names that differ, none of which is short enough to be kept within a word.
    static func names(_ count: Int) throws -> [AgentID] {
        try (0..<count).map { try AgentID("agent-number-\($0)-of-many") }
    }

    // MARK: - Many agents

    /// Agents that do nothing, with a name and two capabilities each: the time to add one and to remove one, and what
    /// the process grows by for each. Floor: the same agents in a dictionary.
    private func registered() async throws {
        let count = isQuick ? 10_000 : 100_000
        let names = try Self.names(count)
        let empty = Process.grownKilobytes(getpid())
        var start = clinux_now()
        var dictionary: [AgentID: any Agent] = [:]
        for name in names { dictionary[name] = try Self.idle(name) }
        let floor = Double(clinux_now() - start) / Double(count) / 1_000
        let before = Process.grownKilobytes(getpid())

        let session: SessionID = "many"
        let coordinator = try await Self.coordinator(session, agents: count)
        start = clinux_now()
        for name in names { try await coordinator.addAgent(try Self.idle(name), to: session) }
        let added = Double(clinux_now() - start) / Double(count) / 1_000
        let after = Process.grownKilobytes(getpid())
        withExtendedLifetime(dictionary) {}
        let row = "coordination.agents-\(count)"
        Bench.report("\(row).added", added, "us/agent", floor: floor)
        let bytes = 1_024 / Double(count)
        Bench.report(
            "\(row).memory", (after - before) * bytes, "B/agent", floor: (before - empty) * bytes)

        start = clinux_now()
        try await coordinator.end(session)
        let ended = Double(clinux_now() - start) / Double(count) / 1_000
        start = clinux_now()
        for name in names { dictionary[name] = nil }
        Bench.report(
            "\(row).ended", ended, "us/agent",
            floor: Double(clinux_now() - start) / Double(count) / 1_000)
    }

    private static func idle(_ name: AgentID) throws -> any Agent {
        ClosureAgent(
            name, capabilities: [try Capability("read", score: 0.5), try Capability("write")]
        ) { _ in answer }
    }

    // MARK: - Many at work

    /// Agents all of which are at a work at the same moment: until the last one has begun, and until all have ended
    /// after that. Floor: as many Swift tasks that meet in the same way.
    private func working() async throws {
        let count = isQuick ? 1_000 : 10_000
        let meeting = Meeting(count), bareMeeting = Meeting(count)
        let bare = await bareMeeting.times {
            await withTaskGroup { group in
                for _ in 0..<count { group.addTask { await bareMeeting.attend() } }
            }
        }
        let session: SessionID = "crowd"
        let coordinator = try await Self.coordinator(session, agents: count)
        for name in try Self.names(count) {
            let agent = ClosureAgent(name) { _ in
                await meeting.attend()
                return Self.answer
            }
            try await coordinator.addAgent(agent, to: session)
        }
        let items = JSONValue.array((0..<count).map { JSONValue($0) })
        let agents = try await meeting.times {
            let goal = Goal("meet", payload: ["items": items])
            let outcome = try await coordinator.execute(session, goal)
            guard outcome.status == .completed else { throw BenchError("\(outcome)") }
        }
        let row = "coordination.working-\(count)"
        Bench.report("\(row).begun", agents.begun, "ms", floor: bare.begun)
        Bench.report("\(row).done", agents.done, "ms", floor: bare.done)
        try await coordinator.end(session)
    }
}

/// Nobody goes before all have come.
private final class Meeting: Sendable {
    private let missing: Mutex<Int>
    /// When the last one came.
    private let complete = Promise<Int64>()

    init(_ count: Int) { missing = Mutex(count) }

    /// Comes, and waits for the others.
    func attend() async {
        let left = missing.withLock { missing in
            missing -= 1
            return missing
        }
        if left == 0 { complete.fulfill(clinux_now()) }
        _ = await complete.value
    }

    /// Milliseconds until all have come, and from then until `body` returns.
    func times(
        _ body: () async throws -> Void
    ) async rethrows -> (begun: Double, done: Double) {
        let start = clinux_now()
        try await body()
        let end = clinux_now()
        let met = complete.current ?? end
        return (Double(met - start) / 1e6, Double(end - met) / 1e6)
    }
}
