// SmallestChange.swift — one thing to add, upgrade or remove, after which an id that is left out can be there
// and nothing else is lost.

import NocturneCore

struct SmallestChange {
    init(_ request: ResolveRequest, _ values: [Int], _ universe: Universe) {}
    mutating func change(for variable: Int, _ proof: Proof) -> String? { nil }
}
