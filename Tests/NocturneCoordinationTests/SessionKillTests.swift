// SessionKillTests.swift — a session whose process is killed in the middle of it, again and again: what was finished
// stays finished, and the rest is done. Next: SessionLifeTests.swift.

import Glibc
import NocturneCore
import NocturneCoordination
import TestKit
import Testing

@Suite struct SessionKillTests {
    /// So many processes are killed; more if the environment says so.
    private static var rounds: Int {
        getenv("NOCTURNE_KILL_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 6
    }
    /// More than can be done before the last kill.
    private static var works: Int { 250 * rounds }

    @Test(.timeLimit(.minutes(10)))
    func `after kill -9, again and again, nothing that was finished is done again or lost`()
        async throws
    {
        let home = try TemporaryDirectory()
        var random = SeededGenerator(seed: 6)
        for _ in 0..<Self.rounds {
            let works = 20 + random.below(200)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = home.path as String, works = works as Int] in
                try await Victim(path).work(killedAfter: works)
            }
        }
        let finishedBefore = try journal(home.path).finished
        let outcome = try await Victim(home.path).work(killedAfter: nil)
        let (started, finished) = try journal(home.path)

        #expect(finishedBefore.count >= 20 * Self.rounds)
        #expect(finishedBefore.count < Self.works, "the kills came when all was done")
        #expect(outcome?.status == .completed)
        #expect(outcome?.value.array == (0..<Self.works).map { JSONValue($0 * 2) })
        #expect(Set(finished.map(\.work)).count == finished.count, "a work was finished twice")
        for (work, place) in finished {
            let again = started.contains { $0.work == work && $0.place > place }
            #expect(!again, "\(work) was finished and begun again")
        }
        // What was begun twice was under way at a kill.
        #expect(started.count <= Self.works + Self.rounds * Victim.hands)
    }

    /// Works that were begun and that were told to be finished, with the lines on which it stands.
    private func journal(
        _ directory: String
    ) throws -> (started: [(work: String, place: Int)], finished: [(work: String, place: Int)]) {
        let file = try #require(fopen(directory + "/journal", "r"))
        defer { fclose(file) }
        var started: [(String, Int)] = [], finished: [(String, Int)] = [], place = 0
        var line = [CChar](repeating: 0, count: 128)
        while fgets(&line, 128, file) != nil {
            let text = String(
                decoding: line.prefix { $0 > 32 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            place += 1
            if text.first == "s" {
                started.append((String(text.dropFirst()), place))
            } else {
                finished.append((String(text.dropFirst()), place))
            }
        }
        return (started, finished)
    }

    /// Works at one goal until it is killed; the next one goes on.
    private struct Victim: Sendable {
        static let hands = 4
        private let path: String
        private let journal: Int32

        init(_ path: String) {
            self.path = path
            journal = open(path + "/journal", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        }

        private func note(_ kind: String, _ work: WorkID) {
            let line = Array("\(kind)\(work)\n".utf8)
            _ = write(journal, line, line.count)
        }

        private var agent: ClosureAgent {
            ClosureAgent("a", concurrency: Self.hands) { request in
                note("s", request.work.id)
                try await Task.sleep(for: .microseconds(200))
                return JSONValue((request.work.payload["item"]?.int ?? 0) * 2)
            }
        }

        @discardableResult
        func work(killedAfter limit: Int?) async throws -> Outcome? {
            var configuration = AgentCoordinatorConfiguration(strategy: "parallel")
            configuration.sessionsPath = path
            let coordinator = AgentCoordinator(configuration: configuration)
            // In order with what follows: a handler of its own might be told later.
            let events = coordinator.events
            let listening = Task {
                var count = 0
                for await case .event(_, let event) in events {
                    if case .workCompleted(let end) = event {
                        note("f", end.work)
                        count += 1
                        if count == limit { kill(getpid(), SIGKILL) }
                    }
                    if case .ended = event { return }
                }
            }
            let agent = agent
            let (restored, failed) = await coordinator.restoreSessions { _, _ in agent }
            #expect(failed.isEmpty)
            // The process before may have been killed between any two of these.
            if restored.isEmpty { try await coordinator.createSession("s", goal: "double") }
            let session = try await coordinator.session("s")
            if session.agents.isEmpty { try await coordinator.addAgent(agent, to: "s") }
            if session.outcome == nil, session.state == "idle" {
                let items = (0..<SessionKillTests.works).map { JSONValue($0) }
                try await coordinator.execute(
                    "s", Goal("double", payload: ["items": .array(items)]))
            }
            let outcome = try await coordinator.outcome(of: "s")
            try await coordinator.end("s")
            await listening.value
            return outcome
        }
    }
}
