// PeerCredentials.swift — who is at the other end of a Unix socket, by the kernel's word
// (SO_PEERCRED, unix(7)). Next: ControlServer.swift.

internal import Glibc
internal import NIOCore

enum PeerCredentials {
    /// The kernel's `struct ucred`, which glibc shows only under `_GNU_SOURCE`: three 32-bit
    /// numbers.
    private struct Credentials: Sendable {
        let pid: Int32
        let uid: UInt32
        let gid: UInt32
    }

    /// Why the process that connected `channel` may not use it: its user is neither this process's
    /// nor root.
    static func refusal(of channel: any Channel) -> EventLoopFuture<RequestError?> {
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        let peer: EventLoopFuture<Credentials> = provider.unsafeGetSocketOption(
            level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
        return peer.map { refusal(ofUser: $0.uid, host: geteuid()) }
    }

    static func refusal(ofUser caller: uid_t, host: uid_t) -> RequestError? {
        caller == host || caller == 0 ? nil : .denied(callerUID: caller, hostUID: host)
    }
}
