// TaskRecords.swift — the tasks of a table by their ids. Next: TaskTable.swift.

internal import NocturneCore

/// Tasks by their ids.
///
/// One dictionary would stand still for as long as it takes to move a million tasks whenever it doubles; of many, one
/// at a time does, and ids spread evenly because they are given out in order.
struct TaskRecords: Sendable {
    private static let parts: Int64 = 64
    private var dictionaries = [[TaskID: TaskRecord]](repeating: [:], count: Int(parts))

    subscript(id: TaskID) -> TaskRecord? {
        get { dictionaries[Self.part(of: id)][id] }
        set { dictionaries[Self.part(of: id)][id] = newValue }
    }

    var count: Int { dictionaries.reduce(0) { $0 + $1.count } }

    /// All ids, in no order.
    var ids: [TaskID] { dictionaries.flatMap(\.keys) }

    private static func part(of id: TaskID) -> Int {
        Int(truncatingIfNeeded: id.number & (parts - 1))
    }
}

/// Finished tasks in the order in which they ended, so that the oldest can go first.
struct FinishedTasks: Sendable {
    struct Entry: Sendable {
        let id: TaskID
        let time: UnixTime
    }

    private var entries: [Entry] = []
    private var start = 0

    var count: Int { entries.count - start }
    var first: Entry? { start < entries.count ? entries[start] : nil }
    /// From the oldest to the newest.
    var all: ArraySlice<Entry> { entries[start...] }

    mutating func append(_ id: TaskID, at time: UnixTime) {
        entries.append(Entry(id: id, time: time))
    }

    mutating func removeFirst() {
        start += 1
        // Moves what is left only when that is less than what went.
        if start > 1_024, start * 2 > entries.count {
            entries.removeFirst(start)
            start = 0
        }
    }
}

/// Something that happens to a task at a moment.
struct TaskTimer: Comparable, Sendable {
    enum Kind: UInt8, Sendable {
        /// Its time has come.
        case due
        /// It fails if it has not ended.
        case deadline
        /// Its result is dropped.
        case resultExpires
    }

    let time: UnixTime
    let id: TaskID
    let kind: Kind

    static func < (left: TaskTimer, right: TaskTimer) -> Bool {
        left.time != right.time ? left.time < right.time : left.id < right.id
    }
}

/// A unique key, with the name of the tasks for which it counts.
struct UniqueName: Hashable, Sendable {
    let name: String
    let key: String
}

/// The tasks of a graph.
struct GraphMembers: Sendable {
    var ids: [TaskID] = []
    var unfinished = 0
}
