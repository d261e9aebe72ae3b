// ControlServer.swift — serves the control API on a Unix socket: who may call, how much, how long,
// and its orderly end. Next: Connections.swift, Endpoint.swift.

internal import Glibc
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NocturneCore
package import NocturneHost
package import NocturneMetrics
package import NocturneTasks

/// The HTTP/1.1 control API of one host, on a Unix socket with mode 0600 whose callers must be the
/// host's user or root.
///
/// Made in two steps, so that a path that is taken is found before any plugin starts, and nobody
/// connects before all have: the initializer claims the path, ``start()`` answers. It runs on one
/// event loop and wakes up for nothing but its callers.
public actor ControlServer {
    /// Bytes of a request's body: a payload of the wire (DESIGN §6) and some white space around it.
    static let bodyLimit = JSONParser.Options.defaultByteLimit + 64 * 1024
    /// Bytes of one header field, and of all of a request: the routes need a few hundred.
    static let headerLimit = 16 * 1024
    /// Header fields of a request.
    static let headerCountLimit = 64
    /// Time for a whole request, however slowly its bytes come, from the connection's start or the
    /// previous answer. A 16 MiB body takes milliseconds on a Unix socket.
    package static let requestLimit = Duration.seconds(10)
    /// Connections that wait to be accepted.
    private static let backlog: Int32 = 128

    private enum State {
        case claimed
        case starting
        case running(any Channel, MultiThreadedEventLoopGroup)
        case ended
    }

    private let host: any ControlledHost
    private let tasks: BackgroundTaskManager
    private let metrics: MetricsCollector
    private let sessions: ControlledSessions
    private let socket: ControlSocket
    private let connections: Connections
    private var state = State.claimed

    /// Claims `socketPath` for all parts, which publish their events on the bus of `plugins`.
    ///
    /// - Throws: ``SocketError``; a live host's socket and files of other kinds are never touched.
    package init(
        of plugins: PluginManager, _ tasks: BackgroundTaskManager, _ metrics: MetricsCollector,
        _ sessions: ControlledSessions, socketPath: String
    ) throws(SocketError) {
        try self.init(
            host: plugins, tasks: tasks, metrics: metrics, sessions: sessions,
            socketPath: socketPath)
    }

    /// The same for any host, with another time for a whole request.
    package init(
        host: any ControlledHost, tasks: BackgroundTaskManager, metrics: MetricsCollector,
        sessions: ControlledSessions, socketPath: String, requestLimit: Duration = requestLimit
    ) throws(SocketError) {
        (self.host, self.tasks, self.metrics, self.sessions) = (host, tasks, metrics, sessions)
        socket = try ControlSocket(claiming: socketPath)
        connections = Connections(requestLimit: TimeAmount(requestLimit))
    }

    /// Answers requests from now on. Only the first call does anything.
    ///
    /// - Throws: ``SocketError/system(operation:path:errno:)`` if the kernel does not let it
    ///   listen.
    public func start() async throws(SocketError) {
        guard case .claimed = state else { return }
        state = .starting
        let listener = socket.takeListener()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let http = HTTP1Channel(
            responder: responder(),
            configuration: .init(
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: Self.headerLimit, maxHeaderListSize: Self.headerLimit,
                    maxHeaderFieldCount: Self.headerCountLimit)))
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .childChannelInitializer { [connections] channel in
                Self.accept(channel, into: connections, serving: http)
            }
        do {
            let channel = try await bootstrap.withBoundSocket(listener).get()
            guard case .starting = state else {
                // It was shut down meanwhile.
                await Self.stop(group)
                return
            }
            state = .running(channel, group)
        } catch {
            await Self.stop(group)
            let code = (error as? IOError)?.errnoCode ?? EIO
            throw .system(operation: "listen", path: socket.path, errno: code)
        }
    }

    /// Stops accepting, ends streams and idle connections, lets answers that are being computed be
    /// written for at most `drain`, and removes the socket. Only the first call does anything.
    public func shutdown(drain: Duration = .seconds(2)) async {
        let previous = state
        state = .ended
        guard case .running(let channel, let group) = previous else {
            socket.release()
            return
        }
        // Errors here mean that it is closed already, which is what is wanted.
        try? await channel.close()
        socket.release()
        let limit = TimeAmount(drain)
        try? await connections.end(within: limit, on: channel.eventLoop).get()
        await Self.stop(group)
    }

    /// Connections that are open now; for tests of what is left behind.
    nonisolated var connectionCount: Int { connections.count }

    private static func stop(_ group: MultiThreadedEventLoopGroup) async {
        // It fails only if it is called twice.
        try? await group.shutdownGracefully()
    }

    // MARK: - A connection

    private static func accept(
        _ channel: any Channel, into connections: Connections, serving http: HTTP1Channel
    ) -> EventLoopFuture<Void> {
        PeerCredentials.refusal(of: channel).flatMap { refusal in
            guard let connection = connections.add(channel, refusal: refusal) else {
                return channel.close()
            }
            return http.setup(channel: channel, logger: silent).map { asyncChannel in
                connection.serve(
                    in: Task { await http.handle(value: asyncChannel, logger: silent) })
            }
        }
    }

    /// Nobody reads a library's debug output on a host's terminal.
    private static let silent = Logger(label: "nocturne.control") { _ in SwiftLogNoOpLogHandler() }

    private nonisolated func responder() -> HTTPChannelHandler.Responder {
        let routes = ControlRoutes(
            host: host, tasks: tasks, metrics: metrics, sessions: sessions)
        return { [connections] request, writer, channel in
            guard let connection = connections[channel] else { throw CancellationError() }
            var body = request.body.makeAsyncIterator()
            let response = try await Self.respond(
                to: request, with: routes, on: connection, reading: &body, continuing: writer)
            try await writer.write(response: response.head, body: response.body)
            // What is left of a refused body is dropped, within the time for a request: a caller
            // that is still writing would not read why.
            while try await body.next() != nil {}
            connection.hasAnswered()
        }
    }

    /// The response to one request, whose body is read here.
    ///
    /// - Throws: only if the connection broke.
    private static func respond(
        to request: Request, with routes: ControlRoutes, on connection: Connection,
        reading body: inout RequestBody.AsyncIterator, continuing writer: borrowing ResponseWriter
    ) async throws -> Response {
        if let refusal = connection.refusal { return Response(refusal) }
        if let text = request.headers[.contentLength], let length = Int(text), length > bodyLimit {
            return Response(RequestError.bodyTooLarge(limitBytes: bodyLimit))
        }
        if request.headers[.expect]?.lowercased() == "100-continue" {
            try await writer.writeInformationalHead(HTTPResponse(status: .continue))
        }
        var bytes: [UInt8] = []
        while let part = try await body.next() {
            guard bytes.count + part.readableBytes <= bodyLimit else {
                return Response(RequestError.bodyTooLarge(limitBytes: bodyLimit))
            }
            bytes.append(contentsOf: part.readableBytesView)
        }
        connection.hasRequest()
        return await routes.response(to: request, body: bytes, on: connection)
    }
}
