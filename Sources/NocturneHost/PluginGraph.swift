// PluginGraph.swift — who needs whom, and who answers. What the manifests say, beside what serves. Next:
// PluginManager+Refresh.swift, which decides.

public import NocturneCore

/// The plugins of a host and what they declare of each other, as they stood when it was asked for.
public struct PluginGraph: Sendable, Hashable {
    /// One plugin.
    public struct Node: Sendable, Hashable {
        /// Its identity.
        public let id: PluginID
        /// Version of the build that runs, else of the one that would; `nil` until one was read.
        public let version: String?
        /// Where it stands.
        public let status: PluginStatus
    }

    /// What a manifest says of another plugin, or of a name that plugins provide.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// `dependencies`: one that fits must serve.
        case requires
        /// `optionalDependencies`: if one is there, it must fit.
        case optional
        /// `conflicts`: none that fits may serve.
        case conflicts
    }

    /// One line of a manifest.
    public struct Edge: Sendable, Hashable {
        /// Whose manifest.
        public let from: PluginID
        /// The plugin's id, or a provided name, as the manifest has it. Need not be a node.
        public let to: PluginID
        /// Which list of the manifest.
        public let kind: Kind
        /// The versions meant, in canonical form.
        public let range: String
        /// The plugin that answers to the name; `nil` if none is there. Of several: one that fits before one that does
        /// not, one that serves before one that does not, ``from`` itself, the one whose id is the name, the lowest id.
        public let answeredBy: PluginID?
        /// The version that the answering plugin has under this name; it need not fit.
        public let answeredVersion: String?
        /// Whether things are as the manifest wants them: of `requires`, that one that fits serves; of `optional`, that
        /// what is there fits; of `conflicts`, that nothing that fits serves.
        public let isSatisfied: Bool
    }

    /// Sorted by id.
    public let nodes: [Node]
    /// Sorted by ``Edge/from``, then requires, optional, conflicts, then ``Edge/to``.
    public let edges: [Edge]

    /// `{"nodes": [{"id", "version", "status"}], "edges": [{"from", "to", "kind", "range", "answeredBy",
    /// "answeredVersion", "satisfied"}]}`; what is `nil` is null.
    public var json: JSONValue {
        [
            "nodes": .array(
                nodes.map { node in
                    [
                        "id": .string("\(node.id)"), "version": JSONValue(node.version),
                        "status": .string(node.status.rawValue),
                    ]
                }),
            "edges": .array(
                edges.map { edge in
                    [
                        "from": .string("\(edge.from)"), "to": .string("\(edge.to)"),
                        "kind": .string(edge.kind.rawValue), "range": .string(edge.range),
                        "answeredBy": JSONValue(edge.answeredBy?.description),
                        "answeredVersion": JSONValue(edge.answeredVersion),
                        "satisfied": .bool(edge.isSatisfied),
                    ]
                }),
        ]
    }
}

// MARK: - Making one

extension PluginGraph {
    /// A plugin, and the manifest of what runs or would run.
    package struct Member: Sendable {
        let node: Node
        let manifest: Manifest?

        package init(
            _ id: PluginID, version: String?, status: PluginStatus, manifest: Manifest?
        ) {
            node = Node(id: id, version: version, status: status)
            self.manifest = manifest
        }
    }

    /// Somebody who answers to a name.
    private struct Answer {
        let id: PluginID
        let version: SemanticVersion
        let serves: Bool
    }

    /// - Parameter members: in any order.
    package init(_ members: [Member]) {
        let members = members.sorted { $0.node.id < $1.node.id }
        nodes = members.map(\.node)
        var answers: [PluginID: [Answer]] = [:]
        for member in members {
            guard let manifest = member.manifest else { continue }
            let names = manifest.provides.merging([manifest.id: manifest.version]) { _, own in own }
            for (name, version) in names {
                answers[name, default: []].append(
                    Answer(
                        id: manifest.id, version: version, serves: member.node.status == .enabled))
            }
        }
        edges = members.flatMap { member -> [Edge] in
            guard let manifest = member.manifest else { return [] }
            let lists: [(Kind, [PluginID: VersionRange])] = [
                (.requires, manifest.dependencies), (.optional, manifest.optionalDependencies),
                (.conflicts, manifest.conflicts),
            ]
            return lists.flatMap { kind, list in
                list.sorted { $0.key < $1.key }.map { name, range in
                    Self.edge(from: manifest.id, kind, to: name, range, answers[name] ?? [])
                }
            }
        }
    }

    private static func edge(
        from id: PluginID, _ kind: Kind, to name: PluginID, _ range: VersionRange,
        _ answers: [Answer]
    ) -> Edge {
        // Who provides what it needs itself needs nobody else, and nobody conflicts with himself.
        let answers = answers.filter {
            $0.id != id || kind != .conflicts && range.contains($0.version)
        }
        func rank(_ answer: Answer) -> (Int, Int, Int, PluginID) {
            (
                range.contains(answer.version) ? 0 : 1, answer.serves || answer.id == id ? 0 : 1,
                answer.id == id ? 0 : answer.id == name ? 1 : 2, answer.id
            )
        }
        let best = answers.min { rank($0) < rank($1) }
        let fits = best.map { range.contains($0.version) } ?? false
        let serves = best.map { $0.serves || $0.id == id } ?? false
        let isSatisfied =
            switch kind {
            case .requires: fits && serves
            case .optional: fits || best == nil
            case .conflicts: !(fits && serves)
            }
        return Edge(
            from: id, to: name, kind: kind, range: range.shown, answeredBy: best?.id,
            answeredVersion: best.map { "\($0.version)" }, isSatisfied: isSatisfied)
    }
}

extension PluginManager {
    /// Who needs whom, and who answers.
    public func graph() async -> PluginGraph {
        let infos = await plugins()
        return PluginGraph(
            infos.compactMap { info in
                guard let id = info.id else { return nil }
                let running = snapshots[id]?.pid != nil ? snapshots[id]?.build : nil
                return PluginGraph.Member(
                    id, version: info.version, status: info.status,
                    manifest: (running ?? decisions[id]?.choice)?.manifest)
            })
    }
}
