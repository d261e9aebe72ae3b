// CallThreads.swift — threads that may block in a call of another plugin, so that no task has to, and the bell
// that sleeping threads wait for. Next: Entry.swift.

internal import Glibc
internal import Synchronization

/// A few threads, started when they are needed and kept: idle ones sleep and cost no wake-ups.
final class CallThreads: Sendable {
    /// Threads at most; further nested calls wait for one. Four: nested calls are mostly one after
    /// another, and a sandboxed plugin's threads are limited.
    static let maximum = 4
    /// Bytes of stack of each. The work is one call into the host; 8 MiB, the default, would be
    /// charged against the plugin's memory limit.
    static let stackBytes = 256 << 10

    static let shared = CallThreads()

    private struct State {
        var work: [@Sendable () -> Void] = []
        var threads = 0
        var idle = 0
    }

    private let state = Mutex(State())
    private let bell = Bell()

    /// Runs `work` on one of the threads.
    ///
    /// - Returns: `false` if there is no thread and none can be started; `work` will not run.
    func run(_ work: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            state.work.append(work)
            if state.idle < state.work.count, state.threads < Self.maximum, start() {
                state.threads += 1
            }
            if state.threads == 0 {
                state.work.removeLast()
                return false
            }
            bell.ring()
            return true
        }
    }

    private func start() -> Bool {
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return false }
        defer { pthread_attr_destroy(&attributes) }
        guard pthread_attr_setstacksize(&attributes, Self.stackBytes) == 0,
            pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED)) == 0
        else { return false }
        var thread = pthread_t()
        return pthread_create(
            &thread, &attributes,
            { _ in
                CallThreads.shared.serve()
                return nil
            }, nil) == 0
    }

    private func serve() {
        while true {
            let work = state.withLock { state in
                state.work.isEmpty ? nil : state.work.removeFirst()
            }
            if let work {
                work()
            } else {
                state.withLock { $0.idle += 1 }
                bell.wait()
                state.withLock { $0.idle -= 1 }
            }
        }
    }
}

/// A counter to sleep on: each ring lets one wait through.
final class Bell: Sendable {
    // A POSIX semaphore needs a fixed address and is safe on any thread, which the type cannot say.
    nonisolated(unsafe) private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        semaphore = .allocate(capacity: 1)
        let code = sem_init(semaphore, 0, 0)
        precondition(code == 0, "a semaphore that starts at 0 is valid")
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func ring() { sem_post(semaphore) }

    func wait() {
        while sem_wait(semaphore) != 0 {}  // Only EINTR can happen.
    }
}
