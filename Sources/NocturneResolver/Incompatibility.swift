// Incompatibility.swift — terms that cannot all hold, and why: a fact from a manifest, or what follows
// from two others. Next: Universe.swift.

package import NocturneCore

/// Something that a manifest or the host says.
package enum Fact: Sendable, Hashable {
    /// The first term's versions depend on `name` of `range`; the second term, if any, is where no
    /// fitting one is chosen.
    case dependency(name: PluginID, range: VersionRange)
    /// The first term's versions depend on `name`, each in a range of its own, newest version first. Made of several
    /// in proofs.
    case dependencies(name: PluginID, ranges: [VersionRange])
    /// If a `name` is there, one of `range` must be.
    case optional(name: PluginID, range: VersionRange)
    /// The first term's versions do not stand the second's.
    case conflict(name: PluginID, range: VersionRange)
    /// A choice among providers means that the provider is there.
    case provider
    /// The first term's versions cannot run on this host.
    case refused(Candidate.Refusal)
    /// The same, each for a reason of its own, newest version first. Made of several in proofs.
    case refusals([Candidate.Refusal])
    /// The first term's versions depend on themselves.
    case selfDependency
    /// The terms' versions wait for each other: none can start first. Each id, and what it waits for.
    case cycle([CycleStep])
    /// The first term's id can never be there, as the proof of its own says. Only in proofs that would be too
    /// long otherwise.
    case leftOut

    /// The ids that it names, besides those of its terms.
    var plugins: [PluginID] {
        switch self {
        case .dependency(let name, _), .dependencies(let name, _), .optional(let name, _),
            .conflict(let name, _):
            [name]
        case .cycle(let steps): steps.flatMap { [$0.id, $0.name, $0.target] }
        case .provider, .refused, .refusals, .selfDependency, .leftOut: []
        }
    }
}

/// One arrow of a ring of dependencies.
package struct CycleStep: Sendable, Hashable {
    /// Who declares it.
    package let id: PluginID
    /// What it declares, and what that means here.
    package let name: PluginID
    package let range: VersionRange
    package let target: PluginID
}

/// A set of terms that cannot all hold.
struct Incompatibility: Sendable {
    enum Cause: Sendable {
        case fact(Fact)
        /// Resolution of `first` with each further one on the variable named, in order.
        case resolution(first: Int, steps: [Step])
    }

    struct Step: Sendable {
        let variable: Int
        let incompatibility: Int
    }

    /// At most one for each variable.
    let terms: [Term]
    let cause: Cause

    /// What the incompatibility says of `variable`.
    func set(of variable: Int) -> ValueSet? {
        terms.first { $0.variable == variable }?.set
    }
}
