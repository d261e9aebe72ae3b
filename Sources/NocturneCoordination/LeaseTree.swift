// LeaseTree.swift — who has what of a tree of names. Each lease leaves its intention at all names above it, so that one
// look at each level of a name tells whether it is free, and disjoint paths never meet. Next: Semaphores.swift.

/// Leases by name, counted by holder.
struct LeaseTree: Sendable {
    /// How many leases of each mode.
    private struct Counts: Sendable {
        var shared = 0
        var exclusive = 0

        mutating func add(_ mode: LeaseMode, _ change: Int) {
            switch mode {
            case .shared: shared += change
            case .exclusive: exclusive += change
            }
        }

        /// Whether some of them cannot be together with a lease of `mode`.
        func excludes(_ mode: LeaseMode) -> Bool {
            exclusive > 0 || (mode == .exclusive && shared > 0)
        }
    }

    /// Counts of all and of each holder.
    private struct Claims: Sendable {
        private var all = Counts()
        private var byHolder: [ResourceHolder: Counts] = [:]

        mutating func add(_ mode: LeaseMode, _ holder: ResourceHolder, _ change: Int) {
            all.add(mode, change)
            var own = byHolder[holder] ?? Counts()
            own.add(mode, change)
            byHolder[holder] = own.shared + own.exclusive > 0 ? own : nil
        }

        var isEmpty: Bool { byHolder.isEmpty }

        /// Whether holders other than this one exclude `mode`.
        func excludes(_ mode: LeaseMode, for holder: ResourceHolder) -> Bool {
            var others = all
            if let own = byHolder[holder] {
                others.shared -= own.shared
                others.exclusive -= own.exclusive
            }
            return others.excludes(mode)
        }

        func holders(excluding mode: LeaseMode, for holder: ResourceHolder) -> [ResourceHolder] {
            byHolder.compactMap { $0.key != holder && $0.value.excludes(mode) ? $0.key : nil }
        }

        /// Whether this holder has what allows `mode`.
        func allow(_ mode: LeaseMode, to holder: ResourceHolder) -> Bool {
            guard let own = byHolder[holder] else { return false }
            return own.exclusive > 0 || mode == .shared
        }
    }

    private struct Node: Sendable {
        /// Leases on this name.
        var here = Claims()
        /// Leases on names below it.
        var below = Claims()
    }

    private var nodes: [String: Node] = [:]

    mutating func add(_ request: LeaseRequest) { change(request, by: 1) }

    mutating func remove(_ request: LeaseRequest) { change(request, by: -1) }

    private mutating func change(_ request: LeaseRequest, by change: Int) {
        for level in request.name.levels {
            var node = nodes.removeValue(forKey: level) ?? Node()
            if level == request.name.description {
                node.here.add(request.mode, request.holder, change)
            } else {
                node.below.add(request.mode, request.holder, change)
            }
            if !(node.here.isEmpty && node.below.isEmpty) { nodes[level] = node }
        }
    }

    /// Whether no other holder has what excludes this.
    func isFree(_ request: LeaseRequest) -> Bool {
        !claims(around: request.name).contains {
            $0.excludes(request.mode, for: request.holder)
        }
    }

    /// The other holders that have what excludes this, sorted.
    func holders(against request: LeaseRequest) -> [ResourceHolder] {
        let claims = claims(around: request.name).filter {
            $0.excludes(request.mode, for: request.holder)
        }
        return Set(
            claims.flatMap { $0.holders(excluding: request.mode, for: request.holder) }
        ).sorted()
    }

    /// Whether the holder has it already, by leases on the name or above it.
    func allows(_ request: LeaseRequest) -> Bool {
        request.name.levels.contains {
            nodes[$0]?.here.allow(request.mode, to: request.holder) == true
        }
    }

    /// Leases on the name and above it, and leases below it.
    private func claims(around name: ResourceName) -> [Claims] {
        var claims = name.levels.compactMap { nodes[$0]?.here }
        if let below = nodes[name.description]?.below { claims.append(below) }
        return claims
    }
}
