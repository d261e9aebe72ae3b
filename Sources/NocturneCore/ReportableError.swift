// ReportableError.swift — an error that people, scripts and the command line can all use. Next: Event.swift.

/// An error that says for scripts what kind it is and for the command line how to exit.
public protocol ReportableError: Error, Sendable, CustomStringConvertible {
    /// Stable name of the kind, for example `busy`.
    var code: String { get }
    /// The plugin it is about, if any.
    var plugin: PluginID? { get }
    /// Whether the same request may succeed later without anybody changing anything.
    var isRetryable: Bool { get }
    /// As in sysexits(3): 64 usage, 65 bad data, 69 unavailable, 70 internal, 75 try again, 77 denied.
    var exitStatus: Int32 { get }
}

extension ReportableError {
    /// `{"code", "message", "plugin", "retryable"}`
    public var json: JSONValue {
        [
            "code": .string(code), "message": .string(description),
            "plugin": plugin.map { .string($0.description) } ?? .null,
            "retryable": .bool(isRetryable),
        ]
    }
}
