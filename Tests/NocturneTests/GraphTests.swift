// GraphTests.swift — what `graph` makes of the host's answer: a tree, Graphviz, Mermaid.

import Nocturne
import Testing

@testable import nocturne_plugins

@Suite struct GraphTests {
    /// An answer with plugins of version 1.0.0 that serve, and edges `from`, `kind`, `to`, `range`, `answeredBy`.
    private func answer(
        _ nodes: [String], _ edges: [(String, String, String, String, String?)],
        satisfied: Bool = true
    ) -> GraphAnswer {
        GraphAnswer([
            "nodes": .array(
                nodes.map { ["id": .string($0), "version": "1.0.0", "status": "enabled"] }),
            "edges": .array(
                edges.map { from, kind, to, range, by in
                    [
                        "from": .string(from), "to": .string(to), "kind": .string(kind),
                        "range": .string(range), "answeredBy": by.map { .string($0) } ?? .null,
                        "answeredVersion": by == nil ? .null : "1.2.3",
                        "satisfied": .bool(satisfied),
                    ]
                }),
        ])
    }

    // MARK: - The tree

    @Test func `a tree has at its top what nobody needs, and each plugin's lines once`() {
        let graph = answer(
            ["app", "lib", "other", "tools"],
            [
                ("app", "requires", "lib", "^1.0.0", "lib"),
                ("app", "optional", "cache", "^2.0.0", nil),
                ("lib", "requires", "text", "*", "tools"),
                ("other", "requires", "lib", "^1.0.0", "lib"),
                ("other", "conflicts", "app", "<1.0.0", "app"),
            ])
        #expect(
            graph.tree == [
                "app 1.0.0, enabled",
                "├─ requires lib ^1.0.0: 1.2.3, enabled",
                "│  └─ requires text *: tools provides 1.2.3, enabled",
                "└─ optional cache ^2.0.0: not there",
                "other 1.0.0, enabled",
                "├─ requires lib ^1.0.0: 1.2.3, enabled (see above)",
                "└─ conflicts app <1.0.0: 1.2.3, enabled",
            ])
    }

    @Test func `what is not satisfied says so`() {
        let graph = answer(
            ["app"], [("app", "requires", "lib", "^1.0.0", nil)], satisfied: false)
        #expect(graph.tree.last == "└─ requires lib ^1.0.0: not there (not satisfied)")
    }

    @Test func `a conflict with what is there is violated, in the tree and in both drawings`() {
        let graph = answer(
            ["a", "b"], [("a", "conflicts", "b", "*", "b")], satisfied: false)
        #expect(graph.tree[1] == "└─ conflicts b *: 1.2.3, enabled (violated)")
        #expect(
            graph.dot.contains {
                $0.hasPrefix(##"  "a" -> "b" [label="conflicts *\nviolated", "##)
            })
        #expect(graph.mermaid.contains(##"  n0 --x|"conflicts #42;<br>violated"| n1"##))
    }

    @Test func `rings end, and begin with their first`() {
        let ring = answer(
            ["a", "b", "c"],
            [
                ("a", "requires", "b", "*", "b"), ("b", "requires", "c", "*", "c"),
                ("c", "requires", "a", "*", "a"),
            ])
        #expect(
            ring.tree == [
                "a 1.0.0, enabled",
                "└─ requires b *: 1.2.3, enabled",
                "   └─ requires c *: 1.2.3, enabled",
                "      └─ requires a *: 1.2.3, enabled (see above)",
            ])
        let own = answer(["a"], [("a", "requires", "codec", "*", "a")])
        #expect(own.tree == ["a 1.0.0, enabled", "└─ requires codec *: provides 1.2.3 itself"])
    }

    @Test func `a long chain shows every plugin once, and goes on at the left`() {
        let count = 2_000
        let names = (0..<count).map { "p\($0)" }
        let graph = answer(
            names, zip(names, names.dropFirst()).map { ($0, "requires", $1, "*", $1) })
        let tree = graph.tree
        for number in [0, 16, 17, count - 2] {
            #expect(tree.count { $0.contains("requires p\(number + 1) *") } == 1)
        }
        #expect(tree.allSatisfy { $0.count < 120 })
    }

    @Test func `no plugins are said to be none`() {
        #expect(answer([], []).tree == ["no plugins"])
        #expect(GraphAnswer("nonsense").tree == ["no plugins"])
    }

    // MARK: - Drawings

    @Test func `Graphviz gets every name and range as a quoted string`() {
        let graph = answer(
            ["app", "node"],
            [
                ("app", "requires", "node", "<1.0.0 || >=2.0.0", "node"),
                ("app", "optional", "codec", "^2.0.0", "node"),
                ("app", "conflicts", "old", "*", nil),
            ])
        #expect(
            graph.dot == [
                "digraph plugins {", "  rankdir=LR;", "  node [shape=box];",
                #"  "app" [label="app\n1.0.0\nenabled"];"#,
                #"  "node" [label="node\n1.0.0\nenabled"];"#,
                #"  "old" [label="old\nnot there", style=dashed];"#,
                #"  "app" -> "node" [label="<1.0.0 || >=2.0.0"];"#,
                #"  "app" -> "node" [label="optional codec ^2.0.0", style=dashed];"#,
                #"  "app" -> "old" [label="conflicts *", style=dotted, arrowhead=tee];"#,
                "}",
            ])
    }

    @Test func `Mermaid gets numbers for names, and entity codes for what may be syntax`() {
        let graph = answer(
            ["app", "end"],
            [
                ("app", "requires", "end", "<1.0.0 || >=2.0.0", "end"),
                ("app", "optional", "codec", "~1", "end"), ("end", "conflicts", "old", "*", nil),
            ])
        #expect(
            graph.mermaid == [
                "flowchart LR", #"  n0["app<br>1.0.0<br>enabled"]"#,
                #"  n1["end<br>1.0.0<br>enabled"]"#, #"  n2["old<br>not there"]"#,
                "  style n2 stroke-dasharray:4",
                // ASCII: < 60, > 62, | 124, ~ 126, * 42.
                ##"  n0 -->|"#60;1.0.0 #124;#124; #62;=2.0.0"| n1"##,
                ##"  n0 -.->|"optional codec #126;1"| n1"##,
                ##"  n1 --x|"conflicts #42;"| n2"##,
            ])
    }

    @Test func `what is not satisfied is red, and says so`() {
        let graph = answer(["a"], [("a", "requires", "b", "*", nil)], satisfied: false)
        #expect(
            graph.dot.contains(
                #"  "a" -> "b" [label="*\nnot satisfied", color=red, fontcolor=red];"#))
        #expect(graph.mermaid.last == "  linkStyle 0 stroke:red,color:red")
        #expect(graph.mermaid.contains { $0.contains("not satisfied") })
    }

    @Test func `a host that lies cannot leave the quotes, nor steer a terminal`() {
        let hostile = "\"];\n}\\\" x#quot;<script>\u{1B}[2J|`&lt;"
        let graph = GraphAnswer([
            "nodes": [["id": .string(hostile), "version": .string(hostile), "status": "enabled"]],
            "edges": [
                [
                    "from": .string(hostile), "to": .string(hostile), "kind": .string(hostile),
                    "range": .string(hostile), "satisfied": false,
                ]
            ],
        ])
        for line in graph.tree + graph.dot + graph.mermaid {
            #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
        }
        // Outside quoted strings there is only what this program wrote.
        for line in graph.dot {
            var isQuoted = false, isEscaped = false
            let outside = line.filter { character in
                if isEscaped {
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    isQuoted.toggle()
                } else {
                    return !isQuoted
                }
                return false
            }
            #expect(!isQuoted)
            #expect(!outside.contains("x") || outside.contains("node [shape=box]"), "\(line)")
        }
        for line in graph.mermaid where line.contains("\"") {
            let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
            #expect(parts.count == 3, "\(line)")
            #expect(!parts[1].contains { "`|[]{}()\\&".contains($0) })
        }
    }
}
