// GraphDrawing.swift — the graph in the languages of Graphviz and Mermaid. All names, versions and ranges are data:
// quoted and escaped, never syntax.

internal import Nocturne

extension GraphAnswer {
    // MARK: - Graphviz

    /// As graphviz.org/doc/info/lang.html has it.
    var dot: [String] {
        var lines = ["digraph plugins {", "  rankdir=LR;", "  node [shape=box];"]
        for node in nodes {
            lines.append("  \(Self.dot([node.id])) [label=\(Self.dot(caption(of: node)))];")
        }
        for name in absent {
            lines.append(
                "  \(Self.dot([name])) [label=\(Self.dot([name, "not there"])), style=dashed];")
        }
        for edge in edges {
            var attributes = ["label=\(Self.dot(caption(of: edge)))"]
            switch PluginGraph.Kind(rawValue: edge.kind) {
            case .optional: attributes.append("style=dashed")
            case .conflicts: attributes += ["style=dotted", "arrowhead=tee"]
            case .requires, nil: break
            }
            if !edge.isSatisfied { attributes += ["color=red", "fontcolor=red"] }
            lines.append(
                "  \(Self.dot([edge.from])) -> \(Self.dot([edge.target])) "
                    + "[\(attributes.joined(separator: ", "))];")
        }
        return lines + ["}"]
    }

    /// A quoted string of some lines. A backslash would begin an escape, `&` a character reference.
    private static func dot(_ lines: [String]) -> String {
        let escaped = lines.map { line in
            line.map { character in
                switch character {
                case "\"": "\\\""
                case "\\": "\\\\"
                case "&": "&amp;"
                default: String(character)
                }
            }.joined()
        }
        return "\"\(escaped.joined(separator: "\\n"))\""
    }

    // MARK: - Mermaid

    /// As mermaid.js.org/syntax/flowchart.html has it. Nodes are numbered, because some names, such as `end`, are
    /// words of the language.
    var mermaid: [String] {
        var lines = ["flowchart LR"]
        var numbers: [String: Int] = [:]
        for node in nodes {
            numbers[node.id] = numbers.count
            lines.append("  n\(numbers.count - 1)[\(Self.mermaid(caption(of: node)))]")
        }
        for name in absent {
            let number = numbers.count
            numbers[name] = number
            lines.append("  n\(number)[\(Self.mermaid([name, "not there"]))]")
            lines.append("  style n\(number) stroke-dasharray:4")
        }
        let drawn = edges.filter { numbers[$0.from] != nil }
        for (index, edge) in drawn.enumerated() {
            guard let from = numbers[edge.from], let target = numbers[edge.target] else { continue }
            let arrow =
                switch PluginGraph.Kind(rawValue: edge.kind) {
                case .optional: "-.->"
                case .conflicts: "--x"
                case .requires, nil: "-->"
                }
            lines.append("  n\(from) \(arrow)|\(Self.mermaid(caption(of: edge)))| n\(target)")
            if !edge.isSatisfied { lines.append("  linkStyle \(index) stroke:red,color:red") }
        }
        return lines
    }

    /// A quoted text of some lines. What may be syntax, of Mermaid, of Markdown or of HTML, is an entity code.
    private static func mermaid(_ lines: [String]) -> String {
        let escaped = lines.map { line in
            line.unicodeScalars.map { scalar in
                let isPlain =
                    scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                    || " .,-+=^".unicodeScalars.contains(scalar)
                return isPlain ? String(scalar) : "#\(scalar.value);"
            }.joined()
        }
        return "\"\(escaped.joined(separator: "<br>"))\""
    }

    // MARK: - What is written

    private func caption(of node: Node) -> [String] {
        [node.id, node.version, node.status].compactMap { $0 }
    }

    private func caption(of edge: Edge) -> [String] {
        let isPlain = edge.kind == PluginGraph.Kind.requires.rawValue
        let words = [isPlain ? nil : edge.kind, edge.target == edge.to ? nil : edge.to, edge.range]
        return [words.compactMap { $0 }.joined(separator: " ")]
            + (edge.fault.map { [$0] } ?? [])
    }
}
