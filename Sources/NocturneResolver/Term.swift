// Term.swift — a statement about one id, as in the PubGrub paper: "text-tools is one of these
// versions", "text-tools is absent or one of these". Next: Incompatibility.swift.

/// That `variable` has one of the values in `set`. Value 0 is "absent", so a term that holds it is what
/// the paper calls negative: `not foo ^1` is "absent, or a version outside ^1".
struct Term: Sendable, Hashable {
    /// The value of an id that is not chosen.
    static let absent = 0

    /// An index into ``Universe``.
    let variable: Int
    let set: ValueSet

    /// Whether the id must be there for the term to hold.
    var isPositive: Bool { !set.contains(Term.absent) }
}
