// RawConnection.swift — a socket as those use it who do not keep to the rules. Next: PrometheusServer.swift.

package import Glibc

/// A connected stream socket that is used byte by byte.
package final class RawConnection: Sendable {
    private let descriptor: Int32

    package init(to path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard connectUnix(descriptor, to: path) == 0 else { throw RawError(errno: errno) }
    }

    /// To a TCP port of this machine.
    package init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let status = withLoopbackAddress(port) { connect(descriptor, $0, $1) }
        guard status == 0 else { throw RawError(errno: errno) }
    }

    deinit { close(descriptor) }

    package func send(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count >= 0 else { throw RawError(errno: errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// Blocks until `text` has come or the other side has closed; returns all that came.
    @discardableResult
    package func receive(until text: String? = nil) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            if let text, String(decoding: bytes, as: UTF8.self).contains(text) { break }
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    package func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}

package struct RawError: Error {
    package let errno: Int32

    package init(errno: Int32) { self.errno = errno }
}

package func connectUnix(_ descriptor: Int32, to path: String) -> Int32 {
    withUnixAddress(path) { connect(descriptor, $0, $1) }
}

package func withUnixAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32)
    -> Int32
{
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafeBytes(of: &address) { bytes in
        bytes.withMemoryRebound(to: sockaddr.self) { pointer in
            guard let base = pointer.baseAddress else { return -1 }
            return body(base, socklen_t(bytes.count))
        }
    }
}

/// The address of a TCP port of this machine, as in ip(7): `sockaddr_in` is NIO's in this module's eyes.
package func withLoopbackAddress(
    _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    var address = [UInt8](repeating: 0, count: 16)
    address[0] = UInt8(AF_INET)
    (address[2], address[3]) = (UInt8(port >> 8), UInt8(port & 0xFF))
    (address[4], address[7]) = (127, 1)
    return address.withUnsafeBytes { bytes in
        bytes.withMemoryRebound(to: sockaddr.self) { pointer in
            pointer.baseAddress.map { body($0, socklen_t(bytes.count)) } ?? -1
        }
    }
}
