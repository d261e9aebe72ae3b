// TaskID.swift — the names of tasks and of those who run them. Next: TaskState.swift.

/// The name of a task: a positive number that its store gives out, each one once.
public struct TaskID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Greater for tasks that were added later.
    public let number: Int64

    /// A task by its number.
    public init(_ number: Int64) { self.number = number }

    /// Reads what ``description`` shows; `nil` if `text` is no positive number.
    public init?(_ text: String) {
        guard let number = Int64(text), number > 0 else { return nil }
        self.number = number
    }

    /// The number in decimal. In JSON an id is this string, because not every reader has 64 bits.
    public var description: String { "\(number)" }

    /// The order in which they were added.
    public static func < (left: TaskID, right: TaskID) -> Bool { left.number < right.number }
}

/// The name of one who runs tasks: one manager in one process. Never used again by another.
public struct WorkerID: Sendable, Hashable, CustomStringConvertible {
    /// As in the store.
    public let description: String

    /// A worker by its name.
    public init(_ description: String) { self.description = description }
}
