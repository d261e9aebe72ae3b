// EventBus.swift — tells events to whoever listens, without ever waiting for a listener.
// Next: BoundedDelivery.swift.

import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// What a listener of an ``EventBus`` receives.
public enum EventDelivery: Sendable, Hashable {
    /// A published event that matches the listener's pattern; in the order of ids.
    case event(Event)
    /// The listener was too slow: this many events before the next one were dropped for it.
    case gap(missed: Int)
}

/// Ends a listener when it is cancelled or deinitialized.
public final class EventToken: Sendable {
    private let end: Mutex<(@Sendable () -> Void)?>

    /// Makes a token whose end calls `end`, once.
    public init(_ end: @escaping @Sendable () -> Void) { self.end = Mutex(end) }

    /// Removes the listener. Calling it again does nothing. Safe from any thread.
    public func cancel() {
        let action = end.withLock { end in
            let action = end
            end = nil
            return action
        }
        action?()
    }

    deinit { cancel() }
}

/// Publishes events to listeners, in order, and remembers the latest.
///
/// Publishing never blocks and never waits: each listener has a bounded buffer of its own, and one that falls behind
/// gets a ``EventDelivery/gap(missed:)`` instead of what it missed. All methods may be called from any thread.
public final class EventBus: Sendable {
    /// Events that are remembered for `events --since`.
    public static let historyLimit = 4_096
    /// Events that wait for one listener before a gap opens.
    public static let bufferLimit = historyLimit + 1_024

    private struct Listener {
        let pattern: String
        let deliver: @Sendable (Event) -> Void
    }
    private struct Watcher {
        let source: String
        let name: String
        let tell: @Sendable (Bool) -> Void
        var isHeard = false
    }
    private struct State {
        var nextID: UInt64 = 1
        var nextListener = 0
        var listeners: [(key: Int, listener: Listener)] = []
        var history: [Event] = []
        var oldest = 0  // index of the oldest in `history`, once it is full
        var watchers: [Watcher] = []
    }
    private let state = Mutex(State())

    /// Makes a bus without listeners.
    public init() {}

    /// Publishes an event to whoever listens now, and remembers it among the latest ``historyLimit``.
    ///
    /// - Parameter isRemembered: `false` for what comes so often that it would push all else out of the memory.
    /// - Returns: the event with its id, which is one more than the id of the one before, and its time.
    @discardableResult
    public func publish(
        source: String, name: String, payload: JSONObject, isRemembered: Bool = true
    ) -> Event {
        state.withLock { state in
            let event = Event(
                id: state.nextID, timeMilliseconds: Self.now(), source: source, name: name,
                payload: payload)
            state.nextID += 1
            if !isRemembered {
                // Only for who listens now.
            } else if state.history.count < Self.historyLimit {
                state.history.append(event)
            } else {
                state.history[state.oldest] = event
                state.oldest = (state.oldest + 1) % Self.historyLimit
            }
            // Under the lock, so that every listener sees the order of ids. `deliver` only appends to a buffer.
            for (_, listener) in state.listeners where event.matches(listener.pattern) {
                listener.deliver(event)
            }
            return event
        }
    }

    /// Whether anybody listens for `name` of `source`: lets a publisher skip the work of building an event.
    public func hasListeners(source: String, name: String) -> Bool {
        let probe = Event(id: 0, timeMilliseconds: 0, source: source, name: name, payload: [:])
        return state.withLock { state in
            state.listeners.contains { probe.matches($0.listener.pattern) }
        }
    }

    /// Tells, now and at each change, whether somebody asks for `name` of `source` in particular, not just for `*`:
    /// what comes with each record of a metric is built and published only then.
    package func watchListeners(
        source: String, name: String, _ tell: @escaping @Sendable (Bool) -> Void
    ) {
        state.withLock { state in
            state.watchers.append(Watcher(source: source, name: name, tell: tell))
            Self.tellWatchers(&state, isFirst: true)
        }
    }

    private static func tellWatchers(_ state: inout State, isFirst: Bool = false) {
        for index in state.watchers.indices {
            let watcher = state.watchers[index]
            let probe = Event(
                id: 0, timeMilliseconds: 0, source: watcher.source, name: watcher.name, payload: [:]
            )
            let isHeard = state.listeners.contains { _, listener in
                !listener.pattern.hasSuffix("/*") && listener.pattern != "*"
                    && probe.matches(listener.pattern)
            }
            guard isHeard != watcher.isHeard || isFirst else { continue }
            state.watchers[index].isHeard = isHeard
            watcher.tell(isHeard)
        }
    }

    /// The events that match `pattern`, as a sequence that ends only when its task is cancelled.
    ///
    /// - Parameter since: also deliver remembered events with a greater id first; if some of those are no longer
    ///   remembered, a gap comes first. `nil`: only what is published from now on.
    public func events(matching pattern: String = "*", since: UInt64? = nil) -> AsyncStream<
        EventDelivery
    > {
        AsyncStream(bufferingPolicy: .bufferingOldest(Self.bufferLimit)) { continuation in
            let box = BoundedDelivery(continuation, gap: EventDelivery.gap(missed:))
            let key = state.withLock { state in
                if let since {
                    let remembered = Self.remembered(state)
                    if let first = remembered.first, first.id > since + 1 {
                        box.miss(Int(clamping: first.id - since - 1))
                    }
                    for event in remembered where event.id > since && event.matches(pattern) {
                        box.deliver(.event(event))
                    }
                }
                let listener = Listener(pattern: pattern) { box.deliver(.event($0)) }
                return Self.add(listener, to: &state)
            }
            continuation.onTermination = { [weak self] _ in self?.remove(key) }
        }
    }

    /// Calls `handler` for each event that matches `pattern`, one at a time and in order, until the token ends.
    public func on(
        _ pattern: String, _ handler: @escaping @Sendable (Event) async -> Void
    ) -> EventToken {
        let stream = events(matching: pattern)
        let task = Task {
            for await delivery in stream {
                if case .event(let event) = delivery { await handler(event) }
            }
        }
        return EventToken { task.cancel() }
    }

    /// The id of the latest event, 0 before the first.
    public var latestID: UInt64 { state.withLock { $0.nextID - 1 } }

    /// Listeners at the moment; for tests of what is left behind.
    public var listenerCount: Int { state.withLock { $0.listeners.count } }

    private static func remembered(_ state: State) -> [Event] {
        Array(state.history[state.oldest...] + state.history[..<state.oldest])
    }

    private static func add(_ listener: Listener, to state: inout State) -> Int {
        let key = state.nextListener
        state.nextListener += 1
        state.listeners.append((key, listener))
        tellWatchers(&state)
        return key
    }

    private func remove(_ key: Int) {
        state.withLock { state in
            state.listeners.removeAll { $0.key == key }
            Self.tellWatchers(&state)
        }
    }

    /// Milliseconds since 1970-01-01 UTC, by the wall clock.
    package static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
