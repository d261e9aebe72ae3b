// SessionResources.swift — what the agents of a session share, for agents that run: the blackboard, leases and
// semaphores with somebody who really waits. Next: Session.swift.

public import NocturneCore
internal import Synchronization

/// What the agents of a session share. It lives as long as the session's process: after a restart all leases are free.
///
/// What a work holds is released with its end, and what an agent holds when it leaves. Thread-safe.
public final class SessionResources: Sendable {
    private struct Waiter<Granted: Sendable> {
        let holder: ResourceHolder
        let name: String
        let promise: Promise<Result<Granted, ResourceError>>
    }
    private struct State {
        var board = Blackboard()
        var leases = ResourceLeases()
        var semaphores = Semaphores()
        var leaseWaiters: [LeaseID: Waiter<Lease>] = [:]
        var permitWaiters: [LeaseID: Waiter<PermitGrant>] = [:]
        /// When somebody comes back by itself.
        var alarm: Duration?
    }
    private let state = Mutex(State())
    private let clock: any EngineClock

    init(clock: any EngineClock) { self.clock = clock }

    // MARK: - Blackboard

    /// The blackboard as it is now.
    public var board: Blackboard { state.withLock { $0.board } }

    /// Writes all or nothing, if all that was read still stands. A value of `nil` removes the key.
    ///
    /// - Returns: the version of what was written.
    /// - Throws: ``ResourceError/conflict(keys:)`` with the keys that others wrote meanwhile.
    @discardableResult
    public func write(
        _ changes: [String: JSONValue?], by writer: AgentID,
        ifUnchanged reads: Blackboard.ReadSet = [:]
    ) throws(ResourceError) -> Int64 {
        try state.withLock { state throws(ResourceError) in
            try state.board.write(changes, by: writer, ifUnchanged: reads)
        }
    }

    // MARK: - Leases

    /// Waits for a lease, for as long as the request wants to.
    public func acquire(_ request: LeaseRequest) async throws(ResourceError) -> Lease {
        let (answer, promise) = try state.withLock {
            state throws(ResourceError) -> (LeaseAnswer, Promise<Result<Lease, ResourceError>>) in
            let now = advance(&state)
            let (answer, others) = try state.leases.acquire(request, at: now)
            let promise = Promise<Result<Lease, ResourceError>>()
            if case .waiting(let id) = answer {
                state.leaseWaiters[id] = Waiter(
                    holder: request.holder, name: "\(request.name)", promise: promise)
            }
            tell(others, &state)
            setAlarm(&state)
            return (answer, promise)
        }
        switch answer {
        case .granted(let lease): return lease
        case .waiting(let id):
            let result = await withTaskCancellationHandler {
                await promise.value
            } onCancel: {
                // If it came first it is the caller's, who has to release it.
                if promise.fulfill(.failure(.leaseGone(id))) { try? release(id) }
            }
            return try result.get()
        }
    }

    /// Lets a lease last for its lifetime from now on.
    public func renew(_ id: LeaseID) throws(ResourceError) {
        try state.withLock { state throws(ResourceError) in
            let now = advance(&state)
            try state.leases.renew(id, at: now)
        }
    }

    /// Ends a lease.
    public func release(_ id: LeaseID) throws(ResourceError) {
        try state.withLock { state throws(ResourceError) in
            let now = advance(&state)
            state.leaseWaiters[id] = nil
            tell(try state.leases.release(id, at: now), &state)
            setAlarm(&state)
        }
    }

    /// Whether a lease still allows something: to be asked where the effect happens, and not before.
    public func check(
        _ id: LeaseID, allows mode: LeaseMode, of name: ResourceName
    ) throws(ResourceError) {
        try state.withLock { state throws(ResourceError) in
            let now = advance(&state)
            try state.leases.check(id, allows: mode, of: name, at: now)
        }
    }

    // MARK: - Semaphores

    /// Sets up a semaphore.
    public func defineSemaphore(_ name: String, permits: Int) throws(ResourceError) {
        try state.withLock { state throws(ResourceError) in
            try state.semaphores.define(name, permits: permits)
        }
    }

