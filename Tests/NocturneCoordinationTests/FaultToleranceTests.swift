// FaultToleranceTests.swift — failures, silences, crashes, leavers, late results. Next: SessionCoreTests.swift.

import NocturneCore
import Testing

@testable import NocturneCoordination

struct FaultToleranceTests {
    private let one = Goal("one")

    private func items(_ count: Int) -> Goal {
        Goal("each", payload: ["items": .array((0..<count).map { JSONValue($0) })])
    }

    @Test func `a failed attempt is followed by another one, with somebody else, after a while`()
        throws
    {
        var session = try ScriptedSession("parallel", agents: agents("a", "b")) {
            ($0.attempt == 1 ? .failure(.failed) : .value("done"), .seconds(1))
        }
        #expect(try session.run(one)?.status == .completed)
        try #require(session.starts.count == 2)
        #expect(session.starts[0].agent != session.starts[1].agent)
        #expect(session.now == .milliseconds(2_200))
        #expect(session.starts[0].idempotencyKey == session.starts[1].idempotencyKey)
    }

    @Test func `attempts have an end, waits double, and the last failure is reported`() throws {
        var session = try ScriptedSession("parallel", agents: agents("a")) { _ in
            (.failure(.failed), .seconds(1))
        }
        let outcome = try #require(try session.run(one))
        #expect(outcome.status == .failed(.workFailed))
        #expect(outcome.works.first?.attempts == 3)
        // Three attempts of a second, 200 and 400 ms between them.
        #expect(session.now == .milliseconds(3_600))
    }

    @Test func `what an agent refuses for good is not tried again`() throws {
        var session = try ScriptedSession("parallel", agents: agents("a", "b")) { _ in
            (.failure(.refused), .seconds(1))
        }
        let outcome = try session.run(one)
        #expect(outcome?.works.first?.attempts == 1)
    }

    @Test func `without fault tolerance the first failure ends it, with what was finished`() throws
    {
        var session = try ScriptedSession(
            "parallel", agents: agents("a", "b", "c"), policy: { $0.isFaultTolerant = false }
        ) { assignment in
            let index = assignment.work.payload["index"]?.int ?? 0
            return (index == 1 ? .failure(.failed) : .value("done"), .seconds(1 + index))
        }
        let outcome = try #require(try session.run(items(3)))
        #expect(outcome.status == .failed(.workFailed))
        #expect(outcome.value == ["item/0": "done"])
        #expect(outcome.result(of: "item/0") == "done")
        #expect(outcome.works.map(\.result).last == .cancelled)
        #expect(session.starts.count == 3 && session.now == .seconds(2))
    }

    // MARK: - Leases, late results

    @Test
    func
        `a silent agent loses its work after two missed signs of life, and its late result is refused`()
        throws
    {
        let agents = [
            AgentDescriptor("quiet", heartbeat: .seconds(1)),
            AgentDescriptor("other", cost: 1),
        ]
        var session = try ScriptedSession("parallel", agents: agents) {
            $0.agent == "quiet" ? (.value("late"), .seconds(9)) : (.value("in time"), .seconds(20))
        }
        let outcome = try #require(try session.run(one))
        #expect(outcome.value == ["in time"])
        #expect(session.assignments == ["goal:quiet", "goal:other"])
        #expect(session.stops == [Epoch(1)])
        #expect(session.events.contains(.lateResultRefused("goal", by: "quiet", epoch: 1)))
        // Lost at 2 s, tried again 200 ms later.
        #expect(session.now == .milliseconds(22_200))
    }

    @Test func `signs of life keep a lease`() throws {
        var session = try ScriptedSession(
            "parallel", agents: [AgentDescriptor("a", heartbeat: .seconds(1))]
        ) { _ in (.value("done"), .seconds(10)) }
        for second in 1..<10 { session.at(.seconds(second), .heartbeat(Epoch(1))) }
        #expect(try session.run(one)?.status == .completed)
        #expect(session.starts.count == 1)
    }

    @Test func `an attempt that takes too long is stopped and made by somebody else`() throws {
        var session = try ScriptedSession(
            "parallel", agents: agents("a", "b"), policy: { $0.workTimeout = .seconds(5) }
        ) { $0.attempt == 1 ? (.silence, .zero) : (.value("done"), .seconds(1)) }
        #expect(try session.run(one)?.status == .completed)
        #expect(session.now == .milliseconds(6_200))
    }

    @Test func `a result that comes twice counts once`() throws {
        var session = try ScriptedSession("parallel", agents: agents("a")) { _ in
            (.value("done"), .seconds(1))
        }
        session.at(.seconds(1), .runEnded(Epoch(1), .answered(WorkAnswer("twin"))))
        let outcome = try session.run(items(2))
        #expect(outcome?.works.count == 2)
        let refused = session.events.count {
            if case .lateResultRefused = $0 { true } else { false }
        }
        #expect(refused == 1)
    }

