// PluginPool.swift — the tasks that plugins run, and the places they have for them.
// Next: BackgroundTaskManager+Plugins.swift.

internal import NocturneCore

/// The names that a plugin handles, and its places that are held for the next claim.
///
/// A place is taken only while a task waits for it, and before the task is claimed: so nothing is claimed that cannot
/// start, and the plugin's tools are not kept waiting for nothing.
struct PluginPool: Sendable {
    /// What is done about a place.
    enum Search: Sendable {
        /// No task waits for one.
        case none
        /// A task was passed over because no place was held.
        case wanted
        /// None was free; this job waits in the plugin's line for one.
        case waiting(Task<Void, Never>)
    }

    let names: Set<String>
    var places: [any PluginPlace] = []
    var search = Search.none

    init(names: Set<String>) { self.names = names }

    /// A claim did, or did not, pass over a task because no place was left.
    mutating func note(isShort: Bool) {
        switch (search, isShort) {
        case (.none, true): search = .wanted
        case (.wanted, false): search = .none
        default: break
        }
    }

    var isWanted: Bool { if case .wanted = search { true } else { false } }

    var isWaiting: Bool { if case .waiting = search { true } else { false } }

    func stopWaiting() { if case .waiting(let job) = search { job.cancel() } }
}

/// The pools of all plugins that run tasks.
struct PluginPools: Sendable {
    var caller: (any PluginCaller)?
    var pools: [PluginID: PluginPool] = [:]
    /// In the order of a claim's places.
    private(set) var order: [PluginID] = []
    /// The place that each name needs: an index of ``order``.
    private(set) var sharing: [String: Int] = [:]

    /// Sets a plugin up, or takes it away.
    mutating func set(_ pool: PluginPool?, for plugin: PluginID) {
        pools[plugin] = pool
        order = pools.keys.sorted()
        sharing = [:]
        for (index, plugin) in order.enumerated() {
            for name in pools[plugin]?.names ?? [] { sharing[name] = index }
        }
    }

    var wanted: [PluginID] { order.filter { pools[$0]?.isWanted == true } }

    /// How many places are held, in ``order``.
    var places: [Int] { order.map { pools[$0]?.places.count ?? 0 } }

    mutating func takePlace(for name: String) -> (any PluginPlace)? {
        sharing[name].flatMap { pools[order[$0]]?.places.popLast() }
    }

    mutating func takeAllPlaces(areWanted: Bool) -> [any PluginPlace] {
        var places: [any PluginPlace] = []
        for plugin in order {
            guard var pool = pools[plugin], !pool.places.isEmpty else { continue }
            places += pool.places
            pool.places = []
            if areWanted { pool.note(isShort: true) }
            pools[plugin] = pool
        }
        return places
    }

    /// Notes what a claim passed over, whose places were those of `order`. Returns whether a place should be looked for.
    mutating func note(short: Set<Int>, of order: [PluginID]) -> Bool {
        for (index, plugin) in order.enumerated() {
            pools[plugin]?.note(isShort: short.contains(index))
        }
        return order.contains { pools[$0]?.isWanted == true }
    }
}
