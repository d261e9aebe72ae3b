// SessionTimers.swift — what a session does at which moment. Next: WorkRecord.swift.

/// What is due at a moment.
enum TimerKey: Sendable, Hashable {
    /// An attempt has taken too long.
    case timeout(Epoch)
    /// No sign of life came for too long.
    case lease(Epoch)
    /// A work may be tried again.
    case retry(Int)
    /// Nobody came who can do the work.
    case grace(Int)
    /// A work has waited long enough for somebody better.
    case lane(Int)
    /// An agent may be given a trial.
    case breaker(AgentID)
    /// An agent is restarted.
    case restart(AgentID)
    case budgetWarning
    case budgetWrapUp
    case budgetEnd
    case strategy(String)
    case question(String)

    /// Whether it waits while a session is paused.
    var isHeldByPause: Bool {
        switch self {
        case .strategy, .question, .grace: true
        default: false
        }
    }
}

/// Moments, the earliest first; equal ones in the order in which they were set.
struct SessionTimers: Sendable {
    private struct Entry: Sendable {
        let due: Duration
        let number: Int
        let key: TimerKey

        func isBefore(_ other: Entry) -> Bool { (due, number) < (other.due, other.number) }
    }
    /// A binary heap with stale entries among it.
    private var heap: [Entry] = []
    private var current: [TimerKey: Int] = [:]
    private var nextNumber = 0

    /// Sets a timer, or sets it anew.
    mutating func set(_ key: TimerKey, at due: Duration) {
        nextNumber += 1
        current[key] = nextNumber
        push(Entry(due: due, number: nextNumber, key: key))
        if heap.count > 64, heap.count > 4 * current.count { rebuild() }
    }

    mutating func cancel(_ key: TimerKey) { current[key] = nil }

    func isSet(_ key: TimerKey) -> Bool { current[key] != nil }

    /// The earliest moment.
    mutating func nextDue() -> Duration? {
        dropStale()
        return heap.first?.due
    }

    /// Takes out the earliest of those that are due.
    mutating func pop(dueAt now: Duration) -> TimerKey? {
        dropStale()
        guard let first = heap.first, first.due <= now else { return nil }
        current[first.key] = nil
        removeFirst()
        return first.key
    }

    /// Takes out all whose key is meant, in the order in which they are due.
    mutating func remove(where isMeant: (TimerKey) -> Bool) {
        for entry in heap where isMeant(entry.key) { current[entry.key] = nil }
        rebuild()
    }

    private mutating func dropStale() {
        while let first = heap.first, current[first.key] != first.number { removeFirst() }
    }

    private mutating func rebuild() {
        let kept = heap.filter { current[$0.key] == $0.number }
        heap = []
        heap.reserveCapacity(kept.count)
        for entry in kept { push(entry) }
    }

    private mutating func push(_ entry: Entry) {
        heap.append(entry)
        var index = heap.count - 1
        while index > 0, entry.isBefore(heap[(index - 1) / 2]) {
            heap[index] = heap[(index - 1) / 2]
            index = (index - 1) / 2
        }
        heap[index] = entry
    }

    private mutating func removeFirst() {
        guard let entry = heap.popLast(), !heap.isEmpty else { return }
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(entry) else { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = entry
    }
}
