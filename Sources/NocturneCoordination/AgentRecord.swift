// AgentRecord.swift — what a session has seen of an agent: how it did, whether it may be given work now. Circuit
// breaker and restart intensity are here. Next: Roster.swift.

/// What a session has seen of an agent. Kept when it leaves, for when it comes back.
struct AgentRecord: Sendable {
    enum Health: Sendable, Hashable {
        case well
        /// It failed often: nothing until its timer, then one trial.
        case resting
        case onTrial
        /// It crashed: nothing until its timer.
        case restarting
    }
    var descriptor: AgentDescriptor
    /// Where it stands among those who joined: the order of rosters.
    var joined: Int
    var isPresent = true
    var health = Health.well
    var running = 0
    var started = 0
    var succeeded = 0
    var failed = 0
    /// Of those that succeeded.
    var timeSpent = Duration.zero
    private var failuresInRow = 0
    private var rests = 0
    private var crashes: [Duration] = []

    init(_ descriptor: AgentDescriptor, joined: Int) {
        self.descriptor = descriptor
        self.joined = joined
    }

    /// Whether it can be given another work now.
    var isFree: Bool {
        guard isPresent else { return false }
        switch health {
        case .well: return running < descriptor.concurrency
        case .onTrial: return running == 0
        case .resting, .restarting: return false
        }
    }

    /// The part of its works that succeed, as far as known: one success and one failure are assumed, so that the first
    /// ones do not decide everything (Laplace's rule).
    var successRate: Double { Double(succeeded + 1) / Double(succeeded + failed + 2) }

    /// How long a work takes with it; `nil` before its first success.
    var meanDuration: Duration? { succeeded > 0 ? timeSpent / succeeded : nil }

    mutating func succeeded(after time: Duration) {
        succeeded += 1
        timeSpent += time
        failuresInRow = 0
        rests = 0
        if health == .onTrial { health = .well }
    }

    /// Notes a failure.
    ///
    /// - Returns: how long it has to rest now, if it has to.
    mutating func failed(by policy: SessionPolicy) -> Duration? {
        failed += 1
        failuresInRow += 1
        guard health == .onTrial || (health == .well && failuresInRow >= policy.breakerThreshold)
        else { return nil }
        health = .resting
        rests += 1
        return policy.breakerCooldown.doubled(rests - 1, limit: policy.longestBreakerCooldown)
    }

    /// Notes a crash.
    ///
    /// - Returns: how long it is left alone before it is restarted; `nil` if it crashed too often and has to leave.
    mutating func crashed(at now: Duration, by policy: SessionPolicy) -> Duration? {
        crashes.removeAll { now - $0 > policy.restartPeriod }
        crashes.append(now)
        guard crashes.count <= policy.restarts else { return nil }
        health = .restarting
        return policy.restartDelay.doubled(crashes.count - 1, limit: policy.restartPeriod)
    }

    /// It is there again: after a restart, or because it joined anew.
    mutating func recovered() {
        health = .well
        failuresInRow = 0
    }

    /// It came back under its name; what is known of it stays known.
    mutating func rejoined(as descriptor: AgentDescriptor, joined: Int) {
        self.descriptor = descriptor
        self.joined = joined
        isPresent = true
        running = 0
        crashes = []
        rests = 0
        recovered()
    }
}

extension Duration {
    /// Twice itself, `times` over, but at most `limit`.
    func doubled(_ times: Int, limit: Duration) -> Duration {
        var result = self
        for _ in 0..<max(times, 0) where result < limit { result *= 2 }
        return min(result, limit)
    }
}
