// ResourceLeaseTests.swift — leases on paths: who has what, when, and what ends it. Next: SemaphoreTests.swift.

import NocturneCoordination
import Testing

@Suite struct ResourceLeaseTests {
    private static let second = Duration.seconds(1)

    private func request(
        _ name: String, _ mode: LeaseMode = .exclusive, _ agent: AgentID, patience: Int = 0,
        lifetime: Int = 60
    ) throws -> LeaseRequest {
        LeaseRequest(
            try ResourceName(name), mode, for: ResourceHolder(agent), lifetime: .seconds(lifetime),
            patience: .seconds(patience))
    }

    private func granted(_ result: (answer: LeaseAnswer, others: [LeaseEvent])) throws -> Lease {
        guard case .granted(let lease) = result.answer else {
            Issue.record("\(result)")
            throw ResourceError.leaseGone(LeaseID(0))
        }
        return lease
    }

    @Test(arguments: [
        ("repo/a", LeaseMode.exclusive, "repo/b", LeaseMode.exclusive, true),
        ("repo/a", .exclusive, "repo/a", .shared, false),
        ("repo/a", .shared, "repo/a", .shared, true),
        ("repo", .exclusive, "repo/a/b", .shared, false),
        ("repo/a/b", .exclusive, "repo", .shared, false),
        ("repo/a/b", .shared, "repo", .shared, true),
        ("repo/a/b", .shared, "repo", .exclusive, false),
        ("repo/a", .exclusive, "repo/ab", .exclusive, true),
        ("repo/", .exclusive, "repo", .exclusive, false),
    ])
    func `leases exclude each other on one path only`(
        first: String, firstMode: LeaseMode, second: String, secondMode: LeaseMode, together: Bool
    ) throws {
        var leases = ResourceLeases()
        _ = try granted(try leases.acquire(try request(first, firstMode, "a"), at: .zero))
        let other = try request(second, secondMode, "b")
        if together {
            _ = try granted(try leases.acquire(other, at: .zero))
        } else {
            #expect(
                throws: ResourceError.busy(other.name.description, holders: [ResourceHolder("a")])
            ) { try leases.acquire(other, at: .zero) }
        }
    }

    @Test(arguments: ["", "/", "a//b", "/a", "a/../b", ".", String(repeating: "a/", count: 65)])
    func `names that mean nothing, or the same as others, are refused`(name: String) {
        #expect(throws: ResourceError.self) { try ResourceName(name) }
    }

    @Test func `a deadlock is refused and its ring is named`() throws {
        var leases = ResourceLeases()
        for agent: AgentID in ["a", "b", "c"] {
            _ = try leases.acquire(try request("r/\(agent)", .exclusive, agent), at: .zero)
        }
        _ = try leases.acquire(try request("r/b", .shared, "a", patience: 9), at: .zero)
        _ = try leases.acquire(try request("r/c", .exclusive, "b", patience: 9), at: .zero)
        let last = try request("r/a", .exclusive, "c", patience: 9)
        let ring = ["c", "a", "b"].map { ResourceHolder(AgentID(stringLiteral: $0)) }
        let error = try #require(throws: ResourceError.self) {
            try leases.acquire(last, at: .zero)
        }
        #expect(error == .deadlock("r/a", ring: ring))
        #expect(error.description.contains("c → a → b → c"))
        #expect(leases.queue.count == 2, "the others wait on")
    }

    @Test func `who has a part may take more of it while somebody waits for the whole`() throws {
        var leases = ResourceLeases()
        let part = try granted(try leases.acquire(try request("r/a", .shared, "a"), at: .zero))
        _ = try leases.acquire(try request("r", .exclusive, "b", patience: 9), at: .zero)
        let more = try granted(try leases.acquire(try request("r/b", .shared, "a"), at: .zero))
        #expect(throws: ResourceError.busy("r/b", holders: [])) {
            try leases.acquire(try request("r/b", .shared, "c"), at: .zero)
        }
        #expect(try leases.release(part.id, at: .zero) == [])
        guard case .granted(let whole)? = try leases.release(more.id, at: .zero).first else {
            Issue.record("the one who waited has it now")
            return
        }
        #expect(whole.request.holder.agent == "b")
    }

    @Test func `a lease that is not renewed ends, and its token is refused and less than the next`()
        throws
    {
        var leases = ResourceLeases()
        let first = try granted(
            try leases.acquire(try request("r", .exclusive, "a", lifetime: 10), at: .zero))
        let second = try leases.acquire(try request("r", .exclusive, "b", patience: 60), at: .zero)
        try leases.renew(first.id, at: .seconds(9))
        #expect(leases.advance(to: .seconds(18)) == [])
        #expect(leases.nextDeadline == .seconds(19))
        let name = try ResourceName("r/file")
        try leases.check(first.id, allows: .exclusive, of: name, at: .seconds(18))
        #expect(throws: ResourceError.leaseGone(first.id)) {
            try leases.check(first.id, allows: .exclusive, of: name, at: .seconds(19))
        }
        let events = leases.advance(to: .seconds(19))
        guard case .expired(let old)? = events.first, case .granted(let new)? = events.last else {
            Issue.record("\(events)")
            return
        }
        #expect(old.id == first.id && second.answer == .waiting(new.id) && new.token > old.token)
        #expect(throws: ResourceError.leaseGone(first.id)) {
            try leases.renew(first.id, at: .seconds(19))
        }
        try leases.check(new.id, allows: .shared, of: name, at: .seconds(20))
        #expect(throws: ResourceError.notCovered(new.id, "other")) {
            try leases.check(
                new.id, allows: .shared, of: try ResourceName("other"), at: .seconds(20))
        }
    }

    @Test func `what a work holds ends with it, and an agent's works end with the agent`() throws {
        var leases = ResourceLeases()
        let (one, two) = (ResourceHolder("a", work: "1"), ResourceHolder("a", work: "2"))
        for (name, holder) in [("x", one), ("y", two), ("z", ResourceHolder("a"))] {
            _ = try leases.acquire(
                LeaseRequest(try ResourceName(name), .exclusive, for: holder), at: .zero)
        }
        #expect(leases.releaseAll(of: one, at: .zero) == [])
        #expect(leases.all.map(\.request.name.description) == ["y", "z"])
        _ = leases.releaseAll(of: ResourceHolder("a"), at: .zero)
        #expect(leases.all == [])
    }

    // MARK: - Against the naive model

    @Test func `random schedules go as in a naive model, and nobody waits for ever`() throws {
        var (granted, deadlocks) = (0, 0)
        for seed in 0..<250 {
            var run = LeaseSchedule(seed: UInt64(seed))
            for _ in 0..<60 { try run.step() }
            (granted, deadlocks) = (granted + run.granted, deadlocks + run.deadlocks)
            try run.drain()
        }
        #expect(granted > 500 && deadlocks > 50, "\(granted) granted, \(deadlocks) deadlocks")
    }
}

