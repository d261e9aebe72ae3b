// Strategy.swift — how a session goes about a goal: a pure step from what happened to what shall be done.
// Next: StrategyInput.swift, StrategyCommand.swift.

public import NocturneCore

/// How a session goes about a goal.
///
/// A strategy is a value that is told what happened, one thing at a time and in order, and says what shall be done. It
/// has no clock, no randomness and does nothing itself: equal inputs give equal commands, because a session is resumed
/// by replaying what happened. Each execution has one of its own. The session sees to the rest: who does a work,
/// retries, timeouts, leases, budgets, pauses.
///
/// The session ends an execution in which nothing is going on any more: first it says so
/// (``StrategyInput/quiescent``), and if nothing follows, the outcome is `failed(quiescentWithoutResult)`.
public protocol Strategy: Sendable {
    /// The name by which sessions choose it.
    static var name: String { get }

    /// Reads its parameters.
    ///
    /// - Throws: ``CoordinationError/invalidParameters(strategy:_:)`` or
    ///   ``CoordinationError/malformed(_:expected:found:)``.
    init(parameters: JSONValue) throws(CoordinationError)

    /// Takes in what happened and says what shall be done now, in order.
    mutating func step(_ input: StrategyInput) -> [StrategyCommand]
}
