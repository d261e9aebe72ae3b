// GraphText.swift — the host's answer about its graph, and the tree that people read. Next: GraphDrawing.swift.

internal import Nocturne

/// What `GET /v1/graph` answers. A host may be newer than this program, so nothing but the shape is relied on.
struct GraphAnswer {
    struct Node {
        let id: String
        let version: String?
        let status: String
    }

    struct Edge {
        let from: String
        let to: String
        let kind: String
        let range: String
        let answeredBy: String?
        let answeredVersion: String?
        let isSatisfied: Bool

        /// Where it leads: to a plugin, or to a name that nobody answers to.
        var target: String { answeredBy ?? to }
        /// Whether it says what must be there, or may be.
        var isNeed: Bool { kind != PluginGraph.Kind.conflicts.rawValue }
        /// What is wrong: a need is not met, or what must not be there is; `nil` if all is well.
        var fault: String? { isSatisfied ? nil : isNeed ? "not satisfied" : "violated" }
    }

    let nodes: [Node]
    let edges: [Edge]

    init(_ answer: JSONValue) {
        func text(_ value: JSONValue?) -> String? { value?.string.map(Printable.line) }
        nodes = (answer["nodes"]?.array ?? []).map { node in
            Node(
                id: text(node["id"]) ?? "?", version: text(node["version"]),
                status: text(node["status"]) ?? "unknown")
        }
        edges = (answer["edges"]?.array ?? []).map { edge in
            Edge(
                from: text(edge["from"]) ?? "?", to: text(edge["to"]) ?? "?",
                kind: text(edge["kind"]) ?? "?", range: text(edge["range"]) ?? "?",
                answeredBy: text(edge["answeredBy"]),
                answeredVersion: text(edge["answeredVersion"]),
                isSatisfied: edge["satisfied"] == true)
        }
    }

    /// Names that edges lead to and no plugin has, in order.
    var absent: [String] {
        Set(edges.map(\.target)).subtracting(nodes.map(\.id)).sorted()
    }

    // MARK: - For people

    /// Each plugin once with what it declares, below the first that needs it.
    var tree: [String] {
        guard !nodes.isEmpty else { return ["no plugins"] }
        var tree = GraphTree(self)
        let needed = Set(edges.filter { $0.isNeed && $0.from != $0.target }.map(\.target))
        // Nobody needs those at the top. Rings have no top, and begin with their first.
        for node in nodes where !needed.contains(node.id) { tree.addRoot(node) }
        for node in nodes { tree.addRoot(node) }
        return tree.lines
    }
}

/// A tree under construction.
private struct GraphTree {
    /// Levels that are drawn below each other, so that a long chain stays on the screen; the rest begins at the left
    /// again.
    private static let deepest = 16

    var lines: [String] = []
    private let nodes: [String: GraphAnswer.Node]
    private let edges: [String: [GraphAnswer.Edge]]
    private var shown: Set<String> = []

    init(_ graph: GraphAnswer) {
        nodes = Dictionary(graph.nodes.map { ($0.id, $0) }) { first, _ in first }
        edges = Dictionary(grouping: graph.edges, by: \.from)
    }

    mutating func addRoot(_ node: GraphAnswer.Node) {
        guard shown.insert(node.id).inserted else { return }
        lines.append("\(node.id)\(node.version.map { " \($0)" } ?? ""), \(node.status)")
        addEdges(of: node.id, "", depth: 1)
    }

    private mutating func addEdges(of id: String, _ indent: String, depth: Int) {
        let own = edges[id] ?? []
        for (index, edge) in own.enumerated() {
            let isLast = index == own.count - 1
            var line = indent + (isLast ? "└─ " : "├─ ") + words(edge)
            let follows = edge.isNeed && edge.target != id && edges[edge.target] != nil
            let isFirst = follows && depth < Self.deepest && shown.insert(edge.target).inserted
            if follows, !isFirst {
                line += shown.contains(edge.target) ? " (see above)" : " (see below)"
            }
            lines.append(line)
            if isFirst {
                addEdges(of: edge.target, indent + (isLast ? "   " : "│  "), depth: depth + 1)
            } else if edge.isNeed, !follows {
                // It has nothing below it.
                shown.insert(edge.target)
            }
        }
    }

    private func words(_ edge: GraphAnswer.Edge) -> String {
        var words = "\(edge.kind) \(edge.to) \(edge.range): "
        let version = edge.answeredVersion ?? "?"
        if edge.answeredBy == nil {
            words += "not there"
        } else if edge.target == edge.from {
            words += "provides \(version) itself"
        } else {
            words += edge.target == edge.to ? version : "\(edge.target) provides \(version)"
            words += ", \(nodes[edge.target]?.status ?? "unknown")"
        }
        return edge.fault.map { "\(words) (\($0))" } ?? words
    }
}
