// HeldKeys.swift — which task holds a key for which there may be only one. Next: TaskTable+Add.swift.

internal import NocturneCore

/// The tasks that hold keys, some of them for longer than they are kept themselves.
struct HeldKeys<Key: Hashable & Sendable>: Sendable {
    struct Holder: Sendable {
        let id: TaskID
        /// Until then it holds the key, however it ends.
        let end: UnixTime
        /// How it ended, if it is not kept any more.
        var lastState: TaskState?
    }

    private var holders: [Key: Holder] = [:]
    private var sweepCount = 1_024

    /// Who holds a key now.
    func holder(of key: Key, now: UnixTime) -> Holder? {
        holders[key].flatMap { $0.end > now ? $0 : nil }
    }

    /// The newest task wins.
    mutating func hold(_ key: Key, _ id: TaskID, until end: UnixTime, now: UnixTime) {
        if let holder = holders[key], holder.id > id, holder.end > now { return }
        holders[key] = Holder(id: id, end: end)
        // Costs as much as all that was added since the last time.
        guard holders.count >= sweepCount else { return }
        holders = holders.filter { $0.value.end > now }
        sweepCount = max(1_024, holders.count * 2)
    }

    mutating func release(_ key: Key, by id: TaskID) {
        if holders[key]?.id == id { holders[key] = nil }
    }

    /// The holder is not kept any more, but its key still counts.
    mutating func outlive(_ key: Key, _ id: TaskID, _ state: TaskState) {
        if holders[key]?.id == id { holders[key]?.lastState = state }
    }
}
