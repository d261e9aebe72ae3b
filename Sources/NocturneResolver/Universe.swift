// Universe.swift — every id and every version that there is, numbered once in an order that does not
// depend on the input's. Next: Encoding.swift.

import NocturneCore

/// Variables and their values. A variable is a plugin id, or a *need*: a name of several providers, whose
/// values are those providers. Value 0 is "absent"; the others stand best first.
struct Universe: Sendable {
    /// Who may fulfill a need, with which of its versions.
    struct Provider: Sendable, Hashable {
        let variable: Int
        var set: ValueSet
    }

    enum Subject: Sendable {
        case plugin(PluginID)
        case need(NeedKey)
    }

    /// What a need is; equal ones share a variable.
    struct NeedKey: Sendable, Hashable {
        let name: PluginID
        /// `nil`: any other way to start a ring of plugins.
        let range: VersionRange?
        let providers: [Provider]
    }

    struct Variable: Sendable {
        let subject: Subject
        /// Index into ``Universe/candidates`` of value 1; those of the others follow. Plugins only.
        let firstCandidate: Int
        /// With "absent".
        let valueCount: Int
        let full: ValueSet
        /// All but "absent".
        let present: ValueSet
    }

    /// A plugin that answers to a name.
    private struct Offer: Sendable {
        let variable: Int
        let value: Int
        let version: SemanticVersion
    }

    private struct FitKey: Hashable {
        let name: PluginID
        let range: VersionRange
    }

    /// By id, best first.
    let candidates: [Candidate]
    /// Plugins in the order of their ids, then needs in the order of their making.
    private(set) var variables: [Variable] = []
    private(set) var pluginCount = 0
    private var variableOfID: [PluginID: Int] = [:]
    private var offers: [PluginID: [Offer]] = [:]
    private var fits: [FitKey: [Provider]] = [:]
    private var needs: [NeedKey: Int] = [:]
    /// Offers up to which testing all takes less time than looking up a range, which takes 10 tests to hash
    /// (`nocturne-bench resolver`).
    private static let testedOffers = 4

    init(_ candidates: [Candidate], running: [PluginID: RunningPlugin]) {
        self.candidates = Self.ordered(candidates, running: running)
        variableOfID.reserveCapacity(candidates.count)
        offers.reserveCapacity(candidates.count)
        var start = 0
        while start < self.candidates.count {
            let id = self.candidates[start].id
            var end = start + 1
            while end < self.candidates.count, self.candidates[end].id == id { end += 1 }
            addPlugin(id, start..<end)
            start = end
        }
        pluginCount = variables.count
    }

    /// Sorted by id; then stable before prerelease, newest first, what runs, build, label.
    private static func ordered(
        _ candidates: [Candidate], running: [PluginID: RunningPlugin]
    ) -> [Candidate] {
        // Candidates are large: their places are sorted.
        candidates.indices.sorted { first, second in
            let (a, b) = (candidates[first].id, candidates[second].id)
            return a == b
                ? isBetter(candidates[first], candidates[second], running) : a < b
        }.map { candidates[$0] }
    }

    private static func isBetter(
        _ left: Candidate, _ right: Candidate, _ running: [PluginID: RunningPlugin]
    ) -> Bool {
        let (a, b) = (left.version, right.version)
        if a.isPrerelease != b.isPrerelease { return b.isPrerelease }
        if a != b { return a > b }
        if let runs = running[left.id] {
            let (c, d) = (runs.likeness(to: left), runs.likeness(to: right))
            if c != d { return c > d }
        }
        if a.build != b.build { return a.build > b.build }
        return left.label < right.label
    }

    private mutating func addPlugin(_ id: PluginID, _ range: Range<Int>) {
        let variable = append(.plugin(id), range.lowerBound, valueCount: range.count + 1)
        variableOfID[id] = variable
        for (offset, index) in range.enumerated() {
            let candidate = candidates[index]
            offers[id, default: []].append(
                Offer(variable: variable, value: offset + 1, version: candidate.version))
            for (name, version) in candidate.provides where name != id {
                offers[name, default: []].append(
                    Offer(variable: variable, value: offset + 1, version: version))
            }
        }
    }

    private mutating func append(_ subject: Subject, _ first: Int, valueCount: Int) -> Int {
        let full = ValueSet(allOf: valueCount)
        var absent = ValueSet(emptyOf: valueCount)
        absent.insert(Term.absent)
        variables.append(
            Variable(
                subject: subject, firstCandidate: first, valueCount: valueCount, full: full,
                present: full.subtracting(absent)))
        return variables.count - 1
    }

    // MARK: - Questions

    func variable(of id: PluginID) -> Int? { variableOfID[id] }

    func id(of variable: Int) -> PluginID {
        switch variables[variable].subject {
        case .plugin(let id): id
        case .need(let key): key.name
        }
    }

    func candidate(_ variable: Int, _ value: Int) -> Candidate {
        candidates[variables[variable].firstCandidate + value - 1]
    }

    func candidates(of variable: Int) -> ArraySlice<Candidate> {
        let first = variables[variable].firstCandidate
        return candidates[first..<first + variables[variable].valueCount - 1]
    }

    func absent(_ variable: Int) -> ValueSet {
        variables[variable].full.subtracting(variables[variable].present)
    }

    /// Who answers to `name`, in any version.
    func providers(of name: PluginID) -> [Provider] {
        grouped(offers[name] ?? [])
    }

    /// Who answers to `name` with a version in `range`, in the order of variables.
    mutating func providers(of name: PluginID, in range: VersionRange) -> [Provider] {
        guard let offers = offers[name] else { return [] }
        if offers.count <= Self.testedOffers {
            return grouped(offers, in: range)
        }
        let key = FitKey(name: name, range: range)
        if let known = fits[key] { return known }
        let found = grouped(offers, in: range)
        fits[key] = found
        return found
    }

    /// The versions of `name` that are there, newest first.
    func versions(of name: PluginID) -> [String] {
        var found: [String] = []
        for offer in (offers[name] ?? []).sorted(by: { $0.version > $1.version }) {
            let text = offer.version.description
            if found.last != text { found.append(text) }
        }
        return found
    }

    /// - Parameter range: `nil`: every version.
    private func grouped(_ offers: [Offer], in range: VersionRange? = nil) -> [Provider] {
        var found: [Provider] = []
        for offer in offers where range?.contains(offer.version) ?? true {
            // Offers come in the order of variables.
            if found.last?.variable != offer.variable {
                let none = ValueSet(emptyOf: variables[offer.variable].valueCount)
                found.append(Provider(variable: offer.variable, set: none))
            }
            found[found.count - 1].set.insert(offer.value)
        }
        return found
    }

    /// The variable that says which of at least two providers fulfills a need, and whether it is new.
    mutating func need(_ key: NeedKey) -> (variable: Int, isNew: Bool) {
        if let known = needs[key] { return (known, false) }
        let variable = append(.need(key), 0, valueCount: key.providers.count + 1)
        needs[key] = variable
        return (variable, true)
    }
}
