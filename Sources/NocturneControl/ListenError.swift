// ListenError.swift — a TCP address to listen on, and why that cannot be done. Next: Connections.swift.

internal import Glibc
internal import NIOCore
public import NocturneCore

/// Why a listener cannot listen on a TCP address.
public enum ListenError: ReportableError, Hashable {
    /// The text is no address with a port.
    case invalidAddress(String)
    /// A system call failed.
    case system(operation: String, address: String, errno: Int32)

    /// Stable name of the kind.
    public var code: String {
        switch self {
        case .invalidAddress: "invalidAddress"
        case .system: "listenFailed"
        }
    }

    /// None: this is about the host.
    public var plugin: PluginID? { nil }

    /// Whether waiting may help: the address may become free.
    public var isRetryable: Bool { exitStatus == 75 }

    /// As in sysexits(3).
    public var exitStatus: Int32 {
        switch self {
        case .invalidAddress: 64
        case .system(_, _, EADDRINUSE): 75
        case .system(_, _, EACCES), .system(_, _, EPERM): 77
        case .system: 70
        }
    }

    /// What failed, where, and what to do.
    public var description: String {
        switch self {
        case .invalidAddress(let text):
            "\(quoted(text)) is no address to listen on: write ADDR:PORT with a numeric address, "
                + "such as 127.0.0.1:9464 or [::1]:9464"
        case .system(let operation, let address, let code):
            "\(address): \(operation) failed: \(errnoText(code)); "
                + "name an address of this machine with a port that is free"
        }
    }
}

/// An IP address with a port.
struct ListenAddress: Sendable {
    /// As it was given.
    let text: String
    let socketAddress: SocketAddress

    /// Reads `127.0.0.1:9464`, `[::1]:9464` or `localhost:9464`. Other names are not looked up: what they stand for may
    /// be more than was meant.
    init(_ text: String) throws(ListenError) {
        guard let colon = text.lastIndex(of: ":") else { throw .invalidAddress(text) }
        var host = text[..<colon]
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let port = UInt16(digits)
        else { throw .invalidAddress(text) }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { throw .invalidAddress(text) }
        } else if host.contains(":") {
            throw .invalidAddress(text)
        } else if host == "localhost" {
            host = "127.0.0.1"
        }
        guard let address = try? SocketAddress(ipAddress: String(host), port: Int(port)) else {
            throw .invalidAddress(text)
        }
        (self.text, socketAddress) = (text, address)
    }
}
