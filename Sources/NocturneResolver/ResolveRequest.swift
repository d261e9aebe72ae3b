// ResolveRequest.swift — what there is to choose from, for which host, and what runs already.
// Values only; the resolver reads no file and no clock. Next: Resolution.swift.

package import NocturneCore

/// One file that offers one version of one plugin.
package struct Candidate: Sendable, Hashable {
    /// Why a candidate cannot run here whatever else is chosen.
    package struct Refusal: Sendable, Hashable {
        /// A word for programs, such as `permission`.
        package let code: String
        /// A clause for people that begins with "it" and names both sides.
        package let text: String

        package init(_ code: String, _ text: String) {
            (self.code, self.text) = (code, text)
        }
    }

    package let id: PluginID
    package let version: SemanticVersion
    /// What tells candidates of one version apart, such as the file's path. Unique per id.
    package let label: String
    /// Plugins, or names that plugins provide, that must be there.
    package var dependencies: [PluginID: VersionRange] = [:]
    /// If one of these is there, one that fits must be.
    package var optionalDependencies: [PluginID: VersionRange] = [:]
    /// What must not be there.
    package var conflicts: [PluginID: VersionRange] = [:]
    /// Names under which others may depend on this one, each with its version.
    package var provides: [PluginID: SemanticVersion] = [:]
    /// Versions of the host that will do; `nil`: any.
    package var host: VersionRange?
    /// What it was built for; `nil`: not checked.
    package var abi: ABIVersion?
    /// What it was built for; `nil`: any.
    package var architecture: Manifest.Architecture?
    /// What else keeps it off this host: a denied permission, a bad signature. The first counts.
    package var refusals: [Refusal] = []

    package init(_ id: PluginID, _ version: SemanticVersion, label: String) {
        (self.id, self.version, self.label) = (id, version, label)
    }

    /// What `manifest` says.
    package init(_ manifest: Manifest, label: String, refusals: [Refusal] = []) {
        self.init(manifest.id, manifest.version, label: label)
        dependencies = manifest.dependencies
        optionalDependencies = manifest.optionalDependencies
        conflicts = manifest.conflicts
        provides = manifest.provides
        host = manifest.host
        abi = manifest.abi
        architecture = manifest.architecture
        self.refusals = refusals
    }
}

/// The host that the plugins are chosen for.
package struct HostEnvironment: Sendable, Hashable {
    package let version: SemanticVersion
    /// Plugins of this major, up to this minor.
    package let abi: ABIVersion
    /// `nil`: not checked.
    package let architecture: Manifest.Architecture?

    package init(
        version: SemanticVersion, abi: ABIVersion, architecture: Manifest.Architecture? = nil
    ) {
        (self.version, self.abi, self.architecture) = (version, abi, architecture)
    }

    /// Why `candidate` cannot run here, if so.
    func refusal(of candidate: Candidate) -> Candidate.Refusal? {
        if let wanted = candidate.abi, wanted.major != abi.major || wanted.minor > abi.minor {
            return .init(
                "abi",
                "it was built for ABI \(wanted), this host serves \(abi); "
                    + (wanted > abi ? "update the host" : "rebuild it with this SDK"))
        }
        if let range = candidate.host, !range.contains(version) {
            return .init("host", "it wants a host of version \(range), this one is \(version)")
        }
        if let wanted = candidate.architecture, let architecture, wanted != architecture {
            return .init(
                "architecture",
                "it was built for \(wanted.rawValue), this host is \(architecture.rawValue)")
        }
        return candidate.refusals.first
    }
}

/// What serves at the moment; decides only between what is equally good.
package struct RunningPlugin: Sendable, Hashable {
    package let version: SemanticVersion
    package let label: String?

    package init(_ version: SemanticVersion, label: String? = nil) {
        (self.version, self.label) = (version, label)
    }

    /// 2: the very candidate; 1: the same version, byte for byte; 0: another.
    func likeness(to candidate: Candidate) -> Int {
        guard candidate.version.description == version.description else { return 0 }
        return candidate.label == label ? 2 : 1
    }
}

/// A question for ``Resolver``.
package struct ResolveRequest: Sendable {
    /// Visits of an incompatibility, or of a term in a conflict, that one resolution may take; twice as many if
    /// nothing was found by then. A directory of 10,000 plugins that agree takes about 10,000; the limit ends a hopeless search within a second
    /// (`nocturne-bench resolver`).
    package static let defaultStepBudget = 2_000_000

    /// In any order: it does not change the answer.
    package var candidates: [Candidate]
    package var environment: HostEnvironment
    package var running: [PluginID: RunningPlugin] = [:]
    /// Of the ids to load, those that are left out only if nothing else helps: no number of others makes up for
    /// one of them. A live host names what serves, so that no file that is dropped displaces it.
    package var kept: Set<PluginID> = []
    /// The ids to load, whose dependencies come along; `nil`: all that there are.
    package var wanted: Set<PluginID>?
    package var stepBudget = ResolveRequest.defaultStepBudget

    package init(_ candidates: [Candidate], for environment: HostEnvironment) {
        (self.candidates, self.environment) = (candidates, environment)
    }
}
