// Explanation.swift — a proof as lines for people: each says one thing, only lines that are referred to
// have a number, and the last one begins with "So,". Next: LargestSet.swift.

/// Writes a proof by the algorithm of pub's solver (dart-lang/pub, doc/solver.md, "Error reporting").
struct Explanation {
    /// Longer proofs are shortened to their conclusion, since writing recurses.
    private static let maximumNodes = 600
    /// Longer texts are shortened too: of those nobody reads the end.
    private static let maximumLines = 40

    private let proof: Proof
    private let words: ProofWords
    private let conclusion: String
    /// How often each node is used.
    private var uses: [Int]
    private var numbers: [Int: Int] = [:]
    private var lines: [(text: String, number: Int?)] = []

    /// - Parameter conclusion: what the last node means, as a clause.
    static func text(of proof: Proof, conclusion: (ProofWords) -> String) -> String {
        let words = ProofWords(proof)
        var explanation = Explanation(proof, words, conclusion(words))
        guard let last = proof.nodes.indices.last else { return "" }
        guard last < maximumNodes else {
            return explanation.shortened
        }
        if explanation.causes(last) == nil {
            return "Because \(words.clause(proof.nodes[last])), \(explanation.conclusion)."
        }
        explanation.visit(last, isConclusion: false)
        return explanation.lines.count > maximumLines
            ? explanation.shortened : explanation.numbered
    }

    private init(_ proof: Proof, _ words: ProofWords, _ conclusion: String) {
        (self.proof, self.words, self.conclusion) = (proof, words, conclusion)
        uses = Array(repeating: 0, count: proof.nodes.count)
        for index in proof.nodes.indices {
            if let (first, second) = causes(index) {
                uses[first] += 1
                uses[second] += 1
            }
        }
    }

    private var shortened: String {
        "After a chain of \(proof.nodes.count) steps (see the proof), \(conclusion)."
    }

    /// Lines, those with a number marked, the others indented as far.
    private var numbered: String {
        let width = numbers.isEmpty ? 0 : "(\(numbers.count)) ".count
        return lines.map { line in
            if line.text.isEmpty { return "" }
            let mark = line.number.map { "(\($0))" } ?? ""
            return mark + String(repeating: " ", count: max(0, width - mark.count)) + line.text
        }.joined(separator: "\n")
    }

    private func causes(_ index: Int) -> (Int, Int)? {
        if case .resolution(let first, let second, _) = proof.nodes[index].cause {
            (first, second)
        } else {
            nil
        }
    }

    private func clause(_ index: Int) -> String {
        index == proof.nodes.count - 1 ? conclusion : words.clause(proof.nodes[index])
    }

    private func both(_ left: Int, _ right: Int) -> String {
        words.clause(proof.nodes[left], numbers[left], and: proof.nodes[right], numbers[right])
    }

    private mutating func write(_ index: Int, _ text: String, _ isNumbered: Bool) {
        if isNumbered { numbers[index] = numbers.count + 1 }
        lines.append((text, isNumbered ? numbers[index] : nil))
    }

    // MARK: - The algorithm

    /// Writes why a derived node holds.
    ///
    /// - Parameter isConclusion: it ends a train of thought and is referred to later.
    private mutating func visit(_ index: Int, isConclusion: Bool) {
        guard let (first, second) = causes(index) else { return }
        let isNumbered = isConclusion || uses[index] > 1
        let and = isConclusion || index == proof.nodes.count - 1 ? "So," : "And"
        switch (causes(first) != nil, causes(second) != nil) {
        case (true, true): join(index, first, second, and, isNumbered)
        case (true, false): extend(index, first, by: second, and, isNumbered)
        case (false, true): extend(index, second, by: first, and, isNumbered)
        case (false, false):
            write(index, "Because \(both(first, second)), \(clause(index)).", isNumbered)
        }
    }

    /// Two derived nodes.
    private mutating func join(
        _ index: Int, _ first: Int, _ second: Int, _ and: String, _ isNumbered: Bool
    ) {
        switch (numbers[first], numbers[second]) {
        case (.some, .some):
            write(index, "Because \(both(first, second)), \(clause(index)).", isNumbered)
        case (.some(let line), nil):
            visit(second, isConclusion: false)
            write(
                index, "\(and) because \(clause(first)) (\(line)), \(clause(index)).", isNumbered)
        case (nil, .some(let line)):
            visit(first, isConclusion: false)
            write(
                index, "\(and) because \(clause(second)) (\(line)), \(clause(index)).", isNumbered)
        case (nil, nil):
            if isSingleLine(first) || isSingleLine(second) {
                let (complex, simple) = isSingleLine(second) ? (first, second) : (second, first)
                visit(complex, isConclusion: false)
                visit(simple, isConclusion: false)
                let thus = index == proof.nodes.count - 1 ? "So," : "Thus,"
                write(index, "\(thus) \(clause(index)).", isNumbered)
                return
            }
            visit(first, isConclusion: true)
            lines.append(("", nil))
            visit(second, isConclusion: false)
            let line = numbers[first] ?? 0
            write(
                index, "\(and) because \(clause(first)) (\(line)), \(clause(index)).", isNumbered)
        }
    }

    /// A derived node and a fact.
    private mutating func extend(
        _ index: Int, _ derived: Int, by fact: Int, _ and: String, _ isNumbered: Bool
    ) {
        if numbers[derived] != nil {
            write(index, "Because \(both(fact, derived)), \(clause(index)).", isNumbered)
        } else if let (prior, priorFact) = collapsible(derived) {
            visit(prior, isConclusion: false)
            write(index, "\(and) because \(both(priorFact, fact)), \(clause(index)).", isNumbered)
        } else {
            visit(derived, isConclusion: false)
            write(index, "\(and) because \(clause(fact)), \(clause(index)).", isNumbered)
        }
    }

    /// The causes of a derived node that needs no line of its own: one derived, one fact.
    private func collapsible(_ index: Int) -> (prior: Int, fact: Int)? {
        guard uses[index] == 1, let (first, second) = causes(index) else { return nil }
        switch (causes(first) != nil, causes(second) != nil) {
        case (true, false): return numbers[first] == nil ? (first, second) : nil
        case (false, true): return numbers[second] == nil ? (second, first) : nil
        default: return nil
        }
    }

    private func isSingleLine(_ index: Int) -> Bool {
        guard let (first, second) = causes(index) else { return false }
        return causes(first) == nil && causes(second) == nil
    }
}
