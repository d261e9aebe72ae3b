// Semaphores.swift — so many at once and no more: calls to a provider, for example. In the order of asking. Next:
// Messages.swift.

/// Permits that somebody has.
public struct PermitGrant: Sendable, Hashable {
    /// The name of the grant and of the request for it.
    public let id: LeaseID
    /// Of which semaphore.
    public let semaphore: String
    /// How many.
    public let permits: Int
    /// Who has them.
    public let holder: ResourceHolder
    /// When they go back by themselves.
    public let expires: Duration
}

/// What happened to permits by itself or by what others did.
public enum PermitEvent: Sendable, Hashable {
    /// A request that waited was granted.
    case granted(PermitGrant)
    /// A request waited as long as it wanted to.
    case gaveUp(LeaseID)
    /// Permits went back because their time was over.
    case expired(PermitGrant)
}

/// What a request for permits comes to at once.
public enum PermitAnswer: Sendable, Hashable {
    /// It is granted.
    case granted(PermitGrant)
    /// It waits. An event tells what becomes of it.
    case waiting(LeaseID)
}

/// The counting semaphores of one session. Pure, as ``ResourceLeases`` is.
///
/// A request waits behind all earlier ones of its semaphore, also if fewer permits would do for it: so one that wants
/// many is not passed for ever.
public struct Semaphores: Sendable {
    private struct Waiting: Sendable {
        let id: LeaseID
        let permits: Int
        let holder: ResourceHolder
        let lifetime: Duration
        let until: Duration
    }

    private struct Semaphore: Sendable {
        let permits: Int
        var free: Int
        var waiting: [Waiting] = []
    }

    /// Semaphores that there may be.
    public static let mostSemaphores = 1_000
    /// Permits of one of them.
    public static let mostPermits = 1_000_000
    /// Requests that may wait for one of them.
    public static let mostWaiting = 10_000

    private var semaphores: [String: Semaphore] = [:]
    private var grants: [LeaseID: PermitGrant] = [:]
    private var lastID: Int64 = 0

    /// Without any.
    public init() {}

    /// How many permits of a semaphore nobody has; `nil` if there is none of that name.
    public func free(_ name: String) -> Int? { semaphores[name]?.free }

    /// When ``advance(to:)`` has something to do, unless something happens before.
    public var nextDeadline: Duration? {
        let waiting = semaphores.values.flatMap { $0.waiting.map(\.until) }
        return (waiting + grants.values.map(\.expires)).min()
    }

    /// Sets up a semaphore.
    ///
    /// - Throws: ``ResourceError/invalid(_:_:)`` if there is one of that name, or `permits` is out of range.
    public mutating func define(_ name: String, permits: Int) throws(ResourceError) {
        guard (1...Self.mostPermits).contains(permits) else {
            throw .invalid("a semaphore of \(permits) permits", "1 to \(Self.mostPermits) are")
        }
        guard semaphores[name] == nil else {
            throw .invalid("a second semaphore \(name)", "there is one already")
        }
        guard semaphores.count < Self.mostSemaphores else {
            throw .full("semaphores", limit: Self.mostSemaphores)
        }
        semaphores[name] = Semaphore(permits: permits, free: permits)
    }

    /// Asks for permits, to have them for `lifetime` at most, and to wait for them no longer than `patience`.
    public mutating func acquire(
        _ name: String, permits: Int = 1, for holder: ResourceHolder, lifetime: Duration,
        patience: Duration = .zero, at now: Duration
    ) throws(ResourceError) -> PermitAnswer {
        guard let semaphore = semaphores[name] else { throw .unknownSemaphore(name) }
        guard (1...semaphore.permits).contains(permits) else {
            throw .invalid("\(permits) permits of \(name)", "1 to \(semaphore.permits) are")
        }
        guard ResourceLeases.lifetimes.contains(lifetime), patience >= .zero else {
            throw .invalid("permits for \(lifetime)", "\(ResourceLeases.lifetimes) are")
        }
        let wanted = Waiting(
            id: LeaseID(lastID + 1), permits: permits, holder: holder, lifetime: lifetime,
            until: now + patience)
        let isFree = semaphore.waiting.isEmpty && permits <= semaphore.free
        if !isFree {
            guard patience > .zero else {
                throw .busy(name, holders: holders(of: name))
            }
            guard semaphore.waiting.count < Self.mostWaiting else {
                throw .full("waiting requests", limit: Self.mostWaiting)
            }
        }
        lastID += 1
        semaphores[name]?.waiting.append(wanted)
        guard case .granted(let grant) = grantWaiting(name, at: now).first else {
            return .waiting(wanted.id)
        }
        return .granted(grant)
    }

    /// Gives permits back, or ends a request that waits.
    public mutating func release(
        _ id: LeaseID, at now: Duration
    ) throws(ResourceError) -> [PermitEvent] {
        if let grant = takeBack(id) { return grantWaiting(grant.semaphore, at: now) }
        for name in semaphores.keys.sorted() {
            guard let index = semaphores[name]?.waiting.firstIndex(where: { $0.id == id }) else {
                continue
            }
            semaphores[name]?.waiting.remove(at: index)
            return grantWaiting(name, at: now)
        }
        throw .leaseGone(id)
    }

    /// Ends all that a work has and wants, or an agent with all its works.
    public mutating func releaseAll(of holder: ResourceHolder, at now: Duration) -> [PermitEvent] {
        func isTheirs(_ other: ResourceHolder) -> Bool {
            other == holder || (holder.work == nil && other.agent == holder.agent)
        }
        for grant in sortedGrants where isTheirs(grant.holder) { _ = takeBack(grant.id) }
        return semaphores.keys.sorted().flatMap { name in
            semaphores[name]?.waiting.removeAll { isTheirs($0.holder) }
            return grantWaiting(name, at: now)
        }
    }

    /// Takes back what has expired until now and lets those in who waited for it.
    public mutating func advance(to now: Duration) -> [PermitEvent] {
        var events: [PermitEvent] = []
        for grant in sortedGrants where grant.expires <= now {
            _ = takeBack(grant.id)
            events.append(.expired(grant))
        }
        for name in semaphores.keys.sorted() {
            let gone = semaphores[name]?.waiting.filter { $0.until <= now } ?? []
            semaphores[name]?.waiting.removeAll { $0.until <= now }
            events += gone.map { .gaveUp($0.id) }
            events += grantWaiting(name, at: now)
        }
        return events
    }

    private var sortedGrants: [PermitGrant] { grants.values.sorted { $0.id < $1.id } }

    private func holders(of name: String) -> [ResourceHolder] {
        Set(grants.values.filter { $0.semaphore == name }.map(\.holder)).sorted()
    }

    private mutating func takeBack(_ id: LeaseID) -> PermitGrant? {
        guard let grant = grants.removeValue(forKey: id) else { return nil }
        semaphores[grant.semaphore]?.free += grant.permits
        return grant
    }

    private mutating func grantWaiting(_ name: String, at now: Duration) -> [PermitEvent] {
        var events: [PermitEvent] = []
        while let semaphore = semaphores[name], let next = semaphore.waiting.first,
            next.permits <= semaphore.free
        {
            let grant = PermitGrant(
                id: next.id, semaphore: name, permits: next.permits, holder: next.holder,
                expires: now + next.lifetime)
            semaphores[name]?.waiting.removeFirst()
            semaphores[name]?.free -= next.permits
            grants[next.id] = grant
            events.append(.granted(grant))
        }
        return events
    }
}
