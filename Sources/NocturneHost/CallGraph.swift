// CallGraph.swift — which plugins wait for which, so that a ring of them is refused instead of waited for.

import NocturneCore
import Synchronization

/// Where a call stands in a chain of plugins that call each other (DESIGN §7, *Calls between plugins*).
struct CallContext: Sendable {
    /// Calls in a chain at most.
    static let depthLimit = 16

    /// 1 for a call from outside.
    var depth = 1
    /// The plugins of the chain, from outside in.
    var chain: [PluginID] = []
    /// The node of this call in the graph; `nil` for a call from outside.
    var node: CallGraph.NodeID?
}

/// The calls that plugins made of plugins, and whether each can still come to an end.
///
/// A plugin is stuck when all its running calls wait for nested calls that are stuck; a nested call that waits for a
/// place is stuck when the plugin is. Only nested calls are recorded, so calls from outside cost nothing here.
final class CallGraph: Sendable {
    typealias NodeID = UInt64

    /// Which call of the caller waits: its worker and slot, told apart from the caller's other calls.
    struct CallKey: Hashable, Sendable {
        let worker: ObjectIdentifier
        let slot: UInt32
        let generation: UInt32
    }
    private struct Node {
        let caller: PluginID
        let callerKey: CallKey
        let callee: PluginID
        let parent: NodeID?
        var isQueued = true
    }
    private struct State {
        var nextID: NodeID = 1
        var nodes: [NodeID: Node] = [:]
    }
    private let state = Mutex(State())

    /// Records that `caller`'s call waits for a place in `callee`.
    ///
    /// - Parameter running: calls that run in a plugin at the moment, and whether all its places are taken.
    /// - Returns: the node, or the ring that the call would close.
    func enter(
        caller: PluginID, key: CallKey, callee: PluginID, parent: NodeID?,
        running: (PluginID) -> (count: Int, isFull: Bool)
    ) -> Result<NodeID, Ring> {
        state.withLock { state in
            let id = state.nextID
            state.nextID += 1
            state.nodes[id] = Node(caller: caller, callerKey: key, callee: callee, parent: parent)
            guard running(callee).isFull else { return .success(id) }
            var path: [PluginID] = [caller]
            if isLive(id, state, running, &path) { return .success(id) }
            state.nodes[id] = nil
            return .failure(Ring(plugins: path))
        }
    }

    /// The call has got its place.
    func started(_ id: NodeID) { state.withLock { $0.nodes[id]?.isQueued = false } }

    /// The call is over.
    func leave(_ id: NodeID) { state.withLock { $0.nodes[id] = nil } }

    struct Ring: Error, Sendable {
        let plugins: [PluginID]
    }

    private func isLive(
        _ id: NodeID, _ state: State, _ running: (PluginID) -> (count: Int, isFull: Bool),
        _ path: inout [PluginID]
    ) -> Bool {
        guard let node = state.nodes[id] else { return true }
        if node.isQueued {
            if path.contains(node.callee) {
                path.append(node.callee)
                return false
            }
            path.append(node.callee)
            let isLive = isPluginLive(node.callee, state, running, &path)
            if isLive { path.removeLast() }
            return isLive
        }
        let children = state.nodes.filter { $0.value.parent == id }.keys
        return children.isEmpty || children.contains { isLive($0, state, running, &path) }
    }

    private func isPluginLive(
        _ plugin: PluginID, _ state: State, _ running: (PluginID) -> (count: Int, isFull: Bool),
        _ path: inout [PluginID]
    ) -> Bool {
        let waiting = state.nodes.filter { $0.value.caller == plugin }
        let waitingCalls = Set(waiting.values.map(\.callerKey)).count
        if running(plugin).count > waitingCalls { return true }
        return waiting.keys.sorted().contains { isLive($0, state, running, &path) }
    }
}
