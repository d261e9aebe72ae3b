// SessionKillTests.swift — a session whose process is killed in the middle of it, again and again: what was finished stays
// finished, and the rest is done. Next: SessionLifeTests.swift.

import Glibc
import NocturneCore
import NocturneCoordination
import TestKit
import Testing

@Suite struct SessionKillTests {
    private static let works = 3_000
    /// So many processes are killed; more if the environment says so.
    private var rounds: Int {
        getenv("NOCTURNE_KILL_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 6
    }

    @Test(.timeLimit(.minutes(10)))
    func `after kill -9, again and again, nothing that was finished is done again or lost`()
        async throws
    {
        let home = try TemporaryDirectory()
        var random = SeededGenerator(seed: 6)
        for _ in 0..<rounds {
            let microseconds = 40_000 + random.below(60_000)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = home.path as String, microseconds = microseconds as Int] in
                try await Victim(path).work(killedAfter: microseconds)
            }
        }
        let finishedBefore = try journal(home.path).finished
        let outcome = try await Victim(home.path).work(killedAfter: nil)
        let (started, finished) = try journal(home.path)

        #expect(finishedBefore.count > 10, "the kills came before anything was done")
        #expect(finishedBefore.count < Self.works, "the kills came when all was done")
        #expect(outcome?.status == .completed)
        #expect(outcome?.value.array == (0..<Self.works).map { JSONValue($0 * 2) })
        #expect(Set(finished.map(\.work)).count == finished.count, "a work was finished twice")
        for (work, place) in finished {
            let again = started.contains { $0.work == work && $0.place > place }
            #expect(!again, "\(work) was finished and begun again")
        }
        // What was begun twice was under way at a kill.
        #expect(started.count <= Self.works + rounds * Victim.hands)
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
        func work(killedAfter microseconds: Int?) async throws -> Outcome? {
            var configuration = AgentCoordinatorConfiguration(strategy: "parallel")
            configuration.sessionsPath = path
            let coordinator = AgentCoordinator(configuration: configuration)
            // In order with what follows: a handler of its own might be told later.
            let events = coordinator.events
            let listening = Task {
                for await case .event(_, let event) in events {
                    if case .workCompleted(let end) = event { note("f", end.work) }
                    if case .ended = event { return }
                }
            }
            if let microseconds {
                Task {
                    try await Task.sleep(for: .microseconds(microseconds))
                    kill(getpid(), SIGKILL)
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
            if microseconds != nil { try await Task.sleep(for: .seconds(60)) }
            try await coordinator.end("s")
            await listening.value
            return outcome
        }
    }
}
