// Components.swift — a directory falls apart into groups that never speak of each other: each is a question
// of its own, so that one hard group spoils nothing else. Next: Universe.swift.

import NocturneCore

/// Splits a request.
enum Components {
    /// Requests without a name in common, in the order of their first ids.
    static func split(_ request: ResolveRequest) -> [ResolveRequest] {
        var places: [PluginID: Int] = [:]
        places.reserveCapacity(request.candidates.count)
        var parents: [Int] = []
        func place(_ name: PluginID) -> Int {
            if let known = places[name] { return known }
            places[name] = parents.count
            parents.append(parents.count)
            return parents.count - 1
        }
        func root(_ place: Int) -> Int {
            var at = place
            while parents[at] != at {
                parents[at] = parents[parents[at]]
                at = parents[at]
            }
            return at
        }
        var own: [Int] = []
        own.reserveCapacity(request.candidates.count)
        for candidate in request.candidates {
            let id = place(candidate.id)
            own.append(id)
            func join(_ name: PluginID) { parents[root(place(name))] = root(id) }
            for name in candidate.dependencies.keys { join(name) }
            for name in candidate.optionalDependencies.keys { join(name) }
            for name in candidate.conflicts.keys { join(name) }
            for name in candidate.provides.keys { join(name) }
        }
        let roots = own.map(root)
        if roots.allSatisfy({ $0 == roots[0] }) { return [request] }
        var groups: [Int: Int] = [:]
        var candidates: [[Candidate]] = []
        for (candidate, root) in zip(request.candidates, roots) {
            if let group = groups[root] {
                candidates[group].append(candidate)
            } else {
                groups[root] = candidates.count
                candidates.append([candidate])
            }
        }
        return requests(candidates, request)
    }

    private static func requests(
        _ groups: [[Candidate]], _ request: ResolveRequest
    ) -> [ResolveRequest] {
        let ordered = groups.enumerated().map {
            (index: $0.offset, id: $0.element.lazy.map { $0.id }.min())
        }
        .sorted { left, right in
            guard let a = left.id, let b = right.id else { return false }
            return a < b
        }
        return ordered.map { group in
            var one = request
            one.candidates = groups[group.index]
            return one
        }
    }
}
