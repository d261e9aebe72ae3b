// Promise.swift — a value that comes once, and those who wait for it.

import Synchronization

/// A value that is fulfilled once; later fulfillments are ignored. Thread-safe.
package final class Promise<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [Int: @Sendable (Value?) -> Void] = [:]
        var nextKey = 0
    }
    private let state = Mutex(State())

    /// One that has not come.
    package init() {}

    /// The value, if it has come.
    package var current: Value? { state.withLock { $0.value } }

    /// Returns whether this call fulfilled it.
    @discardableResult
    package func fulfill(_ value: Value) -> Bool {
        let waiters = state.withLock { state -> [@Sendable (Value?) -> Void]? in
            guard state.value == nil else { return nil }
            state.value = value
            let waiters = Array(state.waiters.values)
            state.waiters.removeAll()
            return waiters
        }
        guard let waiters else { return false }
        for waiter in waiters { waiter(value) }
        return true
    }

    /// Waits for the value, however long. Does not react to cancellation.
    package var value: Value {
        get async {
            await withUnsafeContinuation { continuation in
                whenFulfilled { continuation.resume(returning: $0) }
            }
        }
    }

    /// Waits for the value. `nil` after `limit` without one. Does not react to cancellation: it is for what must be
    /// known.
    package func value(within limit: Duration) async -> Value? {
        if let value = current { return value }
        let timer = Mutex<Task<Void, Never>?>(nil)
        let value = await withUnsafeContinuation { continuation in
            let key = add { continuation.resume(returning: $0) }
            guard let key else { return }
            let task = Task {
                do {
                    try await Task.sleep(for: limit)
                } catch {
                    return  // the value came first
                }
                self.remove(key)?(nil)
            }
            timer.withLock { $0 = task }
        }
        timer.withLock { $0?.cancel() }
        return value
    }

    /// Calls `waiter` with the value, now or when it comes.
    package func whenFulfilled(_ waiter: @escaping @Sendable (Value) -> Void) {
        _ = add { value in
            if let value { waiter(value) }
        }
    }

    private func add(_ waiter: @escaping @Sendable (Value?) -> Void) -> Int? {
        let (key, value) = state.withLock { state -> (Int?, Value?) in
            if let value = state.value { return (nil, value) }
            let key = state.nextKey
            state.nextKey += 1
            state.waiters[key] = waiter
            return (key, nil)
        }
        if let value { waiter(value) }
        return key
    }

    private func remove(_ key: Int) -> (@Sendable (Value?) -> Void)? {
        state.withLock { $0.waiters.removeValue(forKey: key) }
    }
}
