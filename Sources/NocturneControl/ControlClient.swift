// ControlClient.swift — asks a running host, over its Unix socket. Blocking and free of event
// loops, because a command line lives for one request and should start at once. Next:
// ResponseReader.swift.

internal import Glibc
package import NocturneCore

/// Speaks the control API to the host behind one socket. Each request is a connection of its own.
///
/// Methods block the calling thread until the answer is there; ending the process cancels the
/// request on the host.
package struct ControlClient: Sendable {
    /// Bytes of a whole answer: the largest result (16 MiB) and the list of all plugins fit well.
    static let answerLimit = 64 << 20

    /// Where the host listens.
    package let socketPath: String

    /// Makes a client; nothing is connected yet.
    package init(socketPath: String) { self.socketPath = socketPath }

    /// Sends one request and returns the body of its answer, as the host wrote it.
    ///
    /// - Parameters:
    ///   - target: path and query, already percent-encoded.
    ///   - body: JSON text.
    package func send(
        _ method: String, _ target: String, body: [UInt8] = []
    ) throws(ClientError) -> [UInt8] {
        let connection = try Connected(to: socketPath)
        try connection.write(request(method, target, body: body))
        return try answering { () throws(ResponseError) in
            var reader = connection.reader()
            try reader.readHead()
            return (reader.status, try reader.readWholeBody(limit: Self.answerLimit))
        }
    }

    /// Sends one request and reads its answer as JSON; an answer without a body is `null`.
    package func json(
        _ method: String, _ target: String, body: JSONValue? = nil
    ) throws(ClientError) -> JSONValue {
        try parse(try send(method, target, body: body?.serialized() ?? []))
    }

    /// An answer as JSON; one without a body is `null`.
    package func parse(_ answer: [UInt8]) throws(ClientError) -> JSONValue {
        guard !answer.isEmpty else { return .null }
        do throws(JSONError) {
            return try JSONParser.parse(answer, options: Self.parserOptions)
        } catch {
            throw .notOurs(path: socketPath, why: "\(error)")
        }
    }

    /// Follows a stream of server-sent events until the host ends it in order, or `handle` returns
    /// `false`.
    package func follow(
        _ target: String, _ handle: (ServerSentEvent) -> Bool
    ) throws(ClientError) {
        let connection = try Connected(to: socketPath)
        try connection.write(request("GET", target, body: []))
        _ = try answering { () throws(ResponseError) in
            var reader = connection.reader()
            try reader.readHead()
            guard reader.status == 200 else {
                return (reader.status, try reader.readWholeBody(limit: Self.answerLimit))
            }
            var parser = ServerSentEventParser()
            while let part = try reader.readBody() {
                for event in try parser.add(part) where !handle(event) { return (200, []) }
            }
            return (200, [])
        }
    }

    private static var parserOptions: JSONParser.Options {
        JSONParser.Options(byteLimit: answerLimit, valueLimit: 8 << 20)
    }

    private func request(_ method: String, _ target: String, body: [UInt8]) -> [UInt8] {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        if !body.isEmpty || method != "GET" {
            head += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n"
        }
        return Array((head + "\r\n").utf8) + body
    }

    /// Runs `exchange` and turns what is no success into an error.
    private func answering(
        _ exchange: () throws(ResponseError) -> (status: Int, body: [UInt8])
    ) throws(ClientError) -> [UInt8] {
        let status: Int
        let body: [UInt8]
        do throws(ResponseError) {
            (status, body) = try exchange()
        } catch {
            switch error {
            case .ended: throw .lost(path: socketPath, why: "the connection was closed")
            case .malformed(let why): throw .notOurs(path: socketPath, why: why)
            }
        }
        guard !(200..<300).contains(status) else { return body }
        guard let json = try? JSONParser.parse(body), let report = HostReport(json) else {
            throw .notOurs(path: socketPath, why: "it answered with HTTP status \(status)")
        }
        throw .refused(report)
    }
}

/// A connected socket, closed with this value.
private final class Connected {
    /// Bytes that are read at once.
    private static let readSize = 64 * 1024

    private let descriptor: Int32
    private let path: String

    init(to path: String) throws(ClientError) {
        do throws(SocketError) {
            try ControlSocket.check(path)
        } catch {
            throw .unusablePath(error)
        }
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        descriptor = socket(AF_UNIX, kind, 0)
        self.path = path
        guard descriptor >= 0 else { throw .notRunning(path: path, errno: errno) }
        while ControlSocket.withAddress(of: path, { connect(descriptor, $0, $1) }) != 0 {
            switch errno {
            case EINTR: continue
            case EACCES, EPERM: throw .denied(path: path)
            case let code: throw .notRunning(path: path, errno: code)
            }
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Writes all of `bytes`. A host that refuses a body early may stop reading: then its answer
    /// says why.
    func write(_ bytes: [UInt8]) throws(ClientError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE {
                return
            } else if errno != EINTR {
                throw .lost(path: path, why: errnoText(errno))
            }
        }
    }

    func reader() -> ResponseReader {
        ResponseReader { [self] () throws(ResponseError) -> [UInt8] in try read() }
    }

    /// What there is to read, empty at the end. A reset is an end too: the answer before it may be
    /// whole.
    private func read() throws(ResponseError) -> [UInt8] {
        while true {
            var failure: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: Self.readSize) { buffer, count in
                let result = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                failure = result < 0 ? errno : 0
                count = max(result, 0)
            }
            switch failure {
            case 0, ECONNRESET: return bytes
            case EINTR: continue
            default: throw .malformed("reading failed: \(errnoText(failure))")
            }
        }
    }
}
