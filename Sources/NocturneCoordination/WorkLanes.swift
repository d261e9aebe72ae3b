// WorkLanes.swift — works that wait for an agent, those with the same demands behind each other. Next: Allocator.swift.

/// What a work demands of an agent.
struct Demand: Sendable, Hashable {
    let assignee: Assignee
    let requires: [String]
    let excluding: [AgentID]
    /// Those who failed at it: only if nobody else can do it.
    let avoiding: [AgentID]

    init(_ record: WorkRecord) {
        assignee = record.work.assignee
        if case .agent = assignee {
            (requires, excluding, avoiding) = ([], [], [])
        } else {
            requires = record.work.requires
            excluding = record.work.excluding
            avoiding = record.failedAgents
        }
    }
}

/// Works that wait, in lanes by what they demand; so an agent that becomes free looks at the first of each lane only.
struct WorkLanes: Sendable {
    struct Entry: Sendable {
        let work: Int
        let ticket: Int
    }
    struct Lane: Sendable {
        let demand: Demand
        var entries: [Entry] = []
        var first = 0
        /// Since when the first one is the first.
        var since = Duration.zero

        var isEmpty: Bool { first == entries.count }
    }

    private(set) var lanes: [Lane] = []
    private var index: [Demand: Int] = [:]
    private var free: [Int] = []
    /// Lanes of works that more than one agent may do.
    private(set) var open: [Int] = []
    private var nextTicket = 0

    /// Puts a work at the end of its lane.
    ///
    /// - Returns: the lane, and the number of the place.
    mutating func append(_ work: Int, _ demand: Demand, at now: Duration) -> (
        lane: Int, ticket: Int
    ) {
        nextTicket += 1
        let lane = index[demand] ?? add(demand)
        if lanes[lane].isEmpty { lanes[lane].since = now }
        lanes[lane].entries.append(Entry(work: work, ticket: nextTicket))
        return (lane, nextTicket)
    }

    /// The lane of works that only one agent may do.
    func lane(of agent: AgentID) -> Int? {
        index[Demand(agent)]
    }

    /// The lanes of works that more than one agent may do, that which waits longest first.
    var openByAge: [Int] {
        open.count < 2 ? open : open.sorted { (head($0)?.ticket ?? 0) < (head($1)?.ticket ?? 0) }
    }

    /// The lanes in which something waits.
    var filled: [Int] { lanes.indices.filter { !lanes[$0].isEmpty } }

    /// The first of a lane; `nil` if it is empty or not there.
    func head(_ lane: Int) -> Entry? {
        guard lanes.indices.contains(lane), !lanes[lane].isEmpty else { return nil }
        return lanes[lane].entries[lanes[lane].first]
    }

    mutating func removeHead(_ lane: Int, at now: Duration) {
        lanes[lane].first += 1
        lanes[lane].since = now
        if lanes[lane].isEmpty {
            remove(lane)
        } else if lanes[lane].first >= 64, lanes[lane].first * 2 > lanes[lane].entries.count {
            lanes[lane].entries.removeFirst(lanes[lane].first)
            lanes[lane].first = 0
        }
    }

    private mutating func add(_ demand: Demand) -> Int {
        let lane: Int
        if let last = free.popLast() {
            lane = last
            lanes[lane] = Lane(demand: demand)
        } else {
            lane = lanes.count
            lanes.append(Lane(demand: demand))
        }
        index[demand] = lane
        if demand.isOpen { open.append(lane) }
        return lane
    }

    private mutating func remove(_ lane: Int) {
        index[lanes[lane].demand] = nil
        if lanes[lane].demand.isOpen { open.removeAll { $0 == lane } }
        lanes[lane] = Lane(demand: lanes[lane].demand)
        free.append(lane)
    }
}

extension Demand {
    fileprivate init(_ agent: AgentID) {
        (assignee, requires, excluding, avoiding) = (.agent(agent), [], [], [])
    }

    var isOpen: Bool { if case .agent = assignee { false } else { true } }
}
