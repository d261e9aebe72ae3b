// BackgroundTaskManager.swift — runs tasks: what it is made of, and how it begins and ends.
// Next: BackgroundTaskManager+Asking.swift for what callers do, +Pump for how tasks come and go, +Alarm for time.

internal import Glibc
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
        public var maxConcurrent: Int {
            didSet { maxConcurrent = max(maxConcurrent, 1) }
        }
        /// How often a failed task is tried again if it does not say so itself: 3 is at most four attempts.
        /// `defaultRetries` of the seed.
        public var defaultRetries = 3
        /// Whether tasks outlast the process, in `tasks.db` in ``statePath``. `enablePersistence` of the seed.
        public var enablePersistence = false
        /// The directory of `tasks.db`. Made, for its owner only, if there is none; its parent must exist.
        public var statePath = "./tasks"
        /// As many finished tasks are kept at most; the oldest go first. At least 0.
        public var keepsFinished = 100_000
        /// Finished tasks are kept for so long at most. At least zero.
        public var keepsFinishedFor = Duration.seconds(7 * 86_400)
        /// How long ``BackgroundTaskManager/shutdown()`` waits for what runs before it asks it to stop.
        /// From zero to ``longestWait``, to which others are moved.
        public var drain = Duration.seconds(30) {
            didSet { drain = min(max(drain, .zero), Self.longestWait) }
        }
        /// How long a handler may take to stop after it was asked to; then its task goes on without it.
        /// From zero to ``longestWait``, to which others are moved.
        public var stopGrace = Duration.seconds(5) {
            didSet { stopGrace = min(max(stopGrace, .zero), Self.longestWait) }
        }

        /// A day: whoever waits longer for an end does not want one.
        public static let longestWait = Duration.seconds(86_400)

        /// The defaults, with as many tasks at once as given; without a number, as there are processors.
        public init(maxConcurrent: Int = Self.processors) {
            self.maxConcurrent = max(maxConcurrent, 1)
        }

        /// How many processors this machine has.
        public static var processors: Int { Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
    }

    struct State {
        var handlers: [String: TaskHandler] = [:]
        var names: Set<String> = []
        var plugins = PluginPools()
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
        /// It was told that the store failed, and not yet that it answers again.
        var isStoreFailing = false
        var waiters: [TaskID: [EndWaiter]] = [:]
        var isDraining = false
        var isStopped = false
        var drained: [CheckedContinuation<Void, Never>] = []
    }

    /// Its options.
    public let configuration: Configuration
    let store: any TaskStore
    let clock: any EngineClock
    let worker: WorkerID
    let events: TaskEvents
    let state = Mutex(State())

    package init(
        configuration: Configuration, store: any TaskStore, worker: WorkerID,
        clock: any EngineClock = SystemClock(), bus: EventBus? = nil
    ) {
        self.configuration = configuration
        (self.store, self.worker, self.clock) = (store, worker, clock)
        events = TaskEvents(bus: bus)
        store.listen { [weak self] news in self?.hear(news) }
    }

    /// Opens the store that the configuration says, and begins: what an earlier process was running is run again.
    ///
    /// - Parameter bus: where its events are published, besides ``taskEvents``.
    /// - Throws: ``TaskError/storeInUse(_:)`` if another process has the file, with its pid; ``TaskError/store(_:)`` if
    ///   it cannot be opened. One that is damaged is no error: see ``warnings()``.
    public convenience init(
        configuration: Configuration = Configuration(), bus: EventBus? = nil
    ) async throws(TaskError) {
        let retention = TaskTable.Retention(
            count: max(configuration.keepsFinished, 0),
            age: max(configuration.keepsFinishedFor, .zero))
        let store: any TaskStore =
            configuration.enablePersistence
            ? try await SQLiteTaskStore.open(
                directory: configuration.statePath, now: .now(), retention: retention)
            : MemoryTaskStore(retention: retention)
        self.init(
            configuration: configuration, store: store, worker: .ofThisProcess(), bus: bus)
        try await start()
    }

    /// What a person should know of how the store was found: a damaged file that was set aside, rows that could not
    /// be read and were left as they are. Empty if all is well.
    public func warnings() async throws(TaskError) -> [String] { try await store.warnings() }

    /// Starts nothing any more, asks what runs to leave at its next pause point, waits until all has ended, and gives
    /// back what has not: that is run again by the next manager of the store, and the attempt does not count. Waiters
    /// for results are told. Then the store is closed: methods that need it throw from now on. A second call does
    /// nothing but wait likewise.
    public func shutdown() async {
        state.withLock { $0.isDraining = true }
        leaveLines()
        // Who can go on later from a checkpoint need not be waited for.
        for run in state.withLock({ Array($0.runs.values) }) {
            run.requestPause(asOf: run.withdrawals)
        }
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
        await store.close()
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
        leaveLines()
    }

    /// Takes back what workers of this machine were running whose processes died, at once instead of after
    /// ``Heartbeat/lease``. To be called once, before tasks are added.
    package func start() async throws(TaskError) {
        try await store.rescue({ $0.isDead }, now: clock.now)
        await setAlarm()
        wake()
    }

    /// What happens to tasks from now on; ends when its reader stops.
    public var taskEvents: AsyncStream<TaskEventDelivery> { events.stream() }

    /// Calls `handler` for each event of a kind, one at a time and in order, until the token is cancelled or gone.
    /// Events that it is too slow for are dropped.
    public func on(
        _ kind: TaskEvent.Kind, _ handler: @escaping @Sendable (TaskEvent) async -> Void
    ) -> EventToken {
        events.on({ $0 == kind }, handler)
    }

    /// The same by the seed's name, for example `task:completed`; also `task:*` and `tasks/task:completed`.
    public func on(
        _ name: String, _ handler: @escaping @Sendable (TaskEvent) async -> Void
    ) -> EventToken {
        events.on({ TaskEvents.matches($0, name) }, handler)
    }

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
