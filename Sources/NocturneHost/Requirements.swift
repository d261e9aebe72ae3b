// Requirements.swift — whether a build can run on this host, and whether what it depends on is there. Pure.

import NocturneCore

/// This host, as manifests ask for it.
public enum HostVersion {
    /// Version of this host.
    public static let string = "0.1.0"
    /// The ABI it serves: plugins of this major, up to this minor.
    static let abi = ABIVersion(major: 1, minor: 0)
    static let semantic = SemanticVersion(0, 1, 0)
}

enum Requirements {
    /// What keeps a build off this host whatever else is there.
    static func refusal(of manifest: Manifest) -> Refusal? {
        if manifest.abi.major != HostVersion.abi.major || manifest.abi.minor > HostVersion.abi.minor
        {
            return Refusal(
                "abi",
                "it was built for ABI \(manifest.abi), this host serves \(HostVersion.abi); "
                    + (manifest.abi > HostVersion.abi
                        ? "update the host" : "rebuild it with this SDK"))
        }
        if let range = manifest.host, !range.contains(HostVersion.semantic) {
            return Refusal(
                "host", "it wants a host of version \(range), this one is \(HostVersion.string)")
        }
        return nil
    }

    /// What a dependency looks like at the moment.
    struct Dependency {
        let version: SemanticVersion?
        /// The version that serves at the moment, which its replacement may still take the place of; `nil`: none.
        let serving: SemanticVersion?
        /// It is meant to serve.
        let isWanted: Bool
    }

    /// What a build waits for.
    ///
    /// - Parameters:
    ///   - isRunning: a running plugin is not stopped because a dependency is being restarted.
    ///   - dependency: looks one up.
    static func waiting(
        _ manifest: Manifest, isRunning: Bool, dependency: (PluginID) -> Dependency?
    ) -> Refusal? {
        if !manifest.permissions.isEmpty {
            return Refusal(
                "permission",
                "it asks for permissions (\(permissions(manifest.permissions))), and this host grants "
                    + "none yet; remove `permissions` from its manifest if it can do without")
        }
        for (id, range) in manifest.dependencies.sorted(by: { $0.key < $1.key }) {
            guard let found = dependency(id), let version = found.version else {
                return Refusal("dependency", "it needs \(id) \(range), which is not there")
            }
            guard range.contains(version) else {
                return Refusal("dependency", "it needs \(id) \(range), found \(version)")
            }
            guard found.isWanted, isRunning || found.serving.map(range.contains) == true else {
                return Refusal("dependency", "it needs \(id) \(range), which does not serve")
            }
        }
        for (id, range) in manifest.optionalDependencies.sorted(by: { $0.key < $1.key }) {
            if let version = dependency(id)?.version, !range.contains(version) {
                return Refusal(
                    "dependency", "if \(id) is there, it must be \(range), found \(version)")
            }
        }
        for (id, range) in manifest.conflicts.sorted(by: { $0.key < $1.key }) {
            if let found = dependency(id), let version = found.version, found.isWanted,
                range.contains(version)
            {
                return Refusal("conflict", "it conflicts with \(id) \(range), found \(version)")
            }
        }
        return nil
    }

    /// A ring of plugins that need each other, through `id`; none of them can be first.
    static func cycle(from id: PluginID, in manifest: (PluginID) -> Manifest?) -> Refusal? {
        var path: [PluginID] = [id]
        var visited: Set<PluginID> = []
        func search(_ at: PluginID) -> Bool {
            for next in (manifest(at)?.dependencies.keys ?? [:].keys).sorted() {
                if next == id { return true }
                guard visited.insert(next).inserted else { continue }
                path.append(next)
                if search(next) { return true }
                path.removeLast()
            }
            return false
        }
        guard search(id) else { return nil }
        let ring = (path + [id]).map(\.description).joined(separator: " → ")
        return Refusal("cycle", "plugins that need each other cannot start: \(ring)")
    }

    private static func permissions(_ permissions: Manifest.Permissions) -> String {
        [
            permissions.read.map { "read \($0)" }, permissions.write.map { "write \($0)" },
            permissions.connect.map { "connect \($0)" },
            permissions.environment.map { "environment \($0)" },
        ].joined().prefix(5).joined(separator: ", ")
    }
}
