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
                "host",
                "it wants a host of version \(range.shown), this one is \(HostVersion.string)")
        }
        return nil
    }

    /// The permissions that a build asks for and this host does not grant.
    static func missingPermission(_ manifest: Manifest) -> Refusal? {
        if manifest.permissions.isEmpty { return nil }
        return Refusal(
            "permission",
            "it asks for permissions (\(permissions(manifest.permissions))), and this host grants none yet; "
                + "remove `permissions` from its manifest if it can do without")
    }

    private static func permissions(_ permissions: Manifest.Permissions) -> String {
        [
            permissions.read.map { "read \($0)" }, permissions.write.map { "write \($0)" },
            permissions.connect.map { "connect \($0)" },
            permissions.environment.map { "environment \($0)" },
        ].joined().prefix(5).joined(separator: ", ")
    }
}

/// Who answers to which names at the moment.
struct ServingNames {
    private var versions: [PluginID: [SemanticVersion]] = [:]

    init(_ manifests: [Manifest]) {
        for manifest in manifests {
            versions[manifest.id, default: []].append(manifest.version)
            for (name, version) in manifest.provides where name != manifest.id {
                versions[name, default: []].append(version)
            }
        }
    }

    /// The first dependency that nobody who serves fulfills.
    func missing(for manifest: Manifest) -> Refusal? {
        for (name, range) in manifest.dependencies.sorted(by: { $0.key < $1.key })
        where versions[name]?.contains(where: range.contains) != true {
            return Refusal("dependency", "it needs \(name) \(range), which does not serve yet")
        }
        return nil
    }
}
