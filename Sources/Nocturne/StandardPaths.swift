// StandardPaths.swift — where things are unless somebody says otherwise. Next:
// DaemonConfiguration.swift.

internal import Glibc

/// The paths that a host and its commands agree on without being told: those of the XDG base
/// directory specification (version 0.8), and of the file system hierarchy for root.
public struct StandardPaths: Sendable {
    private let environment: [String: String]
    private let isRoot: Bool

    /// Paths for a user with this environment.
    public init(environment: [String: String], userID: UInt32) {
        self.environment = environment
        isRoot = userID == 0
    }

    /// Paths for the user of this process.
    public static var current: StandardPaths {
        var environment: [String: String] = [:]
        let names = [
            "HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "NOCTURNE_SOCKET",
        ]
        for name in names {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        return StandardPaths(environment: environment, userID: geteuid())
    }

    /// The configuration file: `$XDG_CONFIG_HOME/nocturne/config.json`, `/etc/nocturne/config.json`
    /// for root; `nil` if there is no home directory to look in.
    public var configurationFile: String? {
        if isRoot { return "/etc/nocturne/config.json" }
        return directory("XDG_CONFIG_HOME", orInHome: ".config").map {
            $0 + "/nocturne/config.json"
        }
    }

    /// The state directory: `$XDG_STATE_HOME/nocturne`, `/var/lib/nocturne` for root.
    ///
    /// - Throws: ``ConfigurationError/noHome(_:)``
    public var stateDirectory: String {
        get throws(ConfigurationError) {
            if isRoot { return "/var/lib/nocturne" }
            guard let state = directory("XDG_STATE_HOME", orInHome: ".local/state") else {
                throw .noHome("the state directory (--state)")
            }
            return state + "/nocturne"
        }
    }

    /// The control socket: `$NOCTURNE_SOCKET`, else `/run/nocturne/nocturne.sock` for root,
    /// `$XDG_RUNTIME_DIR/nocturne/nocturne.sock`, or `nocturne.sock` in the state directory.
    ///
    /// - Throws: ``ConfigurationError/noHome(_:)``
    public var socket: String {
        get throws(ConfigurationError) {
            if let named = environment["NOCTURNE_SOCKET"], !named.isEmpty { return named }
            if isRoot { return "/run/nocturne/nocturne.sock" }
            if let runtime = absolute("XDG_RUNTIME_DIR") {
                return runtime + "/nocturne/nocturne.sock"
            }
            do throws(ConfigurationError) {
                return try stateDirectory + "/nocturne.sock"
            } catch {
                throw .noHome("the socket (--socket)")
            }
        }
    }

    private func directory(_ name: String, orInHome fallback: String) -> String? {
        absolute(name) ?? absolute("HOME").map { ($0 == "/" ? "" : $0) + "/" + fallback }
    }

    /// The specification: a relative path in one of these variables is invalid and to be ignored.
    private func absolute(_ name: String) -> String? {
        environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
}
