// DaemonNotice.swift — what a daemon tells the person who started it. Next: NocturneDaemon.swift.

public import NocturneCore
internal import NocturneControl
internal import NocturneHost

/// Something a ``NocturneDaemon`` says while it runs: text for a person, JSON for a program.
public enum DaemonNotice: Sendable, Hashable, CustomStringConvertible {
    /// Plugins serve and the socket answers.
    case ready(plugins: Int, socketPath: String, metricsPort: Int?)
    /// Something was not as it should be when the daemon started; it goes on.
    case warning(String)

    /// One line for a person.
    public var description: String {
        switch self {
        case .ready(let plugins, let socketPath, let metricsPort):
            "nocturne \(HostVersion.string) ready: \(plugins) \(plugins == 1 ? "plugin" : "plugins"), "
                + "socket \(Printable.line(socketPath))"
                + (metricsPort.map { ", metrics on TCP port \($0)" } ?? "")
        case .warning(let text): Printable.block(text)
        }
    }

    /// One object for a program, its kind being the only key.
    public var json: JSONValue {
        switch self {
        case .ready(let plugins, let socketPath, let metricsPort):
            [
                "ready": [
                    "version": .string(HostVersion.string), "plugins": JSONValue(plugins),
                    "socket": .string(socketPath),
                    "metricsPort": metricsPort.map { JSONValue($0) } ?? .null,
                ]
            ]
        case .warning(let text): ["warning": .string(text)]
        }
    }
}
