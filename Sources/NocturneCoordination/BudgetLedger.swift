// BudgetLedger.swift — what an execution may use, has reserved and has used. Next: SessionCore+Works.swift.

/// What an attempt may use, taken out of the budget before it starts.
struct Reservation: Sendable, Hashable {
    var tokens: Int64 = 0
    var cost: Double = 0
}

/// The account of one execution. Reserved before, settled after.
struct BudgetLedger: Sendable {
    /// The part of a limit at which there is a warning.
    static let warningShare = 0.8
    /// The part of the time after which an execution is wound up.
    static let wrapUpShare = 0.95

    enum Decision: Sendable, Hashable {
        case reserved(Reservation)
        /// It would fit if those that are under way use less than was reserved for them.
        case wait
        case exhausted(BudgetLimit)
    }

    let budget: Budget
    private(set) var used = Usage()
    private var reservedTokens: Int64 = 0
    private var reservedCost: Double = 0
    private var warned: Set<BudgetLimit> = []

    init(_ budget: Budget) { self.budget = budget }

    /// Reserves what an attempt may use, and counts it.
    ///
    /// - Parameter isWrapUp: the last turn, which may go beyond the limits once.
    mutating func reserve(tokens: Int64?, cost: Double, isWrapUp: Bool) -> Decision {
        let wanted = Reservation(tokens: tokens ?? budget.tokensPerWork, cost: cost)
        if !isWrapUp {
            if let limit = budget.works, used.works >= limit { return .exhausted(.works) }
            switch fits(used.tokens, reservedTokens, wanted.tokens, budget.tokens) {
            case .no: return .exhausted(.tokens)
            case .later: return .wait
            case .yes: break
            }
            switch fits(used.cost, reservedCost, wanted.cost, budget.cost) {
            case .no: return .exhausted(.cost)
            case .later: return .wait
            case .yes: break
            }
        }
        used.works += 1
        reservedTokens = sum(reservedTokens, wanted.tokens)
        reservedCost += wanted.cost
        return .reserved(wanted)
    }

    /// Gives back what was reserved, and books what was used.
    mutating func settle(_ reservation: Reservation, _ usage: Usage) {
        reservedTokens = max(reservedTokens - reservation.tokens, 0)
        reservedCost = max(reservedCost - reservation.cost, 0)
        used = used + Usage(tokens: usage.tokens, cost: usage.cost)
    }

    /// Books messages.
    ///
    /// - Returns: whether the limit allows them.
    mutating func book(messages: Int) -> Bool {
        guard used.messages + messages <= budget.messages ?? .max else { return false }
        used.messages += messages
        return true
    }

    /// Limits of which four fifths are used up or reserved by now, each once.
    mutating func takeWarnings() -> [BudgetLimit] {
        var reached: [BudgetLimit] = []
        func check(_ limit: BudgetLimit, _ value: Double, _ of: Double?) {
            guard let of, value >= of * Self.warningShare else { return }
            reached.append(limit)
        }
        check(.works, Double(used.works), budget.works.map(Double.init))
        check(.messages, Double(used.messages), budget.messages.map(Double.init))
        check(
            .tokens, Double(sum(used.tokens, reservedTokens)), budget.tokens.map { Double($0) })
        check(.cost, used.cost + reservedCost, budget.cost)
        return reached.filter { warned.insert($0).inserted }
    }

    /// What is left of the tokens; `nil` if they are not limited.
    var tokensLeft: Int64? { budget.tokens.map { max($0 - used.tokens, 0) } }

    /// What is left of the messages; `nil` if they are not limited.
    var messagesLeft: Int? { budget.messages.map { max($0 - used.messages, 0) } }

    /// What is left of the attempts; `nil` if they are not limited.
    var worksLeft: Int? { budget.works.map { max($0 - used.works, 0) } }

    private enum Fit { case yes, later, no }

    private func fits(_ used: Int64, _ reserved: Int64, _ wanted: Int64, _ limit: Int64?) -> Fit {
        guard let limit else { return .yes }
        if used >= limit || sum(used, wanted) > limit { return .no }
        return sum(sum(used, reserved), wanted) <= limit ? .yes : .later
    }

    private func fits(_ used: Double, _ reserved: Double, _ wanted: Double, _ limit: Double?) -> Fit
    {
        guard let limit else { return .yes }
        if used >= limit || used + wanted > limit { return .no }
        return used + reserved + wanted <= limit ? .yes : .later
    }

    private func sum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }
}
