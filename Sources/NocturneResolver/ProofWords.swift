// ProofWords.swift — the words for one line of a proof: versions, terms, facts, and two lines in one breath.
// Next: VersionWords.swift.

import NocturneCore

/// Puts nodes of one proof into words, after pub's (dart-lang/pub, doc/solver.md, "Error reporting").
struct ProofWords {
    let proof: Proof
    /// Subjects of which the conclusion speaks: named bare, without "every version of".
    private let goals: Set<Int>
    private var declared: [Proof.Term: String] = [:]
    /// Of each subject that is a plugin.
    private let versions: [VersionWords?]

    init(_ proof: Proof) {
        self.proof = proof
        versions = proof.subjects.map { subject in
            if case .plugin(let id, let versions) = subject {
                VersionWords(id, versions)
            } else {
                nil
            }
        }
        goals = Set(proof.conclusion.map(\.subject))
        // A range as somebody wrote it is better known than one made of the versions there are.
        for node in proof.nodes {
            guard case .fact(let fact) = node.cause else { continue }
            switch fact {
            case .dependency(let name, let range), .optional(let name, let range):
                for term in node.terms.dropFirst() where isNegative(term) && isPlugin(term) {
                    declare(term, name, range)
                }
            case .conflict(let name, let range):
                if let term = node.terms.last { declare(term, name, range) }
            default: break
            }
        }
    }

    private mutating func declare(_ term: Proof.Term, _ name: PluginID, _ range: VersionRange) {
        if declared[term] == nil { declared[term] = wanted(name, range, term) }
    }

    /// What somebody asks for, and from whom if that is not the plugin of that name.
    private func wanted(_ name: PluginID, _ range: VersionRange, _ term: Proof.Term?) -> String {
        let text = range == .any ? "\(name)" : "\(name) \(range.shown)"
        guard let term, case .plugin(let id, _) = proof.subjects[term.subject], id != name else {
            return text
        }
        return "\(text) (from \(id))"
    }

    // MARK: - Terms

    private func isPlugin(_ term: Proof.Term) -> Bool {
        if case .plugin = proof.subjects[term.subject] { true } else { false }
    }

    func isNegative(_ term: Proof.Term) -> Bool { term.set.contains(Term.absent) }

    /// What the term is about: of a negative one, what it denies.
    func name(_ term: Proof.Term, every: Bool = false) -> String {
        if let text = declared[term] { return text }
        switch proof.subjects[term.subject] {
        case .plugin(let id, let versions):
            let count = versions.count + 1
            let set = meant(term, count)
            if set.count < count - 1, let words = self.versions[term.subject] {
                return words.phrase(set)
            }
            return every && !goals.contains(term.subject) ? "every version of \(id)" : "\(id)"
        case .need(let name, let range, let providers):
            let set = meant(term, providers.count + 1)
            let text = range.map { $0 == .any ? "\(name)" : "\(name) \($0)" } ?? "another \(name)"
            if set.count == providers.count { return text }
            let ids = set.values.compactMap { value -> String? in
                guard case .plugin(let id, _) = proof.subjects[providers[value - 1].subject] else {
                    return nil
                }
                return "\(id)"
            }
            return "\(text) from \(Self.list(ids, "or"))"
        }
    }

    /// The subject of a conclusion: exact versions, unless all are meant.
    func version(_ term: Proof.Term) -> String {
        guard case .plugin(let id, let versions) = proof.subjects[term.subject],
            term.set.count < versions.count
        else { return name(term) }
        return "\(id) " + Self.list(term.set.values.map { "\(versions[$0 - 1].version)" }, "or")
    }

    /// Things that are named in one line; of more, the first ones and how many others there are.
    private static let listed = 8

    /// `a`, `a or b`, `a, b or c`, `a, b or 7 others`.
    static func list(_ items: [String], _ word: String) -> String {
        guard items.count > 1, let last = items.last else { return items.first ?? "" }
        let others = items.count - listed
        return others > 1
            ? items.prefix(listed).joined(separator: ", ") + " \(word) \(others) others"
            : items.dropLast().joined(separator: ", ") + " \(word) \(last)"
    }

    private func meant(_ term: Proof.Term, _ count: Int) -> ValueSet {
        isNegative(term) ? ValueSet(allOf: count).subtracting(term.set) : term.set
    }

    private func positives(_ node: Proof.Node) -> [Proof.Term] {
        node.terms.filter { !isNegative($0) }
    }

    private func negatives(_ node: Proof.Node) -> [Proof.Term] { node.terms.filter(isNegative) }

