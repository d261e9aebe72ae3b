// StartGraph.swift — who waits for whom among the plugins chosen, who can start when, and the rings of those
// that never can. Next: LoadOrder.swift.

import NocturneCore

/// The plugins of a solution and their needs.
struct StartGraph: Sendable {
    /// Something declared, and the chosen plugins that answer it.
    struct Need: Sendable {
        let name: PluginID
        let range: VersionRange
        /// Indices of nodes.
        let providers: [Int]
    }

    struct Node: Sendable {
        let variable: Int
        let value: Int
        var needs: [Need] = []
        var wishes: [Need] = []
    }

    /// In the order of ids.
    private(set) var nodes: [Node] = []
    /// For each node when it could start at the earliest: 0 at once, 1 after those; `nil`: never.
    private(set) var rank: [Int?] = []

    /// Nobody.
    init() {}

    init(_ values: [Int], in universe: inout Universe) {
        var place: [Int] = []
        place.reserveCapacity(values.count)
        for (variable, value) in values.enumerated() {
            place.append(nodes.count)
            if value == Term.absent { continue }
            nodes.append(Node(variable: variable, value: value))
        }
        func chosen(
            _ ranges: [PluginID: VersionRange], _ node: Node, _ own: [PluginID: SemanticVersion]
        ) -> [Need] {
            if ranges.isEmpty { return [] }
            let ordered = ranges.count < 2 ? Array(ranges) : ranges.sorted { $0.key < $1.key }
            return ordered.compactMap { name, range in
                // What it provides itself it need not wait for.
                if let version = own[name], range.contains(version) { return nil }
                var providers: [Int] = []
                for provider in universe.providers(of: name, in: range)
                where provider.variable != node.variable
                    && provider.set.contains(values[provider.variable])
                {
                    providers.append(place[provider.variable])
                }
                return Need(name: name, range: range, providers: providers)
            }
        }
        for index in nodes.indices {
            let node = nodes[index]
            let candidate = universe.candidate(node.variable, node.value)
            nodes[index].needs = chosen(candidate.dependencies, node, candidate.provides)
            nodes[index].wishes = chosen(candidate.optionalDependencies, node, candidate.provides)
                .filter { !$0.providers.isEmpty }
        }
        rank = ranks()
    }

    /// A plugin can start when each of its needs has a provider that can.
    private func ranks() -> [Int?] {
        var open = nodes.map { $0.needs.count }
        var waiting: [[(node: Int, need: Int)]] = Array(repeating: [], count: nodes.count)
        // Of all needs, numbered through.
        var isMet: [Bool] = []
        for node in nodes.indices {
            for need in nodes[node].needs {
                for provider in need.providers { waiting[provider].append((node, isMet.count)) }
                isMet.append(false)
            }
        }
        var ranks: [Int?] = Array(repeating: nil, count: nodes.count)
        var ready = nodes.indices.filter { open[$0] == 0 }
        var rank = 0
        while !ready.isEmpty {
            var next: [Int] = []
            for node in ready { ranks[node] = rank }
            for node in ready {
                for (waiter, need) in waiting[node] where !isMet[need] {
                    isMet[need] = true
                    open[waiter] -= 1
                    if open[waiter] == 0 { next.append(waiter) }
                }
            }
            ready = next
            rank += 1
        }
        return ranks
    }

    // MARK: - Rings

    /// An arrow of a ring: `node` waits for `target` because of one of its needs.
    struct Arrow {
        let node: Int
        let need: Int
        let target: Int
    }

    /// Plugins among which the shortest ring is looked for; of more, the first.
    private static let searchedPlugins = 256

    /// Rings of plugins that wait for each other: the shortest first, none sharing a plugin with another.
    func rings() -> [[Arrow]] {
        let stuck = nodes.indices.filter { rank[$0] == nil }
        guard !stuck.isEmpty else { return [] }
        let found = stuck.prefix(Self.searchedPlugins).compactMap(shortestRing)
        // Each ring is found once from each of its plugins: first from the least, which is kept.
        let ordered = found.enumerated().sorted {
            ($0.element.count, $0.offset) < ($1.element.count, $1.offset)
        }
        var taken: Set<Int> = []
        var kept: [[Arrow]] = []
        for (_, ring) in ordered where ring.allSatisfy({ !taken.contains($0.node) }) {
            taken.formUnion(ring.map(\.node))
            kept.append(ring)
        }
        // From the first few one may only lead to a ring: follow.
        return kept.isEmpty ? ring(reachedFrom: stuck[0]).map { [$0] } ?? [] : kept
    }

