// Catalog.swift — what the directory holds, what operators wished and what serves: all that a decision depends on.
// Values only. Next: CatalogChoice.swift.

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
    /// Why it cannot run, although nothing is wrong with `choice` itself.
    var leftOut: Refusal?
    /// Why other files of this id do not serve, by path.
    var reasons: [String: Refusal] = [:]
    /// A change of its files that is not carried out, why, and what would.
    var pendingChange: String?
    /// All its files were unloaded by an operator.
    var isUnloaded = false
}

/// A build that was tried and did not come to serve, so that what served before it serves on.
struct FailedBuild: Sendable {
    let why: Refusal
    /// The build whose fault it was: this one, or another of the same change.
    let culprit: ContentHash
}

/// What a decision depends on.
struct Catalog: Sendable {
    var files: [String: CatalogFile] = [:]
    var holds: [String: CatalogHold] = [:]
    /// What was decided before.
    var previous: [PluginID: CatalogDecision] = [:]
    /// What runs, and therefore is neither displaced by a new file nor broken by a changed one.
    var serving: [PluginID: PluginBuild] = [:]
    /// Ids that are not to run, and why.
    var off: [PluginID: Refusal] = [:]
    /// What operators have set, which a new build must accept.
    var settings: [PluginID: JSONObject] = [:]
    var failed: [ContentHash: FailedBuild] = [:]
    /// Without hot reload a change of what was chosen waits.
    var enableHotReload = true
    /// Ids whose change an operator has asked for: it is not held.
    var released: Set<PluginID> = []

    /// The decision for every id that any file offers, or that was chosen before.
    func decide() -> CatalogOutcome {
        var choice = CatalogChoice(self)
        return choice.outcome()
    }

    /// Failures of builds that are not offered any more are history; so are those that were another's fault.
    mutating func forgetFailures() {
        let offered = Set(files.values.compactMap { $0.offer?.hash })
        failed = failed.filter { offered.contains($0.key) && offered.contains($0.value.culprit) }
    }
}
