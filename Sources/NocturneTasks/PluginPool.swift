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
        /// Nothing, as far as is known no task waits for one.
        case none
        /// The next task lacks one.
        case wanted
        /// None was free; this job waits in the plugin's line for one.
        case waiting(Task<Void, Never>)
    }

    let names: Set<String>
    var places: [any PluginPlace] = []
    var search = Search.none

    init(names: Set<String>) { self.names = names }

    var isWanted: Bool { if case .wanted = search { true } else { false } }

    var isWaiting: Bool { if case .waiting = search { true } else { false } }

    /// How many places a claim may use; `nil`: it need not wait for any.
    var count: Int? { isWaiting && places.isEmpty ? nil : places.count }

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

    /// The places for a claim, in ``order``.
    var places: [Int?] { order.map { pools[$0]?.count } }

    mutating func takePlace(for name: String) -> (any PluginPlace)? {
        sharing[name].flatMap { pools[order[$0]]?.places.popLast() }
    }

    mutating func takeAllPlaces() -> [any PluginPlace] {
        var places: [any PluginPlace] = []
        for plugin in order where pools[plugin]?.places.isEmpty == false {
            places += pools[plugin]?.places ?? []
            pools[plugin]?.places = []
        }
        return places
    }
}
