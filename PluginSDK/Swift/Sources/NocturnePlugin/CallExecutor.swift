// CallExecutor.swift — runs the task of one call on the thread that the host gave for that call. The global
// pool would cost a switch of threads for each call, threads of its own, and one wake-up a second
// for ever once it has been used. Next: CallThreads.swift.

internal import Synchronization

/// Runs jobs on the thread that is in ``runUntilStopped()``. Jobs that come when no thread is there (an
/// actor may be left with other calls' work) go to the global pool.
final class CallExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isServed = false
        var isStopped = false
    }

    private let state = Mutex(State())
    private let bell = Bell()
    private static let idle = Mutex<[CallExecutor]>([])

    /// Lends an executor. They are kept for ever: a late job may still refer to one.
    static func withExecutor(_ body: (CallExecutor) -> Void) {
        let executor = idle.withLock { $0.popLast() } ?? CallExecutor()
        executor.state.withLock { state in
            state.isServed = true
            state.isStopped = false
        }
        body(executor)
        idle.withLock { $0.append(executor) }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isServed = state.withLock { state in
            if state.isServed { state.jobs.append(job) }
            return state.isServed
        }
        if isServed {
            bell.ring()
        } else {
            globalConcurrentExecutor.enqueue(ExecutorJob(job))
        }
    }

    /// Ends ``runUntilStopped()`` once it has run the jobs at hand.
    func stop() {
        state.withLock { $0.isStopped = true }
        bell.ring()
    }

    func runUntilStopped() {
        let executor = asUnownedTaskExecutor()
        while true {
            let (jobs, isStopped) = state.withLock { state in
                let jobs = state.jobs
                state.jobs = []
                if jobs.isEmpty && state.isStopped { state.isServed = false }
                return (jobs, state.isStopped)
            }
            for job in jobs { job.runSynchronously(on: executor) }
            if jobs.isEmpty {
                if isStopped { return }
                bell.wait()
            }
        }
    }
}

extension CallExecutor {
    private final class Box<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }

    /// Runs an asynchronous hook on this thread and waits for it.
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) -> Result<Value, any Error> {
        let box = Box<Result<Value, any Error>>()
        withExecutor { executor in
            Task(executorPreference: executor) {
                let result: Result<Value, any Error>
                do {
                    result = .success(try await body())
                } catch {
                    result = .failure(error)
                }
                box.value.withLock { $0 = result }
                executor.stop()
            }
            executor.runUntilStopped()
        }
        return box.value.withLock { $0 } ?? .failure(CancellationError())
    }
}
