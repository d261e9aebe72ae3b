// BackgroundTaskManager+Plugins.swift — tasks that plugins run: who runs which, and how places are found for them.
// Next: PluginRun.swift.

package import NocturneCore
internal import Synchronization

extension BackgroundTaskManager {
    /// Has a plugin run the tasks of these names, and of no others; none of these may be another plugin's. Those that
    /// waited for it start; attempts that run go on.
    ///
    /// - Returns: those of the names that a handler of this program runs: that one is preferred.
    @discardableResult
    package func setTasks(
        _ names: Set<String>, of plugin: PluginID, through caller: any PluginCaller
    ) -> Set<String> {
        let (old, shadowed) = state.withLock { state in
            let old = state.plugins.pools[plugin]
            if old?.names == names { return (nil as PluginPool?, names.intersection(state.names)) }
            let pool = PluginPool(names: names)
            state.plugins.caller = caller
            state.plugins.set(names.isEmpty ? nil : pool, for: plugin)
            return (old, names.intersection(state.names))
        }
        old?.stopWaiting()
        for place in old?.places ?? [] { place.giveBack() }
        wake()
        return shadowed
    }

    /// Takes a place for each pool that lacks one, or gets in line for it.
    func takePlaces() {
        let (caller, wanted) = state.withLock { ($0.plugins.caller, $0.plugins.wanted) }
        guard let caller else { return }
        for plugin in wanted {
            let place = caller.takePlace(in: plugin)
            let rest = state.withLock { state -> (any PluginPlace)? in
                guard var pool = state.plugins.pools[plugin], pool.isWanted else { return place }
                if let place {
                    pool.places.append(place)
                    pool.search = .none
                } else {
                    pool.search = .waiting(getInLine(caller, plugin))
                }
                state.plugins.pools[plugin] = pool
                return nil
            }
            rest?.giveBack()
        }
    }

    private func getInLine(_ caller: any PluginCaller, _ plugin: PluginID) -> Task<Void, Never> {
        Task { [weak self] in
            let place = await caller.waitForPlace(in: plugin)
            guard let place else { return }
            guard let self, !Task.isCancelled else { return place.giveBack() }
            let isTaken = state.withLock { state in
                guard var pool = state.plugins.pools[plugin], !state.isDraining else {
                    return false
                }
                pool.places.append(place)
                pool.search = .none
                state.plugins.pools[plugin] = pool
                return true
            }
            if isTaken { wake() } else { place.giveBack() }
        }
    }

    /// Gives back the places that are held: a claim did not use them.
    func giveBackPlaces() {
        let places = state.withLock { $0.plugins.takeAllPlaces() }
        for place in places { place.giveBack() }
    }

    /// Stops waiting for places.
    func leaveLines() {
        for pool in state.withLock({ Array($0.plugins.pools.values) }) { pool.stopWaiting() }
    }
}
