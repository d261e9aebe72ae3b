// RunOverlap.swift — what happens if a run is due while an earlier one of its schedule has not ended.
// Next: Schedule.swift.

/// What happens if a run is due while earlier ones of the same schedule have not ended.
public enum RunOverlap: String, Sendable, Hashable, CaseIterable {
    /// The new run does not happen.
    case skip
    /// One run waits for the earlier one to end; a further one does not happen.
    case queueOne
    /// They run side by side.
    case allow
    /// The earlier ones are cancelled, then the new one runs.
    case cancelRunning

    /// What to do with a run that is due.
    public enum Decision: Sendable, Hashable {
        /// It starts at once.
        case start
        /// It starts when no earlier one runs any more.
        case wait
        /// It is recorded as skipped.
        case skip
        /// The earlier ones are cancelled; it starts when they have ended, in place of any that waits for the same.
        case cancelThenStart
    }

    /// What to do with a run that is due while `running` earlier ones run and `waiting` ones wait.
    public func decide(running: Int, waiting: Int) -> Decision {
        if running + waiting == 0 { return .start }
        return switch self {
        case .skip: .skip
        case .queueOne: waiting == 0 ? .wait : .skip
        case .allow: .start
        case .cancelRunning: .cancelThenStart
        }
    }
}
