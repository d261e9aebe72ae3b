// StrategyCatalog.swift — the strategies that sessions can choose, and the running one of an execution.
// Next: SessionCore.swift.

internal import NocturneCore

/// The strategies that sessions can choose by name.
package struct StrategyCatalog: Sendable {
    private enum Entry: Sendable {
        case local(any Strategy.Type)
        case remote
    }
    private var entries: [String: Entry] = [:]

    package init(_ strategies: [any Strategy.Type] = []) {
        for strategy in strategies { entries[strategy.name] = .local(strategy) }
    }

    /// The five strategies that are always there.
    package static let builtIn = StrategyCatalog([
        HierarchicalStrategy.self, PeerToPeerStrategy.self, PipelineStrategy.self,
        ParallelStrategy.self, ConsensusStrategy.self,
    ])

    /// The names, in order.
    package var names: [String] { entries.keys.sorted() }

    /// Adds a Swift strategy.
    package mutating func add(_ strategy: any Strategy.Type) throws(CoordinationError) {
        try add(strategy.name, .local(strategy))
    }

    /// Adds a strategy whose steps are made elsewhere: ``SessionEffect/step(_:)``.
    package mutating func addRemote(_ name: String) throws(CoordinationError) {
        try add(name, .remote)
    }

    /// Forgets a strategy; sessions that use it go on with it.
    package mutating func remove(_ name: String) { entries[name] = nil }

    /// Makes a strategy for one execution.
    func make(_ name: String, _ parameters: JSONValue) throws(CoordinationError) -> StrategyDriver {
        switch entries[name] {
        case .local(let type): .local(try type.init(parameters: parameters))
        case .remote: .remote(name, parameters: parameters, state: .null)
        case nil: throw .unknownStrategy(name, known: names)
        }
    }

    private mutating func add(_ name: String, _ entry: Entry) throws(CoordinationError) {
        guard entries[try Name.check(name, of: "strategy")] == nil else {
            throw .strategyExists(name)
        }
        entries[name] = entry
    }
}

/// The strategy of an execution that is going on.
enum StrategyDriver: Sendable {
    /// Its steps are calls.
    case local(any Strategy)
    /// It is in the middle of such a call; held nowhere else meanwhile, so that it need not copy what it changes.
    case stepping
    /// Its steps are made elsewhere; the state is what the last one left.
    case remote(String, parameters: JSONValue, state: JSONValue)
}
