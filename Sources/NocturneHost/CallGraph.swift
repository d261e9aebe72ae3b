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
/// A call that waits for no other ends by itself. One that waits for a place gets it when the plugin has one free, or
/// when any call that runs there can end; one that waits for nested calls ends when all of those do. What does not
/// follow from these rules is stuck. Only nested calls are recorded, so calls from outside cost nothing here.
final class CallGraph: Sendable {
    typealias NodeID = UInt64

    /// Which call of the caller waits: its worker and slot, told apart from the caller's other calls.
    struct CallKey: Hashable, Sendable {
        let worker: ObjectIdentifier
        let slot: UInt32
        let generation: UInt32
    }
    /// What goes on in a plugin at the moment.
    struct Load: Sendable {
        /// Calls that run in the generation that serves.
        var running = 0
        /// Whether a new call would have to wait.
        var isFull = false
        /// That generation's worker; `nil` while the plugin is started or reloaded, which ends by itself.
        var worker: ObjectIdentifier?
    }
    /// A ring of plugins that wait for each other; the first is named again at the end.
    struct Ring: Error, Sendable {
        let plugins: [PluginID]
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
    /// - Parameter load: what goes on in a plugin.
    /// - Returns: the node, or the ring that the call would close.
    func enter(
        caller: PluginID, key: CallKey, callee: PluginID, parent: NodeID?,
        load: (PluginID) -> Load
    ) -> Result<NodeID, Ring> {
        state.withLock { state in
            let id = state.nextID
            state.nextID += 1
            state.nodes[id] = Node(caller: caller, callerKey: key, callee: callee, parent: parent)
            guard load(callee).isFull else { return .success(id) }
            let live = Self.live(state.nodes, load)
            if live.contains(id) { return .success(id) }
            let ring = Self.ring(from: id, state.nodes, live)
            state.nodes[id] = nil
            return .failure(ring)
        }
    }

    /// The call has got its place.
    func started(_ id: NodeID) { state.withLock { $0.nodes[id]?.isQueued = false } }

    /// The call is over.
    func leave(_ id: NodeID) { state.withLock { $0.nodes[id] = nil } }

    /// Nested calls at the moment; for tests of what is left behind.
    var count: Int { state.withLock { $0.nodes.count } }

    // MARK: - Which calls can end

    /// The calls that can end: the least set that follows from the rules above.
    private static func live(
        _ nodes: [NodeID: Node], _ load: (PluginID) -> Load
    ) -> Set<NodeID> {
        var loads: [PluginID: Load] = [:]
        for node in nodes.values where loads[node.callee] == nil {
            loads[node.callee] = load(node.callee)
        }
        let byCall = Dictionary(grouping: nodes.keys) { nodes[$0]?.callerKey }
        let callsOf = Dictionary(grouping: byCall.values) { nodes[$0[0]]?.caller }
        let children = Dictionary(grouping: nodes.keys) { nodes[$0]?.parent }
        var live: Set<NodeID> = []
        func canMove(_ plugin: PluginID) -> Bool {
            guard let load = loads[plugin], load.isFull, let worker = load.worker else {
                return true
            }
            let waiting = (callsOf[plugin] ?? []).filter {
                nodes[$0[0]]?.callerKey.worker == worker
            }
            return load.running > waiting.count || waiting.contains { $0.allSatisfy(live.contains) }
        }
        while true {
            let more = nodes.filter { id, node in
                !live.contains(id)
                    && (node.isQueued
                        ? canMove(node.callee) : (children[id] ?? []).allSatisfy(live.contains))
            }
            if more.isEmpty { return live }
            live.formUnion(more.keys)
        }
    }

    /// Follows stuck calls until a plugin comes up again.
    private static func ring(
        from id: NodeID, _ nodes: [NodeID: Node], _ live: Set<NodeID>
    ) -> Ring {
        guard let first = nodes[id] else { return Ring(plugins: []) }
        var path = [first.caller]
        var next: Node? = first
        while let node = next {
            let isClosed = path.contains(node.callee)
            path.append(node.callee)
            if isClosed { break }
            next =
                nodes.filter { $0.value.caller == node.callee && !live.contains($0.key) }
                .min { $0.key < $1.key }?.value
        }
        return Ring(plugins: path)
    }
}