/// One random schedule on both.
private struct LeaseSchedule {
    private var dice: SeededGenerator
    private var leases = ResourceLeases()
    private var naive = NaiveLeases()
    private var now = Duration.zero
    private var lastID: Int64 = 0
    private(set) var granted = 0
    private(set) var deadlocks = 0
    private var lastToken: Int64 = 0

    private static let names = ["a", "a/x", "a/y", "a/x/1", "a/x/2", "b", "b/x"]
    private static let holders = (0..<5).map {
        ResourceHolder(AgentID(stringLiteral: "h\($0 / 2)"), work: $0 % 2 == 0 ? nil : "w")
    }

    init(seed: UInt64) { dice = SeededGenerator(seed: seed) }

    mutating func step() throws {
        switch dice.below(12) {
        case 0...6: try acquire()
        case 7, 8: try release()
        case 9:
            if let lease = leases.all.randomElement(using: &dice) {
                try leases.renew(lease.id, at: now)
                naive.renew(lease.id, at: now)
            }
        case 10 where dice.oneIn(3):
            let holder = Self.holders[dice.below(Self.holders.count)]
            func isTheirs(_ other: ResourceHolder) -> Bool {
                other == holder || (holder.work == nil && other.agent == holder.agent)
            }
            let events = leases.releaseAll(of: holder, at: now)
            expect(
                events,
                naive.remove(
                    held: { isTheirs($0.request.holder) }, waiting: { isTheirs($0.request.holder) },
                    at: now))
        default: advance(by: .seconds(1 + dice.below(4)))
        }
        compare()
    }

