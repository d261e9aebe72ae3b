// LoadOrder.swift — dependencies first, and side by side what does not depend on each other.
// Next: LargestSet.swift.

import NocturneCore

/// Layers of plugins: each starts when those before have started.
struct LoadOrder {
    /// Ids of a layer in order.
    private(set) var layers: [[PluginID]] = []
    private(set) var notes: [String] = []

    /// One of a node may stand twice.
    private var waits: [[Int]]

    /// - Parameter graph: of a solution.
    init(_ graph: StartGraph, _ universe: Universe) {
        precondition(graph.rank.allSatisfy { $0 != nil }, "a solution has no rings")
        waits = Array(repeating: [], count: graph.nodes.count)
        let ids = graph.nodes.map { universe.id(of: $0.variable) }
        // One provider each must have started; the others are waited for if that is possible.
        var soft: [(node: Int, target: Int, name: PluginID?)] = []
        for (index, node) in graph.nodes.enumerated() {
            for need in node.needs {
                let best = need.providers.min {
                    (graph.rank[$0] ?? 0, $0) < (graph.rank[$1] ?? 0, $1)
                }
                if let best { waits[index].append(best) }
                for other in need.providers where other != best { soft.append((index, other, nil)) }
            }
            for wish in node.wishes {
                for target in wish.providers { soft.append((index, target, wish.name)) }
            }
        }
        addIfPossible(soft, ids)
        layers = (layered() ?? []).map { $0.map { ids[$0] } }
    }

    /// Adds arrows from the least id on; one that would close a ring is left out with a note, so that each
    /// ring is broken at its greatest.
    private mutating func addIfPossible(
        _ arrows: [(node: Int, target: Int, name: PluginID?)], _ ids: [PluginID]
    ) {
        let required = waits
        for arrow in arrows { waits[arrow.node].append(arrow.target) }
        if layered() != nil { return }
        waits = required
        for arrow in arrows.sorted(by: { ($0.node, $0.target) < ($1.node, $1.target) }) {
            if !reaches(arrow.node, from: arrow.target) {
                waits[arrow.node].append(arrow.target)
            } else if arrow.name != nil {
                notes.append(
                    "\(ids[arrow.node]) starts without waiting for \(ids[arrow.target]), which it uses "
                        + "if it is there, because \(ids[arrow.target]) waits for \(ids[arrow.node])"
                )
            }
        }
    }

    private func reaches(_ goal: Int, from start: Int) -> Bool {
        var seen: Set<Int> = [start]
        var stack = [start]
        while let node = stack.popLast() {
            if node == goal { return true }
            for next in waits[node] where seen.insert(next).inserted { stack.append(next) }
        }
        return false
    }

    /// Each plugin one layer after the last that it waits for; `nil` if there is a ring.
    private func layered() -> [[Int]]? {
        var open = waits.map { $0.count }
        var waiters: [[Int]] = Array(repeating: [], count: waits.count)
        for (node, targets) in waits.enumerated() {
            for target in targets { waiters[target].append(node) }
        }
        var layers: [[Int]] = []
        var ready = waits.indices.filter { open[$0] == 0 }
        var done = 0
        while !ready.isEmpty {
            layers.append(ready)
            done += ready.count
            var next: [Int] = []
            for node in ready {
                for waiter in waiters[node] {
                    open[waiter] -= 1
                    if open[waiter] == 0 { next.append(waiter) }
                }
            }
            ready = next.sorted()
        }
        return done == waits.count ? layers : nil
    }
}