    @Test func `an epoch that never was is ignored`() throws {
        var session = try ScriptedSession("parallel", agents: agents("a")) { _ in
            (.value("done"), .seconds(1))
        }
        try session.apply(.runEnded(Epoch(77), .answered(WorkAnswer("x"))))
        try session.apply(.heartbeat(Epoch(-1)))
        #expect(try session.run(one)?.status == .completed)
    }

    // MARK: - Leaving, crashing

    @Test func `the works of one who leaves go to others, and only then it is told`() throws {
        var session = try ScriptedSession("parallel", agents: agents("a", "b")) {
            $0.agent == "a" ? (.silence, .zero) : (.value("done"), .seconds(1))
        }
        session.at(.milliseconds(1_500), .removeAgent("a", reason: "home"))
        #expect(try session.run(items(2))?.status == .completed)
        let last = try #require(session.effects.lastIndex { $0.isStart })
        let stop = try #require(
            session.effects.firstIndex { if case .stop("a", _) = $0 { true } else { false } })
        let left = try #require(
            session.effects.firstIndex(of: .tell(.agentLeft("a", reason: "home"))))
        #expect(stop < last && last < left)
        // A leaver is nobody's failure: all of them are first attempts.
        #expect(session.starts.allSatisfy { $0.attempt == 1 })
    }

    @Test func `one who crashes is restarted, and one who crashes too often has to leave`() throws {
        var session = try ScriptedSession(
            "parallel", agents: agents("a"),
            policy: { policy in
                policy.attempts = 100
                policy.restarts = 2
            }
        ) { _ in (.failure(.crashed), .seconds(1)) }
        let outcome = try session.run(one)
        #expect(session.effects.count { $0 == .restart("a") } == 2)
        #expect(session.starts.count == 3)
        let reason = session.events.lazy.compactMap { event in
            if case .agentLeft("a", let reason) = event { reason } else { nil }
        }.first
        #expect(reason?.hasPrefix("it crashed more than 2 times") == true)
        #expect(outcome?.errors.map(\.failure.kind) == [.unassignable])
    }

    @Test func `one who fails again and again rests, then has one trial`() throws {
        var session = try ScriptedSession(
            "pipeline",
            [
                "stages": [["name": "only", "concurrency": 1, "attempts": 1]]
            ], agents: agents("a"),
            policy: { policy in
                policy.breakerThreshold = 3
                policy.breakerCooldown = .seconds(60)
            }
        ) { _ in (.failure(.failed), .seconds(1)) }
        try session.run(items(5))
        // Three failures, a minute, one trial, two minutes, one trial.
        #expect(session.now == .seconds(3 + 60 + 1 + 120 + 1))
        #expect(
            session.events.filter { if case .agentRested = $0 { true } else { false } } == [
                .agentRested("a", delay: .seconds(60)), .agentRested("a", delay: .seconds(120)),
                .agentRested("a", delay: .seconds(240)),
            ])
    }

    @Test func `when the leader leaves the next one leads`() throws {
        var session = try ScriptedSession(
            "hierarchical", agents: agents("boss", role: .leader) + agents("ann", "bob")
        ) { _ in (.value("done"), .seconds(2)) }
        session.at(.seconds(1), .removeAgent("boss", reason: "home"))
        #expect(try session.run(one)?.status == .completed)
        #expect(session.core.leader == "ann")
    }

    // MARK: - The process itself

    @Test func `what was under way when the process ended starts anew, what was done does not`()
        throws
    {
        var session = try ScriptedSession("parallel", agents: agents("a", "b")) { assignment in
            let index = assignment.work.payload["index"]?.int ?? 0
            return index == 0
                ? (.value("first"), .seconds(1))
                : assignment.epoch.number < 3 ? (.silence, .zero) : (.value("second"), .seconds(1))
        }
        session.at(.seconds(5), .interrupted)
        let outcome = try session.run(items(2))
        #expect(outcome?.value == ["first", "second"])
        #expect(session.starts.map(\.work.id) == ["item/0", "item/1", "item/1"])
        #expect(session.starts.map(\.epoch.number) == [1, 2, 3])
    }

    @Test func `a work that is under way whenever the process ends is not tried for ever`() throws {
        var session = try ScriptedSession("parallel", agents: agents("a")) { _ in (.silence, .zero)
        }
        for second in 1...5 { session.at(.seconds(second), .interrupted) }
        let outcome = try #require(try session.run(one))
        #expect(outcome.errors.map(\.failure.kind) == [.interrupted])
        #expect(session.now == .seconds(3))
    }
}
