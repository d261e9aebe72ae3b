// Resolution.swift — the answer: what is chosen, in which order it starts, and why the rest is not.
// Next: Resolver.swift.

package import NocturneCore

/// What ``Resolver`` found. Equal questions have equal answers, whatever the order of their candidates.
package struct Resolution: Sendable, Hashable {
    package struct Choice: Sendable, Hashable {
        package let id: PluginID
        package let version: SemanticVersion
        package let label: String
    }

    /// Why something is not chosen, as a word for programs. What refuses a candidate by itself brings its own
    /// word, such as `abi`.
    package struct Reason: Sendable, Hashable, CustomStringConvertible {
        package let description: String

        init(_ description: String) { self.description = description }

        /// It depends on what nobody has.
        package static let missing = Reason("missing")
        /// What it depends on is there in no version that goes with the rest.
        package static let dependency = Reason("dependency")
        package static let conflict = Reason("conflict")
        /// It waits for itself.
        package static let cycle = Reason("cycle")
        /// Another version of the same id is chosen and better.
        package static let otherVersion = Reason("otherVersion")
        /// The same version from another file is chosen.
        package static let duplicate = Reason("duplicate")
        /// The step budget was spent before an answer was found.
        package static let gaveUp = Reason("gaveUp")
        /// Nobody wants it.
        package static let unwanted = Reason("unwanted")
    }

    /// An id of which no version is chosen.
    package struct LeftOut: Sendable, Hashable {
        package let id: PluginID
        package let reason: Reason
        /// For people: a few lines, the last one the conclusion; or ``refusal``.
        package internal(set) var text: String
        /// The smallest change that would let it in without losing anything else, if one was found.
        package internal(set) var change: String?
        /// The host of which the change speaks, if it is one.
        var changedHost: HostEnvironment?
        package let proof: Proof?

        /// What is wrong with the plugin itself, if that is all there is to say. It needs no proof in words.
        package var refusal: Candidate.Refusal? {
            guard let proof, proof.nodes.count == 1,
                case .fact(.refused(let refusal)) = proof.nodes[0].cause
            else { return nil }
            return refusal
        }
    }

    /// A candidate that is not chosen.
    package struct Rejection: Sendable, Hashable {
        package let id: PluginID
        package let version: SemanticVersion
        package let label: String
        package let reason: Reason
        package let text: String
        package let proof: Proof?
    }

    /// In the order of ids.
    package internal(set) var chosen: [Choice] = []
    /// Layers: each may start, side by side, when those before have started.
    package internal(set) var order: [[PluginID]] = []
    /// In the order of ids.
    package internal(set) var leftOut: [LeftOut] = []
    /// By id, best version first.
    package internal(set) var rejected: [Rejection] = []
    /// What an operator may want to know besides.
    package internal(set) var notes: [String] = []
    /// Whether it is certain that no larger or better set exists.
    package internal(set) var isProvenLargest = true
    /// Visits of incompatibilities that the choice took. Reasons are not counted.
    package internal(set) var steps = 0
}