    /// Waits for permits, no longer than `patience`; they go back after `lifetime` at the latest.
    public func acquire(
        _ permits: Int = 1, of semaphore: String, for holder: ResourceHolder,
        lifetime: Duration = .seconds(60), patience: Duration = .zero
    ) async throws(ResourceError) -> PermitGrant {
        let (answer, promise) = try state.withLock {
            state throws(ResourceError) -> (
                PermitAnswer, Promise<Result<PermitGrant, ResourceError>>
            ) in
            let now = advance(&state)
            let answer = try state.semaphores.acquire(
                semaphore, permits: permits, for: holder, lifetime: lifetime, patience: patience,
                at: now)
            let promise = Promise<Result<PermitGrant, ResourceError>>()
            if case .waiting(let id) = answer {
                state.permitWaiters[id] = Waiter(
                    holder: holder, name: semaphore, promise: promise)
            }
            setAlarm(&state)
            return (answer, promise)
        }
        switch answer {
        case .granted(let grant): return grant
        case .waiting(let id):
            let result = await withTaskCancellationHandler {
                await promise.value
            } onCancel: {
                if promise.fulfill(.failure(.leaseGone(id))) { try? releasePermits(id) }
            }
            return try result.get()
        }
    }

    /// Gives permits back.
    public func releasePermits(_ id: LeaseID) throws(ResourceError) {
        try state.withLock { state throws(ResourceError) in
            let now = advance(&state)
            state.permitWaiters[id] = nil
            tell(try state.semaphores.release(id, at: now), &state)
            setAlarm(&state)
        }
    }

    // MARK: - Inside

    /// How many wait for a lease or for permits.
    var waiterCount: Int { state.withLock { $0.leaseWaiters.count + $0.permitWaiters.count } }

    /// Ends all that a work has and wants, or an agent with all its works.
    func releaseAll(of holder: ResourceHolder) {
        func isTheirs(_ other: ResourceHolder) -> Bool {
            other == holder || (holder.work == nil && other.agent == holder.agent)
        }
        state.withLock { state in
            let now = advance(&state)
            for (id, waiter) in state.leaseWaiters where isTheirs(waiter.holder) {
                state.leaseWaiters[id] = nil
                waiter.promise.fulfill(.failure(.leaseGone(id)))
            }
            for (id, waiter) in state.permitWaiters where isTheirs(waiter.holder) {
                state.permitWaiters[id] = nil
                waiter.promise.fulfill(.failure(.leaseGone(id)))
            }
            tell(state.leases.releaseAll(of: holder, at: now), &state)
            tell(state.semaphores.releaseAll(of: holder, at: now), &state)
            setAlarm(&state)
        }
    }

    /// Lets happen what is due, and says what time it is.
    private func advance(_ state: inout State) -> Duration {
        let now = clock.uptime
        tell(state.leases.advance(to: now), &state)
        tell(state.semaphores.advance(to: now), &state)
        return now
    }

    private func tell(_ events: [LeaseEvent], _ state: inout State) {
        for event in events {
            switch event {
            case .granted(let lease):
                state.leaseWaiters.removeValue(forKey: lease.id)?.promise.fulfill(.success(lease))
            case .gaveUp(let id):
                guard let waiter = state.leaseWaiters.removeValue(forKey: id) else { continue }
                waiter.promise.fulfill(.failure(.notInTime(waiter.name)))
            case .expired: break
            }
        }
    }

    private func tell(_ events: [PermitEvent], _ state: inout State) {
        for event in events {
            switch event {
            case .granted(let grant):
                state.permitWaiters.removeValue(forKey: grant.id)?.promise.fulfill(.success(grant))
            case .gaveUp(let id):
                guard let waiter = state.permitWaiters.removeValue(forKey: id) else { continue }
                waiter.promise.fulfill(.failure(.notInTime(waiter.name)))
            case .expired: break
            }
        }
    }

    /// Comes back when something is due, but only while somebody waits: all others look at the clock themselves.
    private func setAlarm(_ state: inout State) {
        guard !state.leaseWaiters.isEmpty || !state.permitWaiters.isEmpty else { return }
        let deadlines = [state.leases.nextDeadline, state.semaphores.nextDeadline]
        guard let due = deadlines.compactMap(\.self).min(), state.alarm.map({ due < $0 }) ?? true
        else { return }
        state.alarm = due
        let clock = clock
        Task { [weak self] in
            guard (try? await clock.sleep(until: due)) != nil else { return }
            self?.ring(due)
        }
    }

    private func ring(_ due: Duration) {
        state.withLock { state in
            if state.alarm == due { state.alarm = nil }
            _ = advance(&state)
            setAlarm(&state)
        }
    }
}
