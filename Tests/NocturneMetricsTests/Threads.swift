// Threads.swift — work on threads of the system, all of which are there at once. Next: ConcurrencyTests.swift.

import Glibc
import NocturneCore
import Synchronization

private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Runs `body` on `count` threads, and waits until all of them have ended.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let threads = (0..<count).compactMap { index -> pthread_t? in
        let work = Unmanaged.passRetained(Work { body(index) })
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { context in
                if let context {
                    Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
                }
                return nil
            }, work.toOpaque())
        return result == 0 ? thread : nil
    }
    precondition(threads.count == count, "the system has no more threads")
    for thread in threads { pthread_join(thread, nil) }
}

/// A place where threads wait until all are there.
final class Barrier: Sendable {
    private let missing: Atomic<Int>

    init(_ count: Int) { missing = Atomic(count) }

    func wait() {
        missing.subtract(1, ordering: .acquiringAndReleasing)
        while missing.load(ordering: .acquiring) > 0 { sched_yield() }
    }
}

/// A clock that is set by hand.
final class HandClock: EngineClock {
    private let state = Mutex((now: UnixTime(seconds: 1_000_000), uptime: Duration.seconds(100)))

    var now: UnixTime { state.withLock { $0.now } }
    var uptime: Duration { state.withLock { $0.uptime } }

    func advance(by duration: Duration) {
        state.withLock { state in
            state.uptime += duration
            state.now = UnixTime(
                milliseconds: state.now.milliseconds + duration.wholeMilliseconds)
        }
    }

    func sleep(until deadline: Duration) async throws { throw CancellationError() }
}
