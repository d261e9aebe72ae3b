// Manifest.swift — what a plugin says about itself before any of its code runs: the JSON inside the
// `.so`, checked. Published as PluginSDK/manifest.schema.json, which must agree.
// Next: ManifestContributions.swift.

/// A plugin's manifest. Every field has been checked against its limits; absent ones have their
/// default. A plain value: safe to share between threads.
public struct Manifest: Sendable, Hashable {
    /// Bytes of JSON a manifest may have.
    public static let maximumBytes = 64 << 10

    /// Where the bytes came from, which decides whether `arch` may be named.
    public enum Source: Sendable, Hashable {
        /// Inside the ELF file, whose header names the architecture.
        case embedded
        /// `NAME.nocturne.json` beside an ELF file.
        case sidecar
        /// A manifest without a library, as a registry or `inspect` may read.
        case bare
    }

    /// The identity; one plugin of each identity serves at a time.
    public let id: PluginID
    /// The name for people: 1 to 128 characters, no control characters.
    public let name: String
    /// The plugin's own version.
    public let version: SemanticVersion
    /// The ABI the plugin was built for. Compared with the host's by the host, not here.
    public let abi: ABIVersion
    /// For people; line feeds and tabs are allowed. At most 4,096 characters.
    public let description: String?
    /// For people. At most 256 characters.
    public let author: String?
    /// An SPDX expression by custom; not interpreted. At most 256 characters.
    public let license: String?
    /// Versions of the host that will do; `nil` means any, prereleases included.
    public let host: VersionRange?
    /// What must be loaded before the plugin.
    public let runtime: Runtime
    /// The architecture, only in a manifest without a library; `nil` means any.
    public let architecture: Architecture?
    /// Plugins that must be there.
    public let dependencies: [PluginID: VersionRange]
    /// Plugins that must have a fitting version if they are there.
    public let optionalDependencies: [PluginID: VersionRange]
    /// Plugins that must not be there.
    public let conflicts: [PluginID: VersionRange]
    /// Further identities under which others may depend on this plugin, each with its version.
    public let provides: [PluginID: SemanticVersion]
    /// What the plugin asks to reach. Nothing unless asked and granted.
    public let permissions: Permissions
    /// What the plugin may use.
    public let limits: Limits
    /// What the plugin adds to the host.
    public let contributes: Contributions
    /// A JSON Schema of the plugin's settings; `nil` means it has none.
    public let configuration: JSONValue?
    /// How the plugin is replaced.
    public let reload: Reload
    /// The author's own top-level keys, which begin with `x-`.
    public let extensions: JSONObject
    /// The manifest as it was written.
    public let original: JSONValue

    /// Reads and checks a manifest.
    ///
    /// - Parameters:
    ///   - bytes: JSON in UTF-8, at most ``maximumBytes``. May come from anybody.
    ///   - source: where the bytes came from.
    /// - Throws: ``ManifestError``, which names the field, what was found and what is allowed.
    public static func parse(
        _ bytes: [UInt8], source: Source = .embedded
    ) throws(ManifestError) -> Manifest {
        guard bytes.count <= maximumBytes else {
            throw .tooLarge(bytes: bytes.count, limit: maximumBytes)
        }
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONParser.parse(bytes, options: .init(duplicateKeys: .refuse))
        } catch {
            throw .notJSON(error)
        }
        return try Manifest(json, source: source)
    }
}

/// The version of the binary interface between host and plugin: `M.m`.
public struct ABIVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Host and plugin must agree on it.
    public let major: UInt16
    /// The host's must be at least the plugin's.
    public let minor: UInt16

    /// Two numbers.
    public init(major: UInt16, minor: UInt16) {
        (self.major, self.minor) = (major, minor)
    }

    /// Reads `M.m` without leading zeros, each below 65,536; `nil` if `text` is anything else.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 2, let major = Self.number(parts[0]), let minor = Self.number(parts[1])
        else { return nil }
        self.init(major: major, minor: minor)
    }

    private static func number(_ digits: Substring.UTF8View) -> UInt16? {
        guard !digits.isEmpty, digits.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
            digits.count == 1 || digits.first != UInt8(ascii: "0")
        else { return nil }
        return UInt16(String(decoding: digits, as: UTF8.self))
    }

    /// `M.m`.
    public var description: String { "\(major).\(minor)" }

    /// Major first, then minor.
    public static func < (left: ABIVersion, right: ABIVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}

