// ResourceLeases.swift — who may use what for how long: shared or alone, in the order of asking, with tokens that tell
// a late holder from the present one. Next: LeaseTree.swift.

/// The name of a lease and of the request for it.
public struct LeaseID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Greater for what was asked for later.
    public let number: Int64

    /// A lease by its number.
    public init(_ number: Int64) { self.number = number }

    /// The number in decimal.
    public var description: String { "\(number)" }

    /// The order of asking.
    public static func < (left: LeaseID, right: LeaseID) -> Bool { left.number < right.number }
}

/// What is asked for.
public struct LeaseRequest: Sendable, Hashable {
    /// What to have.
    public var name: ResourceName
    /// How.
    public var mode: LeaseMode
    /// Who wants it.
    public var holder: ResourceHolder
    /// How long to have it, unless it is renewed.
    public var lifetime: Duration
    /// How long to wait for it; zero: not at all.
    public var patience: Duration

    /// A request for a lease.
    public init(
        _ name: ResourceName, _ mode: LeaseMode, for holder: ResourceHolder,
        lifetime: Duration = .seconds(60), patience: Duration = .zero
    ) {
        (self.name, self.mode, self.holder) = (name, mode, holder)
        (self.lifetime, self.patience) = (lifetime, patience)
    }
}

/// A lease that somebody has.
public struct Lease: Sendable, Hashable {
    /// Its name, which was the request's.
    public let id: LeaseID
    /// Its fencing token: greater than those of all leases that were granted before. Whoever stores something for its
    /// holder can refuse tokens less than the greatest it has seen.
    public let token: Int64
    /// What was asked for.
    public let request: LeaseRequest
    /// When it ends by itself.
    public internal(set) var expires: Duration
}

/// What happened to leases and requests by itself or by what others did.
public enum LeaseEvent: Sendable, Hashable {
    /// A request that waited was granted.
    case granted(Lease)
    /// A request waited as long as it wanted to.
    case gaveUp(LeaseID)
    /// A lease ended because it was not renewed.
    case expired(Lease)
}

/// What a request comes to at once.
public enum LeaseAnswer: Sendable, Hashable {
    /// It is granted.
    case granted(Lease)
    /// It waits. An event tells what becomes of it.
    case waiting(LeaseID)
}

/// The leases of one session. Pure: it knows no clock, so times come with each call and never go back.
///
/// Two leases of different holders exclude each other if one name is the other or above it, and one is exclusive. A
/// request waits for leases that exclude it, and behind earlier requests that do; but not behind those that wait, by
/// themselves or through others, for its own holder, so that the order of asking alone never makes a deadlock. A holder
/// that waits asks for nothing else, so that a deadlock can begin only when somebody begins to wait.
public struct ResourceLeases: Sendable {
    private struct Waiting: Sendable {
        let id: LeaseID
        let request: LeaseRequest
        let until: Duration
    }

    /// Leases that there may be at once.
    public static let mostLeases = 10_000
    /// Requests that may wait at once. Each release looks at all pairs of them.
    public static let mostWaiting = 1_000
    /// A lease may have such a lifetime.
    public static let lifetimes = Duration.milliseconds(1)...Duration.seconds(86_400)

    private var leases: [LeaseID: Lease] = [:]
    private var tree = LeaseTree()
    private var waiting: [Waiting] = []
    private var lastID: Int64 = 0
    private var lastToken: Int64 = 0
    /// No lease expires and no request gives up before.
    private var quietUntil = Duration.zero

    /// Without any lease.
    public init() {}

    /// All leases, the oldest first.
    public var all: [Lease] { leases.values.sorted { $0.id < $1.id } }

    /// Requests that wait, in their order.
    public var queue: [LeaseID] { waiting.map(\.id) }

    /// When ``advance(to:)`` has something to do, unless something happens before.
    public var nextDeadline: Duration? {
        (leases.values.map(\.expires) + waiting.map(\.until)).min()
    }

    // MARK: - Asking

