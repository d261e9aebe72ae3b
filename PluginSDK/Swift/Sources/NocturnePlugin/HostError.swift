// HostError.swift — why a host service did not do what was asked. Next: Host.swift.

internal import CNocturne
internal import Glibc

/// Why a host service did not do what was asked. The text says what was asked for.
public enum HostError: Error, Sendable, Equatable, CustomStringConvertible {
    /// This host does not have the service.
    case unavailable(service: String)
    /// There is nothing by that name, or the manifest does not declare it.
    case notFound(String)
    /// Over a limit in size; the limits stand in the SDK's README.
    case tooLarge(String)
    /// Over the plugin's quota of storage: 16 MiB or 10,000 keys.
    case quotaExceeded(String)
    /// A malformed name, key, or JSON.
    case malformed(String)
    /// The host is behind and dropped it. Worth retrying.
    case busy(String)
    /// The host did not answer in time. Worth retrying.
    case timedOut(String)
    /// Asked in a wrong state: before `activate`, after `deactivate`, or for a completed call.
    case wrongState(String)
    /// A call of another plugin's tool ended in an error; `status` is the ABI's.
    case tool(name: String, status: UInt32, message: String)
    /// Anything else, with the error's number.
    case failed(String, errno: Int32)

    /// Whether the same may succeed later.
    public var isRetryable: Bool {
        switch self {
        case .busy, .timedOut: true
        case .tool(_, let status, _): status == NOCTURNE_RETRY
        default: false
        }
    }

    var isCancelled: Bool {
        if case .tool(_, NOCTURNE_CANCELLED, _) = self { true } else { false }
    }

    /// What failed, on what, and what to do.
    public var description: String {
        switch self {
        case .unavailable(let service): "this host has no service \(service)"
        case .notFound(let what): "\(what): not found, or not declared in the manifest"
        case .tooLarge(let what): "\(what): over the limit in size"
        case .quotaExceeded(let what):
            "\(what): over the plugin's quota of storage; remove something"
        case .malformed(let what): "\(what): malformed"
        case .busy(let what): "\(what): the host is behind; try again later"
        case .timedOut(let what): "\(what): the host did not answer in time; try again later"
        case .wrongState(let what):
            "\(what): asked outside of activate … deactivate, or for a completed call"
        case .tool(let name, _, let message): "\(name): \(message)"
        case .failed(let what, let errno): "\(what): error \(errno)"
        }
    }

    /// The error of a negative return of the ABI.
    init(_ code: Int64, _ what: String) {
        let number = Int32(clamping: -code)
        switch number {
        case ENOENT: self = .notFound(what)
        case EMSGSIZE: self = .tooLarge(what)
        case EDQUOT: self = .quotaExceeded(what)
        case EINVAL: self = .malformed(what)
        case EAGAIN: self = .busy(what)
        case ETIMEDOUT: self = .timedOut(what)
        case EPERM: self = .wrongState(what)
        default: self = .failed(what, errno: number)
        }
    }
}