    private func names(_ terms: [Proof.Term], _ word: String) -> String {
        terms.map { name($0) }.joined(separator: " \(word) ")
    }

    // MARK: - One node

    /// What a node says, as a clause.
    func clause(_ node: Proof.Node) -> String {
        if case .fact(let fact) = node.cause { return self.fact(fact, node) }
        let (positives, negatives) = (positives(node), negatives(node))
        switch (positives.count, negatives.count) {
        case (1, 0): return "\(name(positives[0])) is forbidden"
        case (0, 1): return "\(name(negatives[0])) is required"
        case (2, 0): return "\(name(positives[0])) is incompatible with \(name(positives[1]))"
        case (_, 0): return "one of \(names(positives, "or")) must be absent"
        case (0, _): return "one of \(names(negatives, "or")) must be there"
        case (1, _): return "\(name(positives[0], every: true)) requires \(names(negatives, "or"))"
        default: return "if \(names(positives, "and")) then \(names(negatives, "or"))"
        }
    }

    /// Arrows of a ring that are named; of a longer one the first and the last.
    private static let namedSteps = 12

    private func fact(_ fact: Fact, _ node: Proof.Node) -> String {
        let subject = name(node.terms[0], every: true)
        switch fact {
        case .dependency(let name, let range):
            let wanted = wanted(name, range, node.terms.dropFirst().first)
            if node.terms.count > 1 { return "\(subject) depends on \(wanted)" }
            return "\(subject) depends on \(wanted), \(absence(of: name, range))"
        case .dependencies(let name, _):
            let negatives = negatives(node)
            if !negatives.isEmpty { return "\(subject) requires \(names(negatives, "or"))" }
            return "\(subject) depends on \(name) in versions of its own, \(absence(of: name))"
        case .optional(let name, let range):
            let impossible = range.set.isEmpty ? ", which no version can be" : ""
            return "\(subject) needs \(name), if it is there, to be \(range.shown)\(impossible)"
        case .conflict(let name, let range):
            return "\(subject) conflicts with \(wanted(name, range, node.terms[1]))"
        case .provider:
            return "\(subject) requires \(name(node.terms[1]))"
        case .refused(let refusal):
            return "\(subject) is refused (\(refusal.text))"
        case .refusals(let refusals):
            return "\(subject) is refused (\(Self.text(of: refusals)))"
        case .selfDependency:
            return "\(subject) depends on itself"
        case .leftOut:
            return "\(name(node.terms[0])) cannot be loaded"
        case .cycle(let steps):
            func arrow(_ step: CycleStep) -> String {
                let provider = step.target == step.name ? "" : " (from \(step.target))"
                let range = step.range == .any ? "" : " \(step.range)"
                return "\(step.id) waits for \(step.name)\(range)\(provider)"
            }
            let more = steps.count - Self.namedSteps
            let named =
                more > 1
                ? steps.prefix(Self.namedSteps - 1).map(arrow) + ["and so on with \(more) more"]
                    + steps.suffix(1).map(arrow) : steps.map(arrow)
            return named.joined(separator: ", ") + ", so that none of them can start first"
        }
    }

    private static func text(of refusals: [Candidate.Refusal]) -> String {
        refusals.first.map { "the newest: \($0.text)" } ?? ""
    }

    /// Versions that are named when none of them fits.
    private static let namedVersions = 3

    private func absence(of name: PluginID, _ range: VersionRange? = nil) -> String {
        if range?.set.isEmpty == true { return "which no version can be" }
        let offers = proof.versions(of: name)
        if offers.isEmpty { return "which is not there" }
        let rest = offers.count - Self.namedVersions
        let named = rest > 0 ? offers.prefix(Self.namedVersions) + ["\(rest) older"] : offers[...]
        return "of which there is only \(Self.list(Array(named), "and"))"
    }

    // MARK: - Two nodes

    /// Two nodes in one clause; each with its line's number, if it has one.
    func clause(
        _ left: Proof.Node, _ leftLine: Int?, and right: Proof.Node, _ rightLine: Int?
    ) -> String {
        both(left, leftLine, right, rightLine) ?? through(left, leftLine, right, rightLine)
            ?? forbidden(left, leftLine, right, rightLine)
            ?? clause(left) + mark(leftLine) + " and " + clause(right) + mark(rightLine)
    }

    private func mark(_ line: Int?) -> String { line.map { " (\($0))" } ?? "" }

    private func isDependency(_ node: Proof.Node) -> Bool {
        if case .fact(.dependency) = node.cause { true } else { false }
    }

