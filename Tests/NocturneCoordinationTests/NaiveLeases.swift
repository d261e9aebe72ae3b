// NaiveLeases.swift — leases by the words of their rules, in lists, slowly. Next: ResourceLeaseTests.swift.

import NocturneCoordination

/// What ``ResourceLeases`` must do, written down as directly as can be.
struct NaiveLeases {
    struct Held: Equatable {
        let id: LeaseID
        let request: LeaseRequest
        var expires: Duration
    }
    struct Waiting: Equatable {
        let id: LeaseID
        let request: LeaseRequest
        let until: Duration
    }
    enum Answer: Equatable { case granted, waiting, busy, deadlock, waitsAlready }

    private(set) var held: [Held] = []
    private(set) var waiting: [Waiting] = []

    // MARK: - The rules

    static func isWithin(_ one: LeaseRequest, _ other: LeaseRequest) -> Bool {
        "\(one.name)/".hasPrefix("\(other.name)/")
    }

    static func excludes(_ one: LeaseRequest, _ other: LeaseRequest) -> Bool {
        one.holder != other.holder && (isWithin(one, other) || isWithin(other, one))
            && [one.mode, other.mode].contains(.exclusive)
    }

    func heldAgainst(_ request: LeaseRequest) -> Set<ResourceHolder> {
        Set(held.filter { Self.excludes($0.request, request) }.map(\.request.holder))
    }

    private func isHadAlready(_ request: LeaseRequest) -> Bool {
        held.contains {
            $0.request.holder == request.holder && Self.isWithin(request, $0.request)
                && ($0.request.mode == .exclusive || request.mode == .shared)
        }
    }

    /// Whether `one` waits for `other`, through whomever, for what is held and for what was asked for before.
    private func waits(
        _ one: ResourceHolder, for other: ResourceHolder, _ seen: Set<ResourceHolder> = []
    )
        -> Bool
    {
        if one == other { return true }
        guard !seen.contains(one) else { return false }
        return waiting.indices.contains { index in
            let request = waiting[index].request
            guard request.holder == one else { return false }
            let ahead = waiting[..<index].filter { Self.excludes($0.request, request) }
            return heldAgainst(request).union(ahead.map(\.request.holder)).contains {
                waits($0, for: other, seen.union([one]))
            }
        }
    }

    /// Whether `one` waits for `other`, through whomever, for what is held.
    func waitsForHeld(
        _ one: ResourceHolder, for other: ResourceHolder, _ seen: Set<ResourceHolder> = []
    )
        -> Bool
    {
        if one == other { return true }
        guard !seen.contains(one) else { return false }
        return waiting.contains { waiter in
            waiter.request.holder == one
                && heldAgainst(waiter.request).contains {
                    waitsForHeld($0, for: other, seen.union([one]))
                }
        }
    }

    private func isFree(_ request: LeaseRequest, at place: Int) -> Bool {
        if isHadAlready(request) { return true }
        return heldAgainst(request).isEmpty
            && waiting[..<place].allSatisfy {
                !Self.excludes($0.request, request)
                    || waits($0.request.holder, for: request.holder)
            }
    }

    // MARK: - What is done

    mutating func acquire(_ id: LeaseID, _ request: LeaseRequest, at now: Duration) -> Answer {
        if waiting.contains(where: { $0.request.holder == request.holder }) { return .waitsAlready }
        if isFree(request, at: waiting.count) {
            held.append(Held(id: id, request: request, expires: now + request.lifetime))
            return .granted
        }
        if request.patience == .zero { return .busy }
        if heldAgainst(request).contains(where: { waitsForHeld($0, for: request.holder) }) {
            return .deadlock
        }
        waiting.append(Waiting(id: id, request: request, until: now + request.patience))
        return .waiting  // others may be free now: see `remove`
    }

    mutating func renew(_ id: LeaseID, at now: Duration) {
        for index in held.indices where held[index].id == id {
            held[index].expires = now + held[index].request.lifetime
        }
    }

    /// Takes out what is to go and returns what is granted then.
    mutating func remove(
        held isGone: (Held) -> Bool, waiting isOut: (Waiting) -> Bool, at now: Duration
    ) -> [LeaseID] {
        held.removeAll(where: isGone)
        waiting.removeAll(where: isOut)
        var granted: [LeaseID] = []
        var place = 0
        while place < waiting.count {
            let next = waiting[place]
            if isFree(next.request, at: place) {
                waiting.remove(at: place)
                held.append(
                    Held(id: next.id, request: next.request, expires: now + next.request.lifetime))
                granted.append(next.id)
            } else {
                place += 1
            }
        }
        return granted
    }
}