    private mutating func acquire() throws {
        let request = LeaseRequest(
            try ResourceName(Self.names[dice.below(Self.names.count)]),
            dice.oneIn(2) ? .shared : .exclusive,
            for: Self.holders[dice.below(Self.holders.count)],
            lifetime: .seconds(5 + dice.below(40)), patience: .seconds(dice.below(3) * 15))
        let expected = naive.acquire(LeaseID(lastID + 1), request, at: now)
        do throws(ResourceError) {
            let (answer, others) = try leases.acquire(request, at: now)
            switch answer {
            case .granted(let lease):
                #expect(expected == .granted && lease.id == LeaseID(lastID + 1))
                check(token: lease)
            case .waiting(let id): #expect(expected == .waiting && id == LeaseID(lastID + 1))
            }
            let now = now
            expect(
                others, naive.remove(held: { _ in false }, waiting: { _ in false }, at: now))
            lastID += 1
        } catch {
            switch error {
            case .busy: #expect(expected == .busy)
            case .deadlock(_, let ring):
                deadlocks += 1
                #expect(expected == .deadlock && ring.first == request.holder)
                #expect(naive.heldAgainst(request).contains(ring[1]))
                for (one, next) in zip(ring.dropFirst(), ring.dropFirst(2) + [request.holder]) {
                    #expect(
                        naive.waiting.contains {
                            $0.request.holder == one && naive.heldAgainst($0.request).contains(next)
                        })
                }
            default: #expect(expected == .waitsAlready, "\(error)")
            }
        }
    }

    private mutating func release() throws {
        let ids = leases.all.map(\.id) + leases.queue
        guard let id = ids.randomElement(using: &dice) else { return }
        let events = try leases.release(id, at: now)
        expect(
            events, naive.remove(held: { $0.id == id }, waiting: { $0.id == id }, at: now))
    }

    private mutating func advance(by time: Duration) {
        now += time
        let now = now
        let ends = naive.held.filter { $0.expires <= now }.map(\.id)
        let gone = naive.waiting.filter { $0.until <= now }.map(\.id)
        let events = leases.advance(to: now)
        let expired = events.compactMap {
            if case .expired(let lease) = $0 { lease.id } else { nil }
        }
        let gaveUp = events.compactMap { if case .gaveUp(let id) = $0 { id } else { nil } }
        #expect(expired.sorted() == ends.sorted())
        #expect(gaveUp == gone)
        expect(
            events,
            naive.remove(
                held: { ends.contains($0.id) }, waiting: { gone.contains($0.id) }, at: now))
    }

    private mutating func expect(_ events: [LeaseEvent], _ ids: [LeaseID]) {
        let leases = events.compactMap { if case .granted(let lease) = $0 { lease } else { nil } }
        #expect(leases.map(\.id) == ids)
        for lease in leases { check(token: lease) }
    }

    private mutating func check(token lease: Lease) {
        #expect(lease.token > lastToken)
        lastToken = lease.token
        granted += 1
    }

    private func compare() {
        #expect(leases.queue == naive.waiting.map(\.id))
        #expect(
            leases.all.map { NaiveLeases.Held(id: $0.id, request: $0.request, expires: $0.expires) }
                == naive.held.sorted { $0.id < $1.id })
        for one in naive.held {
            #expect(!naive.held.contains { NaiveLeases.excludes($0.request, one.request) })
        }
    }

    /// If all who do not wait give back what they have, again and again, everybody gets a turn.
    mutating func drain() throws {
        while !leases.queue.isEmpty {
            let waiting = Set(naive.waiting.map(\.request.holder))
            let done = leases.all.filter { !waiting.contains($0.request.holder) }
            guard !done.isEmpty else {
                Issue.record("all who hold something wait: \(naive)")
                return
            }
            for lease in done {
                let id = lease.id
                expect(
                    try leases.release(id, at: now),
                    naive.remove(held: { $0.id == id }, waiting: { _ in false }, at: now))
            }
        }
    }
}
