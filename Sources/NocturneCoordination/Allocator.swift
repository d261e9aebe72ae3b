// Allocator.swift — which agent gets a work: by what it can do, how busy it is and how well it did so far.
// Next: SessionCore+Dispatch.swift.

/// Why an agent was given a work: what spoke for it.
public struct AllocationReason: Sendable, Hashable, CustomStringConvertible {
    /// How well it can do what is required, 0 … 1.
    public let fit: Double
    /// The part of its works that succeeded, with one success and one failure assumed.
    public let success: Double
    /// How many works it had before.
    public let works: Int
    /// What is added because so little is known of it (UCB1).
    public let exploration: Double
    /// The part of its hands that is busy.
    public let load: Double
    /// The next best who was free.
    public let runnerUp: AgentID?
    /// Whether there was no choice: the strategy named it.
    public let isNamed: Bool

    static let named = AllocationReason(
        fit: 1, success: 0, works: 0, exploration: 0, load: 0, runnerUp: nil, isNamed: true)

    /// In words.
    public var description: String {
        if isNamed { return "the strategy asked for it" }
        func show(_ value: Double) -> String {
            let hundredths = Int((value * 100).rounded())
            return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
        }
        let rest = runnerUp.map { "; next would be \($0)" } ?? "; nobody else was free"
        return "fit \(show(fit)), success \(show(success)) over \(works), exploration "
            + "\(show(exploration)), load \(show(load))\(rest)"
    }
}

/// Chooses agents for works. Equal rosters and works give equal choices.
enum Allocator {
    /// How much not knowing counts, in place of UCB1's own √2. The number of works that go to one who succeeds less
    /// often by a gap is bounded by c² · ln n / gap² (Auer, Cesa-Bianchi and Fischer 2002): of 200 works, 16 for a gap
    /// of 0.4 and 4 for one of 0.8, where √2 would allow 66 and 17.
    static let curiosity = 0.7
    /// What being fully busy costs, in success.
    static let loadWeight = 0.1
    /// What being the dearest costs, in success.
    static let costWeight = 0.1
    /// A work rather waits for the best than go to one who, even seen kindly, is worse by more than this.
    static let tolerance = 0.1
    /// How long a work that is next waits for somebody better, in works of theirs: one may be under way, and take
    /// longer than usual. After that it goes to whoever is free.
    static let patience = 2
    /// Agents that are compared for one work: in larger sessions a window of them, at a place that depends on the work.
    static let candidateLimit = 256

    enum Choice {
        case chosen(Int, AllocationReason)
        /// Somebody better is busy.
        case waitForBetter(meanDuration: Duration?)
        case nobodyFree
    }

    private struct Score {
        let total: Double
        let fit: Double
        let exploration: Double
        let tie: UInt64
    }

    /// Whether an agent can do what is demanded, now or later.
    static func canDo(
        _ demand: Demand, _ agent: AgentDescriptor, leader: AgentID?, isAvoidedToo: Bool = true
    ) -> Bool {
        switch demand.assignee {
        case .agent(let id): return agent.id == id && agent.role != .observer
        case .anyone: guard agent.role.takesWork else { return false }
        case .role(.leader): guard agent.id == leader else { return false }
        case .role(let role): guard agent.role == role, role != .observer else { return false }
        }
        return !demand.excluding.contains(agent.id)
            && (isAvoidedToo || !demand.avoiding.contains(agent.id))
            && demand.requires.allSatisfy { agent.score(of: $0) != nil }
    }

    /// Chooses one who is free.
    ///
    /// - Parameter mayWait: whether the work may wait for somebody better.
    static func choose(
        for work: WorkID, _ demand: Demand, from roster: Roster, leader: AgentID?, starts: Int,
        mayWait: Bool, seed: UInt64
    ) -> Choice {
        let othersCan =
            !demand.avoiding.isEmpty
            && roster.contains {
                canDo(demand, $0.descriptor, leader: leader, isAvoidedToo: false)
            }
        let hash = StableHash.of(work.description, seed: seed)
        var candidates: [Int] = []
        let first = roster.free.isEmpty ? 0 : Int(hash % UInt64(roster.free.count))
        for offset in 0..<min(roster.free.count, candidateLimit) {
            let place = roster.free[(first + offset) % roster.free.count]
            let agent = roster[place].descriptor
            if canDo(demand, agent, leader: leader, isAvoidedToo: !othersCan) {
                candidates.append(place)
            }
        }
        guard !candidates.isEmpty else { return .nobodyFree }

        let dearest = candidates.reduce(0) { max($0, roster[$1].descriptor.cost) }
        var best: (place: Int, score: Score)?
        var second: (place: Int, score: Score)?
        for place in candidates {
            let score = score(
                roster[place], demand, starts: starts, dearest: dearest, workHash: hash)
            if best.map({ isBetter(score, $0.score) }) ?? true {
                (best, second) = ((place, score), best)
            } else if second.map({ isBetter(score, $0.score) }) ?? true {
                second = (place, score)
            }
        }
        guard let best else { return .nobodyFree }
        if mayWait, roster.count <= candidateLimit {
            let better = busyBetter(
                than: best.score, demand, roster, leader: leader, othersCan: othersCan)
            if let better { return .waitForBetter(meanDuration: better.meanDuration) }
        }
        let record = roster[best.place]
        return .chosen(
            best.place,
            AllocationReason(
                fit: best.score.fit, success: record.successRate, works: record.started,
                exploration: best.score.exploration, load: load(record),
                runnerUp: second.map { roster[$0.place].descriptor.id }, isNamed: false))
    }

    private static func isBetter(_ left: Score, _ right: Score) -> Bool {
        left.total == right.total ? left.tie < right.tie : left.total > right.total
    }

    private static func score(
        _ agent: AgentRecord, _ demand: Demand, starts: Int, dearest: Double, workHash: UInt64
    ) -> Score {
        let fit = fit(agent.descriptor, demand)
        let exploration =
            curiosity * (logarithm(Double(starts + 1)) / Double(agent.started + 1)).squareRoot()
        let cost = dearest > 0 ? agent.descriptor.cost / dearest : 0
        return Score(
            total: fit * (agent.successRate + exploration) - loadWeight * load(agent)
                - costWeight * cost,
            fit: fit, exploration: exploration,
            tie: StableHash.of(agent.descriptor.id.description, seed: workHash))
    }

    /// A busy one of whom is known that it is better than the kindest view of `best`.
    private static func busyBetter(
        than best: Score, _ demand: Demand, _ roster: Roster, leader: AgentID?, othersCan: Bool
    ) -> AgentRecord? {
        roster.records.first { agent in
            agent.isPresent && !agent.isFree && agent.health == .well && agent.running > 0
                && canDo(demand, agent.descriptor, leader: leader, isAvoidedToo: !othersCan)
                && fit(agent.descriptor, demand) * agent.successRate > best.total + tolerance
        }
    }

    private static func load(_ agent: AgentRecord) -> Double {
        Double(agent.running) / Double(agent.descriptor.concurrency)
    }

    /// The mean of the scores of what is required; 1 if nothing is.
    static func fit(_ agent: AgentDescriptor, _ demand: Demand) -> Double {
        guard !demand.requires.isEmpty else { return 1 }
        let sum = demand.requires.reduce(0) { $0 + (agent.score(of: $1) ?? 0) }
        return sum / Double(demand.requires.count)
    }
}