    private func blocked(_ node: Int) -> [Arrow] {
        nodes[node].needs.indices.flatMap { need in
            let providers = nodes[node].needs[need].providers
            return providers.allSatisfy { rank[$0] == nil }
                ? providers.map { Arrow(node: node, need: need, target: $0) } : []
        }
    }

    /// The shortest way from `start` back to it.
    private func shortestRing(through start: Int) -> [Arrow]? {
        var arrived: [Int: Arrow] = [:]
        var queue = [start]
        var head = 0
        while head < queue.count {
            for arrow in blocked(queue[head]) where arrived[arrow.target] == nil {
                arrived[arrow.target] = arrow
                if arrow.target == start {
                    var ring: [Arrow] = []
                    var at = start
                    repeat {
                        guard let arrow = arrived[at] else { return nil }
                        ring.append(arrow)
                        at = arrow.node
                    } while at != start
                    return ring.reversed()
                }
                queue.append(arrow.target)
            }
            head += 1
        }
        return nil
    }

    private func ring(reachedFrom start: Int) -> [Arrow]? {
        var at = start
        var seen: Set<Int> = []
        while seen.insert(at).inserted {
            guard let next = blocked(at).first?.target else { return nil }
            at = next
        }
        return shortestRing(through: at)
    }
}

/// A ring of a solution, and what would have to be otherwise.
struct Ring {
    var terms: [Term]
    let steps: [CycleStep]
    /// Others by which a plugin of the ring could start.
    let support: [Universe.Provider]
    let name: PluginID
    /// Whether every version of every plugin of the ring waits for the next, whatever else is chosen: then
    /// each by itself can never start.
    let isUnconditional: Bool
}

extension PubGrub {
    /// Why the plugins of a solution cannot all start.
    mutating func rings(in values: [Int]) -> [Ring] {
        let graph = StartGraph(values, in: &universe)
        self.graph = graph
        return graph.rings().map { ring(of: $0, in: graph) }
    }

    private mutating func ring(of arrows: [StartGraph.Arrow], in graph: StartGraph) -> Ring {
        let steps = arrows.map { arrow in
            let need = graph.nodes[arrow.node].needs[arrow.need]
            return CycleStep(
                id: universe.id(of: graph.nodes[arrow.node].variable), name: need.name,
                range: need.range,
                target: universe.id(of: graph.nodes[arrow.target].variable))
        }
        // With several providers chosen, all of them are stuck, each by a need of its own.
        var members: [(node: Int, need: Int)] = arrows.map { ($0.node, $0.need) }
        var inside = Set(members.map(\.node))
        var head = 0
        while head < members.count {
            let (node, need) = members[head]
            for provider in graph.nodes[node].needs[need].providers
            where inside.insert(provider).inserted {
                let blocked = graph.nodes[provider].needs.firstIndex { need in
                    need.providers.allSatisfy { graph.rank[$0] == nil }
                }
                if let blocked { members.append((provider, blocked)) }
            }
            head += 1
        }
        let variables = Set(inside.map { graph.nodes[$0].variable })
        var support: [Int: ValueSet] = [:]
        var isUnconditional = members.count == arrows.count
        let terms = members.sorted { $0.node < $1.node }.map { member -> Term in
            let node = graph.nodes[member.node]
            let need = node.needs[member.need]
            let others = universe.providers(of: need.name, in: need.range)
            if others.count > 1 { isUnconditional = false }
            for other in others where !variables.contains(other.variable) {
                support[other.variable] = support[other.variable].map(other.set.union) ?? other.set
            }
            let set = declaring(need, node.variable)
            if set != universe.variables[node.variable].present { isUnconditional = false }
            return Term(variable: node.variable, set: set)
        }
        return Ring(
            terms: terms, steps: steps,
            support: support.sorted { $0.key < $1.key }.map {
                Universe.Provider(variable: $0.key, set: $0.value)
            }, name: steps[0].name, isUnconditional: isUnconditional)
    }

    /// The versions of an id that have the same need, or, if one plugin alone answers to the name, one of the
    /// same name.
    private func declaring(_ need: StartGraph.Need, _ variable: Int) -> ValueSet {
        let isAlone = universe.providers(of: need.name).count == 1
        var set = ValueSet(emptyOf: universe.variables[variable].valueCount)
        for (offset, candidate) in universe.candidates(of: variable).enumerated() {
            guard let range = candidate.dependencies[need.name],
                isAlone || range == need.range,
                candidate.provides[need.name].map(range.contains) != true
            else { continue }
            set.insert(offset + 1)
        }
        return set
    }
}
