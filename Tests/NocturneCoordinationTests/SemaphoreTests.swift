// SemaphoreTests.swift — so many at once, in the order of asking. Next: MailboxTests.swift.

import NocturneCoordination
import Testing

@Suite struct SemaphoreTests {
    private func acquire(
        _ semaphores: inout Semaphores, _ permits: Int, _ agent: AgentID, lifetime: Int = 60,
        patience: Int = 600, at now: Int = 0
    ) throws -> PermitAnswer {
        try semaphores.acquire(
            "calls", permits: permits, for: ResourceHolder(agent), lifetime: .seconds(lifetime),
            patience: .seconds(patience), at: .seconds(now))
    }

    @Test func `who wants many is not passed by those who want few`() throws {
        var semaphores = Semaphores()
        try semaphores.define("calls", permits: 4)
        guard case .granted(let first) = try acquire(&semaphores, 3, "a") else {
            Issue.record("they are free")
            return
        }
        let many = try acquire(&semaphores, 4, "b")
        let few = try acquire(&semaphores, 1, "c")
        #expect(semaphores.free("calls") == 1, "one is free, but it is b's turn")
        #expect(throws: ResourceError.busy("calls", holders: [ResourceHolder("a")])) {
            try acquire(&semaphores, 1, "d", patience: 0)
        }
        let then = try semaphores.release(first.id, at: .seconds(1))
        guard case .granted(let second)? = then.first, then.count == 1 else {
            Issue.record("\(then)")
            return
        }
        #expect(many == .waiting(second.id) && second.permits == 4)
        let last = semaphores.releaseAll(of: ResourceHolder("b"), at: .seconds(2))
        guard case .granted(let third)? = last.first else {
            Issue.record("\(last)")
            return
        }
        #expect(few == .waiting(third.id))
        #expect(semaphores.free("calls") == 3)
    }

    @Test func `permits go back by themselves, and nobody waits longer than they want`() throws {
        var semaphores = Semaphores()
        try semaphores.define("calls", permits: 1)
        _ = try acquire(&semaphores, 1, "a", lifetime: 10)
        let impatient = try acquire(&semaphores, 1, "b", patience: 5)
        let patient = try acquire(&semaphores, 1, "c", patience: 50)
        #expect(semaphores.nextDeadline == .seconds(5))
        guard case .gaveUp(let id)? = semaphores.advance(to: .seconds(5)).first else {
            Issue.record("b gives up")
            return
        }
        #expect(impatient == .waiting(id))
        let events = semaphores.advance(to: .seconds(10))
        guard case .expired(let old)? = events.first, case .granted(let new)? = events.last else {
            Issue.record("\(events)")
            return
        }
        #expect(old.holder.agent == "a" && patient == .waiting(new.id))
        #expect(throws: ResourceError.leaseGone(old.id)) {
            try semaphores.release(old.id, at: .seconds(11))
        }
    }

    @Test func `what cannot be is refused`() throws {
        var semaphores = Semaphores()
        try semaphores.define("calls", permits: 2)
        #expect(throws: ResourceError.self) { try semaphores.define("calls", permits: 2) }
        #expect(throws: ResourceError.self) { try semaphores.define("none", permits: 0) }
        #expect(throws: ResourceError.self) { try acquire(&semaphores, 3, "a") }
        #expect(throws: ResourceError.unknownSemaphore("x")) {
            try semaphores.acquire("x", for: ResourceHolder("a"), lifetime: .seconds(1), at: .zero)
        }
    }

    /// Counted by hand: never more than there are, none lost, and who asked first has them first.
    @Test func `random schedules never give more than there are, nor pass anyone`() throws {
        for seed in 0..<100 {
            var (semaphores, dice) = (Semaphores(), SeededGenerator(seed: UInt64(seed)))
            try semaphores.define("calls", permits: 5)
            var held: [LeaseID: Int] = [:]
            var queue: [(id: LeaseID, permits: Int)] = []
            for _ in 0..<60 {
                if dice.oneIn(2) {
                    let permits = 1 + dice.below(5)
                    switch try acquire(&semaphores, permits, "a") {
                    case .granted(let grant):
                        #expect(queue.isEmpty)
                        held[grant.id] = permits
                    case .waiting(let id): queue.append((id, permits))
                    }
                } else if let id = held.keys.sorted().randomElement(using: &dice) {
                    held[id] = nil
                    for case .granted(let grant) in try semaphores.release(id, at: .zero) {
                        #expect(grant.id == queue.removeFirst().id)
                        held[grant.id] = grant.permits
                    }
                }
                let used = held.values.reduce(0, +)
                #expect(used <= 5 && semaphores.free("calls") == 5 - used)
                #expect(queue.first.map { $0.permits > 5 - used } ?? true)
            }
        }
    }
}