extension Manifest {
    /// What must be in the process before the plugin is loaded.
    public enum Runtime: Sendable, Hashable, CustomStringConvertible {
        /// Nothing but libc: C, C++, Rust, Go, or Swift linked with `-static-stdlib`.
        case c
        /// Swift's libraries of this version, such as `6.3.1`: Swift has no stable ABI on Linux.
        case swift(version: String)

        /// As in a manifest: `c` or `swift-6.3.1`.
        public var description: String {
            switch self {
            case .c: "c"
            case .swift(let version): "swift-\(version)"
            }
        }
    }

    /// A processor architecture, named as by `uname -m`.
    public enum Architecture: String, Sendable, Hashable, CaseIterable {
        /// AMD64 and Intel 64.
        case x86_64
        /// 64-bit ARM.
        case aarch64
    }

    /// What a plugin asks to reach. Asking grants nothing: the operator does.
    public struct Permissions: Sendable, Hashable {
        /// Entries one list may have.
        public static let maximumEntries = 256
        /// Bytes a path may have; Linux's PATH_MAX less the NUL (limits.h).
        public static let maximumPathBytes = 4095

        /// Absolute paths to read below; no `.` or `..`, no slash at the end.
        public let read: [String]
        /// Absolute paths to read and write below.
        public let write: [String]
        /// Where the host may connect for the plugin.
        public let connect: [Endpoint]
        /// Environment variables it may see.
        public let environment: [String]

        /// Whether nothing is asked for.
        public var isEmpty: Bool {
            read.isEmpty && write.isEmpty && connect.isEmpty && environment.isEmpty
        }
    }

    /// A host name or address and a port.
    public struct Endpoint: Sendable, Hashable, CustomStringConvertible {
        /// A DNS name, an IPv4 address, or an IPv6 address without its brackets.
        public let host: String
        /// A TCP port, not 0.
        public let port: UInt16

        /// `host:port`, IPv6 in brackets.
        public var description: String {
            host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    /// What a plugin may use. Beyond these bounds nobody may ask.
    public struct Limits: Sendable, Hashable {
        /// 1 MiB to 64 GiB: less does not hold a C library, more is no plugin.
        public static let memoryRange = ByteCount.mebibytes(1)...ByteCount.mebibytes(64 << 10)
        /// Threads besides the host's own in the worker.
        public static let threadsRange: ClosedRange<Int64> = 0...256
        /// 1 ms, the finest unit, to 1 h: longer work is a task.
        public static let deadlineRange = Duration.milliseconds(1)...Duration.seconds(3600)
        /// Call threads.
        public static let concurrencyRange: ClosedRange<Int64> = 1...64
        /// Waiting calls.
        public static let queueRange: ClosedRange<Int64> = 0...65_536

        /// Memory of the worker. Default 64 MiB.
        public let memory: ByteCount
        /// Threads the plugin may start; `nil` means what its runtime needs.
        public let threads: Int?
        /// How long one tool or command call may take. Default 5 s.
        public let deadline: Duration
        /// Calls that run at once. Default 1.
        public let concurrency: Int
        /// Calls that wait for a place before others are refused. Default 256.
        public let queue: Int
    }

    /// How a plugin is replaced by another build of itself.
    public struct Reload: Sendable, Hashable {
        /// What to do when a dependency is replaced.
        public enum OnDependencyChange: String, Sendable, Hashable, CaseIterable {
            /// Calls use the newest route; nothing else happens.
            case rebind
            /// The plugin is reloaded too.
            case restart
            /// The dependency's replacement is refused.
            case refuse
        }

        /// 0 to 60 s: new calls wait that long when state is handed over.
        public static let drainRange = Duration.zero...Duration.seconds(60)

        /// Whether the new build takes over the old one's state. Default `false`.
        public let state: Bool
        /// How long calls in flight may finish. Default 2 s.
        public let drain: Duration
        /// Default ``OnDependencyChange/rebind``.
        public let onDependencyChange: OnDependencyChange
    }
}