    /// Asks for a lease. ``advance(to:)`` must have been called for `now`.
    ///
    /// - Returns: what becomes of it, and what others are granted: those who had to stay behind somebody who now waits,
    ///   through this request, for them.
    /// - Throws: ``ResourceError/busy(_:holders:)`` if it is not free and the request does not wait,
    ///   ``ResourceError/deadlock(_:ring:)`` if waiting would never end.
    public mutating func acquire(
        _ request: LeaseRequest, at now: Duration
    ) throws(ResourceError) -> (answer: LeaseAnswer, others: [LeaseEvent]) {
        guard Self.lifetimes.contains(request.lifetime), request.patience >= .zero else {
            throw .invalid(
                "a lease for \(request.lifetime)",
                "\(Self.lifetimes.lowerBound) to \(Self.lifetimes.upperBound) are, and to wait for no less than nothing"
            )
        }
        guard leases.count < Self.mostLeases else { throw .full("leases", limit: Self.mostLeases) }
        guard !waiting.contains(where: { $0.request.holder == request.holder }) else {
            throw .invalid("a request of \(request.holder), which waits for another", "none is")
        }
        let held = tree.holders(against: request)
        let isFree = tree.allows(request) || (held.isEmpty && !queues(request, at: waiting.count))
        if !isFree { try checkWait(request, for: held) }
        lastID += 1
        let id = LeaseID(lastID)
        if isFree { return (.granted(grant(id, request, at: now)), []) }
        let until = now + request.patience
        waiting.append(Waiting(id: id, request: request, until: until))
        quietUntil = min(quietUntil, until)
        return (.waiting(id), grantWaiting(at: now))
    }

    /// Throws if a request that is not free cannot wait.
    private func checkWait(
        _ request: LeaseRequest, for held: [ResourceHolder]
    ) throws(ResourceError) {
        let name = request.name.description
        guard request.patience > .zero else { throw .busy(name, holders: held) }
        if let ring = ring(from: request.holder, through: held) {
            throw .deadlock(name, ring: ring)
        }
        guard waiting.count < Self.mostWaiting else {
            throw .full("waiting requests", limit: Self.mostWaiting)
        }
    }

    /// Lets a lease last for its lifetime from now on.
    public mutating func renew(_ id: LeaseID, at now: Duration) throws(ResourceError) {
        guard var lease = leases[id], lease.expires > now else { throw .leaseGone(id) }
        lease.expires = now + lease.request.lifetime
        leases[id] = lease
    }

    /// Ends a lease, or a request that waits.
    public mutating func release(
        _ id: LeaseID, at now: Duration
    ) throws(ResourceError) -> [LeaseEvent] {
        if remove(id) == nil {
            guard let index = waiting.firstIndex(where: { $0.id == id }) else {
                throw .leaseGone(id)
            }
            waiting.remove(at: index)
        }
        return grantWaiting(at: now)
    }

    /// Ends all that a work has and wants, or an agent with all its works.
    public mutating func releaseAll(of holder: ResourceHolder, at now: Duration) -> [LeaseEvent] {
        func isTheirs(_ other: ResourceHolder) -> Bool {
            other == holder || (holder.work == nil && other.agent == holder.agent)
        }
        for lease in all where isTheirs(lease.request.holder) { _ = remove(lease.id) }
        waiting.removeAll { isTheirs($0.request.holder) }
        return grantWaiting(at: now)
    }

    /// Ends what has expired until now and lets those in who waited for it.
    public mutating func advance(to now: Duration) -> [LeaseEvent] {
        guard now >= quietUntil else { return [] }
        let expired = all.filter { $0.expires <= now }
        for lease in expired { _ = remove(lease.id) }
        let patient = waiting.filter { $0.until > now }
        let gaveUp = waiting.filter { $0.until <= now }.map { LeaseEvent.gaveUp($0.id) }
        waiting = patient
        let events = expired.map { LeaseEvent.expired($0) } + gaveUp
        let granted = events.isEmpty ? [] : grantWaiting(at: now)
        quietUntil = nextDeadline ?? now
        return events + granted
    }

