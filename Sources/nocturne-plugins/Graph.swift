// Graph.swift — `graph`: who needs whom. Next: GraphText.swift, GraphDrawing.swift.

internal import ArgumentParser
internal import Nocturne

struct Graph: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show who needs whom, and which plugin answers.",
        discussion: """
            A tree of what each plugin requires, uses if it is there (optional) and conflicts with. Draw it with \
            `graph --dot | dot -Tsvg`, or paste `graph --mermaid` where Mermaid is understood.
            With --json: {"nodes": [{"id", "version", "status"}], "edges": [{"from", "to", "kind", "range", \
            "answeredBy", "answeredVersion", "satisfied"}]}.
            """)

    enum Drawing: EnumerableFlag {
        case dot, mermaid

        static func help(for drawing: Drawing) -> ArgumentHelp? {
            switch drawing {
            case .dot: "Print Graphviz's language."
            case .mermaid: "Print a Mermaid flowchart."
            }
        }
    }

    @Flag(exclusivity: .exclusive)
    var drawing: Drawing?

    @OptionGroup var host: HostOptions

    func validate() throws {
        if host.json, drawing != nil {
            throw ValidationError("--json, --dot and --mermaid exclude each other")
        }
    }

    func run() throws {
        try host.show("GET", "/v1/graph") { answer in
            let graph = GraphAnswer(answer)
            return switch drawing {
            case nil: graph.tree
            case .dot: graph.dot
            case .mermaid: graph.mermaid
            }
        }
    }
}
