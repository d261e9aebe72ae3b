// DirectoryResolutionText.swift — the answer of `resolve` for people: what loads, layer by layer; then what does
// not, each with its proof and what to change. Next: PluginGraph.swift.

import NocturneCore
import NocturneResolver

extension DirectoryResolution {
    /// Some lines. Names of files may hold control characters.
    package var text: String {
        guard !resolution.chosen.isEmpty || !resolution.leftOut.isEmpty || !invalid.isEmpty else {
            return (["\(directory): no plugin (*.so) and no manifest (*.json) there"] + noteLines)
                .joined(separator: "\n")
        }
        let parts = [chosenLines, leftOutLines, versionLines, invalidLines, noteLines]
        return parts.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
            .joined(separator: "\n\n")
    }

    private var chosenLines: [String] {
        let (count, total) = (
            resolution.chosen.count, resolution.chosen.count + resolution.leftOut.count
        )
        guard total > 0 else { return [] }
        let all = total == 1 ? "1 plugin" : "\(total) plugins"
        let what = count == total ? all : count == 0 ? "no plugin" : "\(count) of \(all)"
        let machine = environment.architecture.map { "\($0.rawValue), " } ?? ""
        let host = "\(machine)host \(environment.version), ABI \(environment.abi)"
        var lines = ["\(what) can be loaded (\(host))\(count == 0 ? "" : ":")"]
        let choices = Dictionary(uniqueKeysWithValues: resolution.chosen.map { ($0.id, $0) })
        let width = resolution.chosen.map { "\($0.id) \($0.version)".utf8.count }.max() ?? 0
        for (index, layer) in resolution.order.enumerated() {
            lines.append(index == 0 ? "  first" : "  then")
            for choice in layer.compactMap({ choices[$0] }) {
                let name = "\(choice.id) \(choice.version)"
                let padding = String(repeating: " ", count: width - name.utf8.count)
                lines.append("    \(name)\(padding)  \(InvalidFile.shown(choice.label))")
            }
        }
        return lines
    }

    private var leftOutLines: [String] {
        var lines: [String] = []
        for one in resolution.leftOut {
            if !lines.isEmpty { lines.append("") }
            if let refusal = one.refusal {
                lines.append("\(one.id): \(refusal.text)")
                lines += one.change.map { indented("To change that: \($0).") } ?? []
            } else {
                lines.append("\(one.id) is left out:")
                lines += indented(CatalogReasons.refusal(one).description)
            }
        }
        return lines
    }

    /// Why the best of what is better than a choice is not chosen; of the others, only how many.
    private var versionLines: [String] {
        let choices = Dictionary(uniqueKeysWithValues: resolution.chosen.map { ($0.id, $0) })
        var lines: [String] = []
        var (better, worse) = (0, 0)
        var told: PluginID?
        for one in resolution.rejected {
            guard let choice = choices[one.id] else { continue }
            if one.reason == .duplicate {
                let (file, other) = (
                    InvalidFile.shown(one.label), InvalidFile.shown(choice.label)
                )
                lines.append(
                    "\(file) is not chosen: \(one.id) \(one.version) is also in \(other); remove one of "
                        + "them, or give it another version")
            } else if one.version < choice.version {
                worse += 1
            } else if told == one.id {
                better += 1
            } else {
                told = one.id
                lines.append("\(one.id) \(one.version) is not chosen:")
                lines += indented(one.text)
            }
        }
        if better > 0 { lines.append("\(count(better, "other newer version")) not chosen either.") }
        if worse > 0 { lines.append("\(count(worse, "older version")) not chosen.") }
        return lines
    }

    private func count(_ count: Int, _ what: String) -> String {
        count == 1 ? "1 \(what) is" : "\(count) \(what)s are"
    }

    private var invalidLines: [String] {
        guard !invalid.isEmpty else { return [] }
        return ["\(count(invalid.count, "file")) invalid:"]
            + invalid.flatMap { indented($0.reason) }
    }

    private var noteLines: [String] { notes.map { "Note: \($0)." } }

    private func indented(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
    }
}
