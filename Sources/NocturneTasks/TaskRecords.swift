// TaskRecords.swift — the tasks of a table by their ids. Next: TaskTable.swift.

internal import NocturneCore

/// Tasks by their ids.
///
/// One table would stand still for as long as it takes to move a million tasks whenever it doubles; of many, one at a
/// time does, and ids spread evenly because they are given out in order. Not dictionaries, because the keys are numbers
/// that nobody else chooses: hashing them against an attacker is a third of the cost of a task's life.
struct TaskRecords: Sendable {
    private static let partBits: Int64 = 6
    private var parts = [RecordTable](repeating: RecordTable(), count: 1 << Int(partBits))

    subscript(id: TaskID) -> TaskRecord? {
        get { parts[Self.part(of: id)][id] }
        set { parts[Self.part(of: id)][id] = newValue }
    }

    /// Whether a task is available in this order. Copies nothing.
    func isReady(_ entry: ReadyTask) -> Bool { parts[Self.part(of: entry.id)].isReady(entry) }

    /// Whether a task ended at this moment, and was not tried again. Copies nothing.
    func isFinished(_ id: TaskID, at time: UnixTime) -> Bool {
        parts[Self.part(of: id)].isFinished(id, at: time)
    }

    var count: Int { parts.reduce(0) { $0 + $1.count } }

    /// All ids, in no order.
    var ids: [TaskID] { parts.flatMap(\.ids) }

    private static func part(of id: TaskID) -> Int {
        Int(truncatingIfNeeded: id.number & (1 << partBits - 1))
    }

    /// A hash of what is the same within a part.
    fileprivate static func hash(_ id: Int64) -> UInt64 {
        // Knuth's multiplicative hash: neighbors end up far apart.
        UInt64(bitPattern: id >> partBits) &* 0x9E37_79B9_7F4A_7C15
    }
}

/// A hash table with linear probing from ids to places in arrays.
private struct RecordTable: Sendable {
    private struct Slot: Sendable {
        /// An id; 0 if there is none.
        var key: Int64 = 0
        var place: Int32 = 0
    }

    /// What is asked of a task far more often than all that is known of it: so nothing else need be looked at.
    private struct Mark: Sendable {
        /// Where it stands in its lane, if it is available.
        var order: Int64?
        /// When it ended, if it has.
        var end: UnixTime?

        init(_ record: TaskRecord) {
            order = record.state == .available ? record.order : nil
            end = record.state.isFinished ? record.finished : nil
        }
    }

    /// A power of two of them, at most three quarters in use.
    private var slots: [Slot] = []
    private var records: [TaskRecord?] = []
    private var marks: [Mark] = []
    private var free: [Int32] = []

    var count: Int { records.count - free.count }
    var ids: [TaskID] { slots.filter { $0.key != 0 }.map { TaskID($0.key) } }

    subscript(id: TaskID) -> TaskRecord? {
        get { place(of: id).map { records[$0] } ?? nil }
        set {
            if let newValue {
                if let place = place(of: id) {
                    records[place] = newValue
                    marks[place] = Mark(newValue)
                } else {
                    insert(newValue)
                }
            } else if let slot = slot(of: id.number) {
                remove(slot)
            }
        }
    }

    func isReady(_ entry: ReadyTask) -> Bool {
        place(of: entry.id).map { marks[$0].order == entry.order } ?? false
    }

    func isFinished(_ id: TaskID, at time: UnixTime) -> Bool {
        place(of: id).map { marks[$0].end == time } ?? false
    }

    private func home(_ key: Int64) -> Int {
        Int(truncatingIfNeeded: TaskRecords.hash(key) >> 32) & (slots.count - 1)
    }

    private func place(of id: TaskID) -> Int? { slot(of: id.number).map { Int(slots[$0].place) } }

    private func slot(of key: Int64) -> Int? {
        guard !slots.isEmpty else { return nil }
        var slot = home(key)
        while slots[slot].key != key {
            if slots[slot].key == 0 { return nil }
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private mutating func insert(_ record: TaskRecord) {
        if (count + 1) * 4 > slots.count * 3 { grow() }
        let place = free.popLast() ?? Int32(records.count)
        if Int(place) == records.count {
            records.append(record)
            marks.append(Mark(record))
        } else {
            records[Int(place)] = record
            marks[Int(place)] = Mark(record)
        }
        put(Slot(key: record.id.number, place: place))
    }

    private mutating func put(_ new: Slot) {
        var slot = home(new.key)
        while slots[slot].key != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = new
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: max(16, old.count * 2))
        for slot in old where slot.key != 0 { put(slot) }
    }

    private mutating func remove(_ removed: Int) {
        records[Int(slots[removed].place)] = nil
        free.append(slots[removed].place)
        // Close the gap: whoever could stand in it, because its home is not behind it, moves there.
        var gap = removed, slot = (removed + 1) & (slots.count - 1)
        while slots[slot].key != 0 {
            let distance = (slot - home(slots[slot].key)) & (slots.count - 1)
            if distance >= (slot - gap) & (slots.count - 1) {
                slots[gap] = slots[slot]
                gap = slot
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[gap].key = 0
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
    /// In order, also those that are not kept any more.
    private(set) var ids: [TaskID] = []
    var unfinished = 0
    var kept = 0

    /// Whether it was new.
    mutating func insert(_ id: TaskID) -> Bool {
        guard let last = ids.last, last >= id else {
            ids.append(id)
            return true
        }
        // Only tasks that are read back come out of order.
        let place = (ids.lastIndex { $0 < id } ?? -1) + 1
        if ids[place] == id { return false }
        ids.insert(id, at: place)
        return true
    }
}