    /// Whether a lease still allows something: to be asked where the effect happens, and not before.
    ///
    /// - Throws: ``ResourceError/leaseGone(_:)`` or ``ResourceError/notCovered(_:_:)``.
    public func check(
        _ id: LeaseID, allows mode: LeaseMode, of name: ResourceName, at now: Duration
    ) throws(ResourceError) {
        guard let lease = leases[id], lease.expires > now else { throw .leaseGone(id) }
        guard lease.request.name.covers(name),
            mode == .shared || lease.request.mode == .exclusive
        else { throw .notCovered(id, name.description) }
    }

    // MARK: - Granting

    private mutating func grant(
        _ id: LeaseID, _ request: LeaseRequest, at now: Duration
    ) -> Lease {
        lastToken += 1
        let lease = Lease(
            id: id, token: lastToken, request: request, expires: now + request.lifetime)
        leases[id] = lease
        tree.add(request)
        quietUntil = min(quietUntil, lease.expires)
        return lease
    }

    private mutating func remove(_ id: LeaseID) -> Lease? {
        guard let lease = leases.removeValue(forKey: id) else { return nil }
        tree.remove(lease.request)
        return lease
    }

    private mutating func grantWaiting(at now: Duration) -> [LeaseEvent] {
        var events: [LeaseEvent] = []
        var index = 0
        while index < waiting.count {
            let next = waiting[index]
            let isFree = tree.isFree(next.request) && !queues(next.request, at: index)
            if isFree || tree.allows(next.request) {
                waiting.remove(at: index)
                events.append(.granted(grant(next.id, next.request, at: now)))
            } else {
                index += 1
            }
        }
        return events
    }

    /// Whether a request at that place of the queue must stay behind an earlier one.
    private func queues(_ request: LeaseRequest, at place: Int) -> Bool {
        let ahead = waiting[..<place].filter { $0.request.excludes(request) }
        if ahead.isEmpty { return false }
        let behind = waiters(for: request.holder)
        return ahead.contains { !behind.contains($0.request.holder) }
    }

    // MARK: - Who waits for whom

    /// Those who wait for a holder, by themselves or through others, with the queue's order taken strictly.
    private func waiters(for holder: ResourceHolder) -> Set<ResourceHolder> {
        var found: Set = [holder]
        var rest = Array(waiting.indices)
        while true {
            let left = rest.filter { index in
                let request = waiting[index].request
                return !found.contains(request.holder)
                    && found.isDisjoint(with: tree.holders(against: request))
                    && !waiting[..<index].contains {
                        found.contains($0.request.holder) && $0.request.excludes(request)
                    }
            }
            if left.count == rest.count { return found.subtracting([holder]) }
            for index in Set(rest).subtracting(left) { found.insert(waiting[index].request.holder) }
            rest = left
        }
    }

    /// The ring that closes when `first` waits for those who hold something now, if one does: each waits for the next.
    private func ring(
        from first: ResourceHolder, through held: [ResourceHolder]
    ) -> [ResourceHolder]? {
        var path: [ResourceHolder: ResourceHolder] = [:]
        var rest = held.map { (holder: $0, from: first) }
        while let (holder, from) = rest.popLast() {
            if holder == first {
                var ring = [from]
                while let last = ring.last, last != first, let before = path[last] {
                    ring.append(before)
                }
                return ring.reversed()
            }
            guard path[holder] == nil else { continue }
            path[holder] = from
            for waiter in waiting where waiter.request.holder == holder {
                rest += tree.holders(against: waiter.request).map { ($0, holder) }
            }
        }
        return nil
    }
}

extension LeaseRequest {
    /// Whether both cannot be granted together.
    fileprivate func excludes(_ other: LeaseRequest) -> Bool {
        holder != other.holder && (mode == .exclusive || other.mode == .exclusive)
            && (name.covers(other.name) || other.name.covers(name))
    }
}