    /// Whether its words can be taken apart: a dependency, or a derived line.
    private func isPlain(_ node: Proof.Node) -> Bool {
        switch node.cause {
        case .fact(.dependency), .fact(.dependencies): node.terms.count > 1
        case .fact: false
        case .resolution: true
        }
    }

    private func single(_ terms: [Proof.Term]) -> Proof.Term? { terms.count == 1 ? terms[0] : nil }

    /// "a depends on both b and c".
    private func both(
        _ left: Proof.Node, _ leftLine: Int?, _ right: Proof.Node, _ rightLine: Int?
    ) -> String? {
        guard isPlain(left), isPlain(right), let subject = single(positives(left)),
            subject == single(positives(right)), !negatives(left).isEmpty,
            !negatives(right).isEmpty
        else { return nil }
        let verb = isDependency(left) && isDependency(right) ? "depends on" : "requires"
        return "\(name(subject, every: true)) \(verb) both \(names(negatives(left), "or"))"
            + "\(mark(leftLine)) and \(names(negatives(right), "or"))\(mark(rightLine))"
    }

    /// "a depends on b" or "if a and x then b".
    private func beginning(_ node: Proof.Node) -> String {
        let subjects = positives(node)
        if subjects.count > 1 { return "if \(names(subjects, "and")) then " }
        let subject = subjects.first.map { name($0, every: true) } ?? "everything"
        return subject + (isDependency(node) ? " depends on " : " requires ")
    }

    /// Whether what `negative` asks for is surely covered by `positive`.
    private func leads(_ negative: Proof.Term?, to positive: Proof.Term?) -> Bool {
        guard let negative, let positive, negative.subject == positive.subject else { return false }
        let values = 1..<proof.valueCount(negative.subject)
        return values.allSatisfy { negative.set.contains($0) || positive.set.contains($0) }
    }

    /// "a depends on b which depends on c".
    private func through(
        _ left: Proof.Node, _ leftLine: Int?, _ right: Proof.Node, _ rightLine: Int?
    ) -> String? {
        guard isPlain(left), isPlain(right), left.terms.count > 1, right.terms.count > 1 else {
            return nil
        }
        let (prior, priorLine, latter, latterLine): (Proof.Node, Int?, Proof.Node, Int?)
        if leads(single(negatives(left)), to: single(positives(right))) {
            (prior, priorLine, latter, latterLine) = (left, leftLine, right, rightLine)
        } else if leads(single(negatives(right)), to: single(positives(left))) {
            (prior, priorLine, latter, latterLine) = (right, rightLine, left, leftLine)
        } else {
            return nil
        }
        guard let middle = single(negatives(prior)), !negatives(latter).isEmpty,
            !positives(prior).isEmpty
        else { return nil }
        let verb = isDependency(latter) ? "depends on" : "requires"
        return "\(beginning(prior))\(name(middle))\(mark(priorLine)) which \(verb) "
            + "\(names(negatives(latter), "or"))\(mark(latterLine))"
    }

    /// "a depends on b which is forbidden".
    private func forbidden(
        _ left: Proof.Node, _ leftLine: Int?, _ right: Proof.Node, _ rightLine: Int?
    ) -> String? {
        let (prior, priorLine, latter, latterLine): (Proof.Node, Int?, Proof.Node, Int?) =
            left.terms.count == 1
            ? (right, rightLine, left, leftLine) : (left, leftLine, right, rightLine)
        guard latter.terms.count == 1, isPlain(prior), let middle = single(negatives(prior)),
            !positives(prior).isEmpty, leads(middle, to: latter.terms[0])
        else { return nil }
        let start = "\(beginning(prior))\(name(middle))\(mark(priorLine))"
        switch latter.cause {
        case .resolution: return "\(start), which is forbidden\(mark(latterLine))"
        case .fact(.leftOut): return "\(start), which cannot be loaded\(mark(latterLine))"
        case .fact(.refused(let refusal)):
            return "\(start), which is refused (\(refusal.text))\(mark(latterLine))"
        case .fact(.refusals(let refusals)):
            return "\(start), which is refused (\(Self.text(of: refusals)))\(mark(latterLine))"
        case .fact(.dependency(let name, let range)):
            return
                "\(start), which depends on \(wanted(name, range, nil)), \(absence(of: name, range))"
        case .fact(.dependencies(let name, _)):
            return "\(start), which depends on \(name) in versions of its own, \(absence(of: name))"
        case .fact(.selfDependency): return "\(start), which depends on itself"
        case .fact(.cycle): return "\(start), but \(clause(latter))"
        case .fact: return nil
        }
    }
}
