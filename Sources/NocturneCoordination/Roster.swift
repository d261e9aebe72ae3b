// Roster.swift — the agents of a session, and who of them has a hand free. Next: WorkLanes.swift.

/// The agents of a session. Each keeps its place, so that works may refer to it by that, also after it left.
struct Roster: Sendable {
    private(set) var records: [AgentRecord] = []
    private var places: [AgentID: Int] = [:]
    private var joins = 0
    /// Places of those who are free, in no order that means anything, but always the same one.
    private(set) var free: [Int] = []
    private var freePlaces: [Int: Int] = [:]
    private(set) var count = 0

    subscript(place: Int) -> AgentRecord { records[place] }

    /// The place of one who is in the session.
    func place(of agent: AgentID) -> Int? {
        places[agent].flatMap { records[$0].isPresent ? $0 : nil }
    }

    /// Those who are in the session, in the order in which they joined.
    var present: [AgentDescriptor] {
        records.filter(\.isPresent).sorted { $0.joined < $1.joined }.map(\.descriptor)
    }

    /// Whether one of those who are in the session is meant.
    func contains(where isMeant: (AgentRecord) -> Bool) -> Bool {
        records.contains { $0.isPresent && isMeant($0) }
    }

    mutating func add(_ descriptor: AgentDescriptor) -> Int {
        joins += 1
        count += 1
        let place: Int
        if let old = places[descriptor.id] {
            place = old
            records[place].rejoined(as: descriptor, joined: joins)
        } else {
            place = records.count
            records.append(AgentRecord(descriptor, joined: joins))
            places[descriptor.id] = place
        }
        refresh(place)
        return place
    }

    mutating func remove(_ place: Int) {
        records[place].isPresent = false
        count -= 1
        refresh(place)
    }

    /// Changes what is known of an agent.
    mutating func update<T>(_ place: Int, _ change: (inout AgentRecord) -> T) -> T {
        let result = change(&records[place])
        refresh(place)
        return result
    }

    private mutating func refresh(_ place: Int) {
        let position = freePlaces[place]
        if records[place].isFree {
            guard position == nil else { return }
            freePlaces[place] = free.count
            free.append(place)
        } else if let position, let last = free.popLast() {
            freePlaces[place] = nil
            guard last != place else { return }
            free[position] = last
            freePlaces[last] = position
        }
    }
}
