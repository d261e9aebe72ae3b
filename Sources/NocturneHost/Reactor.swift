// Reactor.swift — one thread that waits on descriptors for the whole host, runs short handlers and watches deadlines.
// It is also a task executor: a caller that runs on it is resumed by the thread that heard the doorbell, without a
// second wake-up across CPUs. Next: WorkerLink.swift.

import CLinux
import Glibc
import Synchronization

/// Something with deadlines that the reactor's thread looks after.
protocol DeadlineKeeper: AnyObject, Sendable {
    /// Ends what is overdue at `now` (CLOCK_MONOTONIC, ns). Returns the next deadline, `nil` when nothing waits.
    func expire(now: Int64) -> Int64?
    /// Moves all deadlines: the host itself stood still for `gap` nanoseconds.
    func postpone(by gap: Int64)
}

/// A thread with an epoll set. Handlers and jobs run on it one at a time and must not block.
package final class Reactor: TaskExecutor {
    typealias Handler = @Sendable (_ events: UInt32) -> Void

    /// Longest sleep while deadlines are watched, so that a stop of the whole host is noticed. 100 ms.
    private static let tickNanoseconds: Int64 = 100_000_000
    /// A wait that ends this much late means that the host stood still (SIGSTOP, a paused machine). 250 ms (DESIGN §6).
    private static let gapNanoseconds: Int64 = 250_000_000
    private static let never = Int64.max
    private static let wakeToken: UInt64 = 0

    private struct State {
        var handlers: [UInt64: Handler] = [:]
        var nextToken: UInt64 = 1
        var jobs: [UnownedJob] = []
        var bodies: [@Sendable () -> Void] = []
        var keepers: [ObjectIdentifier: any DeadlineKeeper] = [:]
        var nextDeadline = never
        var sleepsUntil = never
        var isSleeping = false
        var isStopped = false
        var hasEnded = false
    }
    private let state = Mutex(State())
    private let epoll: Int32
    private let wakeRead: Int32, wakeWrite: Int32

    /// Starts the thread.
    package init() throws(SystemError) {
        epoll = try SystemError.check(clinux_epoll_create(), "create an epoll set")
        var ends: [Int32] = [-1, -1]
        try SystemError.check(
            clinux_pipe(&ends, CLINUX_READ_NONBLOCKING | CLINUX_WRITE_NONBLOCKING), "create a pipe")
        (wakeRead, wakeWrite) = (ends[0], ends[1])
        try SystemError.check(
            clinux_epoll_set(epoll, wakeRead, CLINUX_READABLE, Self.wakeToken, 1),
            "watch a pipe")
        try startThread()
    }

    private func startThread() throws(SystemError) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let error = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let reactor = Unmanaged<Reactor>.fromOpaque(context).takeRetainedValue()
                clinux_name_thread("nocturne")
                reactor.loop()
                return nil
            }, box.toOpaque())
        guard error == 0 else {
            box.release()
            throw SystemError(action: "start a thread", errno: error)
        }
        pthread_detach(thread)
    }

    /// Ends the thread after what it has been asked to do. Jobs that come later run nowhere.
    package func stop() {
        state.withLock { $0.isStopped = true }
        wake()
    }

    deinit {
        close(epoll)
        close(wakeRead)
        close(wakeWrite)
    }

    // MARK: - Work

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = state.withLock { state in
            state.jobs.append(job)
            return state.isSleeping
        }
        if mustWake { wake() }
    }

    /// Runs `body` on the thread, in order. Never blocks, but once the thread has ended it runs `body` itself.
    func async(_ body: @escaping @Sendable () -> Void) {
        let (mustWake, hasEnded) = state.withLock { state in
            if !state.hasEnded { state.bodies.append(body) }
            return (state.isSleeping, state.hasEnded)
        }
        if hasEnded { return body() }
        if mustWake { wake() }
    }

    /// Calls `handler` whenever `descriptor` has one of `events` (CLINUX_READABLE …), until ``remove(_:descriptor:)``.
    func add(
        _ descriptor: Int32, events: UInt32 = CLINUX_READABLE,
        handler: @escaping Handler
    ) throws(SystemError) -> UInt64 {
        let token = state.withLock { state in
            let token = state.nextToken
            state.nextToken += 1
            state.handlers[token] = handler
            return token
        }
        do throws(SystemError) {
            try SystemError.check(
                clinux_epoll_set(epoll, descriptor, events, token, 1), "watch a descriptor")
        } catch {
            _ = state.withLock { $0.handlers.removeValue(forKey: token) }
            throw error
        }
        return token
    }

    /// Ends the watch. Must come before the descriptor is closed.
    func remove(_ token: UInt64, descriptor: Int32) {
        let handler = state.withLock { $0.handlers.removeValue(forKey: token) }
        if handler != nil { _ = clinux_epoll_remove(epoll, descriptor) }
    }

    /// Has `keeper` looked after from now on, first at `deadline` (CLOCK_MONOTONIC, ns).
    func watch(_ keeper: any DeadlineKeeper, deadline: Int64) {
        let mustWake = state.withLock { state in
            state.keepers[ObjectIdentifier(keeper)] = keeper
            if deadline < state.nextDeadline { state.nextDeadline = deadline }
            return state.isSleeping && deadline < state.sleepsUntil
        }
        if mustWake { wake() }
    }

    /// Lets go of a keeper that has no deadlines any more.
    func unwatch(_ keeper: any DeadlineKeeper) {
        _ = state.withLock { $0.keepers.removeValue(forKey: ObjectIdentifier(keeper)) }
    }

    private func wake() {
        var byte: UInt8 = 1
        _ = write(wakeWrite, &byte, 1)
    }

    // MARK: - The thread

    private func loop() {
        var ready = [clinux_ready](repeating: clinux_ready(), count: Int(CLINUX_READY_MAX))
        while true {
            let (timeout, stopped) = sleepTime()
            if stopped { return }
            let before = clinux_now()
            let count = clinux_epoll_wait(epoll, &ready, timeout)
            state.withLock { $0.isSleeping = false }
            for index in 0..<max(0, Int(count)) { handle(ready[index]) }
            runQueued()
            lookAfterDeadlines(sleptSince: before, timeout: timeout, wasInterrupted: count > 0)
        }
    }

    private func sleepTime() -> (timeout: Int32, stopped: Bool) {
        state.withLock { state in
            if !state.jobs.isEmpty || !state.bodies.isEmpty { return (0, false) }
            if state.isStopped {
                state.hasEnded = true
                state.isSleeping = false
                state.handlers = [:]
                state.keepers = [:]
                return (0, true)
            }
            state.isSleeping = true
            state.sleepsUntil = state.nextDeadline
            if state.nextDeadline == Self.never { return (-1, false) }
            let now = clinux_now()
            let left = min(max(0, state.nextDeadline - now), Self.tickNanoseconds)
            state.sleepsUntil = now + left
            return (Int32((left + 999_999) / 1_000_000), false)
        }
    }

    private func handle(_ ready: clinux_ready) {
        if ready.token == Self.wakeToken {
            var bytes: (UInt64, UInt64) = (0, 0)
            _ = withUnsafeMutableBytes(of: &bytes) { read(wakeRead, $0.baseAddress, $0.count) }
            return
        }
        let handler = state.withLock { $0.handlers[ready.token] }
        handler?(ready.events)
    }

    private func runQueued() {
        let (jobs, bodies) = state.withLock { state in
            let taken = (state.jobs, state.bodies)
            state.jobs.removeAll(keepingCapacity: true)
            state.bodies.removeAll(keepingCapacity: true)
            return taken
        }
        for body in bodies { body() }
        for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func lookAfterDeadlines(sleptSince before: Int64, timeout: Int32, wasInterrupted: Bool)
    {
        let now = clinux_now()
        let late = now - before - Int64(timeout) * 1_000_000
        let hasGap = timeout > 0 && late > Self.gapNanoseconds
        let due = state.withLock { state in
            // At every tick, not only at the deadline: keepers for whom nothing waits any more are let go, and then
            // the thread sleeps without an end.
            guard state.nextDeadline != Self.never, hasGap || now >= state.sleepsUntil else {
                return [] as [any DeadlineKeeper]
            }
            let due = Array(state.keepers.values)
            state.keepers.removeAll(keepingCapacity: true)
            state.nextDeadline = Self.never
            return due
        }
        for keeper in due {
            if hasGap { keeper.postpone(by: late) }
            if let next = keeper.expire(now: now) { watch(keeper, deadline: next) }
        }
    }
}

/// A system call that failed.
package struct SystemError: Error, Hashable, CustomStringConvertible {
    let action: String
    let errno: Int32

    package var description: String {
        "could not \(action): \(String(cString: strerror(errno))) (errno \(errno))"
    }

    /// Turns a negative errno into an error.
    @discardableResult
    static func check(_ result: Int32, _ action: String) throws(SystemError) -> Int32 {
        guard result >= 0 else { throw SystemError(action: action, errno: -result) }
        return result
    }
}
