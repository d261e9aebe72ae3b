// BackgroundTaskManager.swift — runs tasks: what it is made of, and how it begins and ends.
// Next: BackgroundTaskManager+Asking.swift for what callers do, +Pump for how tasks come and go, +Alarm for time.

public import NocturneCore
internal import Synchronization

/// Runs tasks now, later or again and again, and remembers what became of them.
///
/// A task is *executed* at least once; each change of its state is applied exactly once. Handlers are registered by
/// name with ``handle(_:_:)``; tasks of a name without a handler wait for one. All methods may be called from any
/// thread.
public final class BackgroundTaskManager: Sendable {
    /// The options of a manager.
    public struct Configuration: Sendable, Hashable {
        /// How many tasks run at the same time, at least 1. `maxConcurrent` of the seed.
        public var maxConcurrent: Int
        /// How often a failed task is tried again if it does not say so itself. `defaultRetries` of the seed.
        public var defaultRetries = 3
        /// How long ``BackgroundTaskManager/shutdown()`` waits for what runs before it asks it to stop.
        public var drain = Duration.seconds(30)
        /// How long a handler may take to stop after it was asked to; then its task goes on without it.
        public var stopGrace = Duration.seconds(5)

        /// The defaults, with as many tasks at once as given.
        public init(maxConcurrent: Int) { self.maxConcurrent = max(maxConcurrent, 1) }
    }

    struct State {
        var handlers: [String: TaskHandler] = [:]
        var names: Set<String> = []
        var runs: [TaskID: TaskContext] = [:]
        var ends: [TaskEnd] = []
        var finishing = SingleFlight()
        var claiming = SingleFlight()
        var beating = SingleFlight()
        var alarm: (time: Duration, job: Task<Void, Never>)?
        /// When something must be done about a run that takes too long.
        var nextStop: Duration?
        /// When the store last heard that this worker lives.
        var lastSign = Duration.zero
        var waiters: [TaskID: [EndWaiter]] = [:]
        var isDraining = false
        var isStopped = false
        var drained: [CheckedContinuation<Void, Never>] = []
    }

    /// Its options.
    public let configuration: Configuration
    let store: any TaskStore
    let clock: any TaskClock
    let worker: WorkerID
    let events: TaskEvents
    let state = Mutex(State())

    package init(
        configuration: Configuration, store: any TaskStore, worker: WorkerID,
        clock: any TaskClock = SystemTaskClock(), bus: EventBus? = nil
    ) {
        self.configuration = configuration
        (self.store, self.worker, self.clock) = (store, worker, clock)
        events = TaskEvents(bus: bus)
        store.listen { [weak self] news in self?.hear(news) }
    }

    /// A manager that keeps its tasks in memory.
    public convenience init(configuration: Configuration, bus: EventBus? = nil) {
        self.init(
            configuration: configuration, store: MemoryTaskStore(), worker: .ofThisProcess(),
            bus: bus)
    }

    /// Starts nothing any more, waits until what runs has ended, and gives back what does not: it is run again by the
    /// next manager of the store, and the attempt does not count. Waiters for results are told.
    public func shutdown() async {
        state.withLock { $0.isDraining = true }
        let isIdle = await waitUntilIdle(for: configuration.drain)
        if !isIdle {
            for run in state.withLock({ Array($0.runs.values) }) { run.stop(.shutdown) }
            if await !waitUntilIdle(for: configuration.stopGrace) {
                for run in state.withLock({ Array($0.runs.values) }) { end(run, .returned) }
                await finishAll()
            }
        }
        let (alarm, waiters) = state.withLock { state in
            defer { (state.alarm, state.waiters, state.isStopped) = (nil, [:], true) }
            return (state.alarm, state.waiters.values.flatMap { $0 })
        }
        alarm?.job.cancel()
        for waiter in waiters { waiter.end(nil) }
    }

    private func waitUntilIdle(for limit: Duration) async -> Bool {
        let end = clock.uptime + limit
        let timer = Task { [clock] in
            do {
                try await clock.sleep(until: end)
            } catch {
                return  // it was idle before
            }
            self.tellIdle()
        }
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                guard !state.runs.isEmpty, clock.uptime < end else { return true }
                state.drained.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
        timer.cancel()
        return state.withLock { $0.runs.isEmpty }
    }

    private func tellIdle() {
        let waiters = state.withLock { state in
            defer { state.drained = [] }
            return state.drained
        }
        for waiter in waiters { waiter.resume() }
    }

    deinit {
        let alarm = state.withLock { $0.alarm }
        alarm?.job.cancel()
    }

    /// Takes back what workers of this machine were running whose processes died, at once instead of after
    /// ``Heartbeat/lease``. To be called once, before tasks are added.
    public func start() async throws(TaskError) {
        try await store.rescue({ $0.isDead }, now: clock.now)
        await setAlarm()
        wake()
    }

    /// What happens to tasks from now on; ends when its reader stops.
    public var taskEvents: AsyncStream<TaskEventDelivery> { events.stream() }

    func tell(_ event: @autoclosure () -> TaskEvent) { events.tell(event()) }

    /// What the store says happened. Called while the store is locked: only notes and wakes.
    private func hear(_ news: StoreNews) {
        for record in news.added { tell(.added(record)) }
        for record in news.ended { settle(record) }
        if news.hasAvailable { wake() }
        if news.hasRequests { sendHeartbeatSoon() }
    }
}

/// Keeps one of a kind under way: whoever comes meanwhile makes it go round once more.
struct SingleFlight: Sendable {
    private var isUnderWay = false
    private var isWanted = false

    /// Whether the caller is to do it.
    mutating func begin() -> Bool {
        if isUnderWay {
            isWanted = true
            return false
        }
        isUnderWay = true
        return true
    }

    /// It failed and is to be begun anew.
    mutating func stop() { (isUnderWay, isWanted) = (false, false) }

    /// Whether the caller is to do it once more.
    mutating func again() -> Bool {
        defer { isWanted = false }
        isUnderWay = isWanted
        return isWanted
    }
}
