// Counter.swift — how often handlers ran, counted from any thread.

import Synchronization

/// Counts from any thread.
final class Counter: Sendable {
    private let value = Mutex(0)
    var current: Int { value.withLock { $0 } }
    func add(_ number: Int) -> Int {
        value.withLock { value in
            value += number
            return value
        }
    }
}
