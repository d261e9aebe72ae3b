// RequestError.swift — why the control API itself refuses a request, before any plugin is asked.
// Next: ErrorReply.swift.

public import NocturneCore

/// A request that the control API does not accept.
public enum RequestError: ReportableError, Hashable {
    /// No route has this method and path.
    case unknownRoute(method: String, path: String)
    /// The body is not JSON.
    case notJSON(JSONError)
    /// The body is JSON, but not what the route takes.
    case wrongBody(expected: String, found: String)
    /// A field of the body is not what the route takes.
    case wrongField(_ name: String, found: String, expected: String)
    /// The body has more bytes than a payload may have.
    case bodyTooLarge(limitBytes: Int)
    /// A query parameter or a part of the path is not what the route takes.
    case invalidParameter(name: String, found: String, expected: String)
    /// The caller's user is neither the host's nor root.
    case denied(callerUID: UInt32, hostUID: UInt32)
    /// A mistake of the host's own.
    case internalFailure(what: String)

    /// Stable name of the kind.
    public var code: String {
        switch self {
        case .unknownRoute: "unknownRoute"
        case .notJSON: "notJSON"
        case .wrongBody, .wrongField: "wrongBody"
        case .bodyTooLarge: "bodyTooLarge"
        case .invalidParameter: "invalidParameter"
        case .denied: "denied"
        case .internalFailure: "internalFailure"
        }
    }

    /// None: this is about the request.
    public var plugin: PluginID? { nil }

    /// Never: the same request fails again.
    public var isRetryable: Bool { false }

    /// As in sysexits(3).
    public var exitStatus: Int32 {
        switch self {
        case .unknownRoute, .invalidParameter: 64
        case .notJSON, .wrongBody, .wrongField, .bodyTooLarge: 65
        case .denied: 77
        case .internalFailure: 70
        }
    }

    /// What is wrong and what would be right.
    public var description: String {
        switch self {
        case .unknownRoute(let method, let path):
            "no route \(method) \(Printable.line(path)); GET /openapi.json lists all"
        case .notJSON(let error):
            "the input is not accepted: \(error)"
        case .wrongBody(let expected, let found):
            "the request's body is \(found): expected \(expected)"
        case .wrongField(let name, let found, let expected):
            "\(quoted(name)) is \(Printable.line(found)): expected \(expected)"
        case .bodyTooLarge(let limit):
            "the input has more than the \(limit) bytes that a payload may have; "
                + "send less"
        case .invalidParameter(let name, let found, let expected):
            "\(name) is \(quoted(found)): expected \(expected)"
        case .denied(let caller, let host):
            "user id \(caller) may not control this host: it obeys user id \(host) and root; "
                + "run the command as one of them"
        case .internalFailure(let what):
            "the host made a mistake: \(Printable.line(what)); its own output may say more"
        }
    }
}
