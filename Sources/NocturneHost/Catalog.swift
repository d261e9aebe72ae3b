// Catalog.swift — what the directory holds and what should therefore serve. Pure: files and wishes in, decisions out.
// Next: PluginManager.swift.

import NocturneCore

/// A file that offers a plugin, or should.
struct CatalogFile: Sendable {
    enum Content: Sendable {
        case build(PluginBuild)
        /// Not a plugin for this host.
        case refused(Refusal, id: PluginID?, version: String?)
        /// Perhaps still being written.
        case incomplete(Refusal)
    }
    let path: String
    var identity: FileIdentity?
    var hash: ContentHash?
    var content: Content
    /// What this path offered before its content went bad: it serves on, so that a bad copy breaks nobody.
    var lastGood: PluginBuild?
    /// Loaded by command from outside the directory; lasts until the host stops.
    var isExternal = false
    /// When it was first seen incomplete (CLOCK_MONOTONIC, ns).
    var incompleteSince: Int64?

    /// Why its content is no plugin, if it is none.
    var problem: Refusal? {
        switch content {
        case .build: nil
        case .refused(let why, _, _), .incomplete(let why): why
        }
    }

    /// What it offers at the moment.
    var offer: PluginBuild? {
        if case .build(let build) = content { return build }
        return lastGood
    }
}

/// An operator's word that holds until the content of a path changes.
enum CatalogHold: Sendable {
    case unloaded(ContentHash)
    case rolledBack(ContentHash, serving: PluginBuild)
}

/// What should become of one plugin id.
struct CatalogDecision: Sendable {
    /// What serves, or would.
    var choice: PluginBuild?
    /// The file it comes from.
    var path: String?
    /// Why other files of this id do not serve, by path.
    var reasons: [String: Refusal] = [:]
    /// A change that waits for `reload` or `unload`.
    var pendingChange: String?
    /// All its files were unloaded by an operator.
    var isUnloaded = false
}

/// Chooses one build for each id.
struct Catalog: Sendable {
    var files: [String: CatalogFile] = [:]
    var holds: [String: CatalogHold] = [:]
    /// What was chosen before: the running one stays in doubt.
    var previous: [PluginID: CatalogDecision] = [:]
    /// Without hot reload a change of what was chosen waits.
    var enableHotReload = true
    /// Ids whose pending change an operator has asked for.
    var released: Set<PluginID> = []

    private struct Candidate {
        let path: String
        let build: PluginBuild
    }

    /// The decision for every id that any file offers, or that was chosen before.
    func decide() -> [PluginID: CatalogDecision] {
        var candidates: [PluginID: [Candidate]] = [:]
        var decisions: [PluginID: CatalogDecision] = [:]
        for file in files.values.sorted(by: { $0.path < $1.path }) {
            guard let offer = file.offer else { continue }
            switch holds[file.path] {
            case .unloaded(let hash) where hash == offer.hash:
                decisions[offer.id, default: CatalogDecision()].reasons[file.path] = Refusal(
                    "unloaded",
                    "unloaded by an operator; `load` or a change of the file brings it back")
                decisions[offer.id, default: CatalogDecision()].isUnloaded = true
            case .rolledBack(let hash, let serving) where hash == offer.hash:
                candidates[offer.id, default: []].append(Candidate(path: file.path, build: serving))
            default:
                candidates[offer.id, default: []].append(Candidate(path: file.path, build: offer))
            }
        }
        for (id, offered) in candidates {
            var decision = decisions[id] ?? CatalogDecision()
            choose(offered, before: previous[id], &decision)
            decision.isUnloaded = false
            decisions[id] = decision
        }
        if !enableHotReload { hold(&decisions) }
        return decisions
    }

    /// The highest version; of equal versions the running path, then the running bytes, then the first path.
    private func choose(
        _ offered: [Candidate], before: CatalogDecision?, _ decision: inout CatalogDecision
    ) {
        let ordered = offered.sorted { left, right in
            let (a, b) = (left.build.manifest.version, right.build.manifest.version)
            if a < b || b < a { return b < a }
            let (leftRuns, rightRuns) = (left.path == before?.path, right.path == before?.path)
            if leftRuns != rightRuns { return leftRuns }
            let (leftSame, rightSame) = (
                left.build.hash == before?.choice?.hash, right.build.hash == before?.choice?.hash
            )
            if leftSame != rightSame { return leftSame }
            return left.path < right.path
        }
        guard let best = ordered.first else { return }
        decision.choice = best.build
        decision.path = best.path
        for other in ordered.dropFirst() {
            let version = other.build.manifest.version
            if other.build.hash == best.build.hash {
                decision.reasons[other.path] = Refusal(
                    "sameContent", "the same plugin as \(best.path), which serves")
            } else if version == best.build.manifest.version {
                decision.reasons[other.path] = Refusal(
                    "duplicate",
                    "\(best.build.id) \(version) is also \(best.path), with other bytes, which serves; "
                        + "remove one of them, or give it another version")
            } else {
                decision.reasons[other.path] = Refusal(
                    "olderVersion",
                    "version \(best.build.manifest.version) from \(best.path) serves")
            }
        }
    }

    /// Keeps what was chosen, and says what waits.
    private func hold(_ decisions: inout [PluginID: CatalogDecision]) {
        for (id, before) in previous where !released.contains(id) {
            guard let choice = before.choice, let path = before.path else { continue }
            let now = decisions[id]
            if now?.choice?.hash == choice.hash || now?.isUnloaded == true { continue }
            var kept = now ?? CatalogDecision()
            kept.choice = choice
            kept.path = path
            kept.pendingChange =
                now?.choice.map {
                    "\($0.manifest.version) in \(now?.path ?? "?") waits for `reload \(id)`"
                }
                ?? "its file is gone; `unload \(id)` or `reload \(id)` carries that out"
            decisions[id] = kept
        }
    }
}
