// MetricsListener.swift — serves `/metrics` and `/healthz` over TCP, where anybody may call, and nothing else.
// Next: ListenError.swift, Connections.swift.

internal import Glibc
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NocturneCore
public import NocturneMetrics

/// An HTTP/1.1 server on a TCP address that answers `GET` and `HEAD` of two paths: `/metrics`, in the format that the
/// caller likes best (``ExportFormat/negotiate(accept:)``), and `/healthz`.
///
/// Its callers are strangers, so a connection has one request, little time, and few others beside it.
public actor MetricsListener {
    /// Connections at once: some Prometheus servers and people. Others are closed at once.
    static let connectionLimit = 32
    /// Time for a whole request, however slowly its bytes come.
    static let requestLimit = Duration.seconds(10)
    /// Time for a whole connection, also if nobody reads the answer: as long as Prometheus' longest usual
    /// `scrape_interval`.
    static let exchangeLimit = Duration.seconds(60)

    private enum State {
        case idle
        case starting
        case running(any Channel, MultiThreadedEventLoopGroup)
        case ended
    }

    private let address: ListenAddress
    private let render: @Sendable (ExportFormat) async -> [UInt8]
    private let connections: Connections
    private let exchangeLimit: TimeAmount
    private var state = State.idle

    /// A listener that does not listen yet.
    ///
    /// - Parameters:
    ///   - address: `ADDR:PORT`, such as `127.0.0.1:9464` or `[::]:9464`; port 0 is any that is free.
    ///   - render: all metrics in a format; called once for each request for them, also by several at a time.
    /// - Throws: ``ListenError/invalidAddress(_:)``.
    public init(
        address: String, render: @escaping @Sendable (ExportFormat) async -> [UInt8]
    ) throws(ListenError) {
        try self.init(
            address: address, requestLimit: Self.requestLimit, exchangeLimit: Self.exchangeLimit,
            render: render)
    }

    /// The same with other times.
    init(
        address: String, requestLimit: Duration, exchangeLimit: Duration,
        render: @escaping @Sendable (ExportFormat) async -> [UInt8]
    ) throws(ListenError) {
        self.address = try ListenAddress(address)
        self.render = render
        self.exchangeLimit = TimeAmount(exchangeLimit)
        connections = Connections(
            requestLimit: TimeAmount(requestLimit), limit: Self.connectionLimit)
    }

    /// Answers requests from now on. Only the first call does anything.
    ///
    /// - Returns: the port, which is another one than was asked for if that was 0; `nil` if it was shut down meanwhile.
    /// - Throws: ``ListenError/system(operation:address:errno:)``, if the address is taken or not of this machine.
    @discardableResult
    public func start() async throws(ListenError) -> Int? {
        guard case .idle = state else { return nil }
        state = .starting
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let http = HTTP1Channel(
            responder: responder(),
            configuration: .init(
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: ControlServer.headerLimit,
                    maxHeaderListSize: ControlServer.headerLimit,
                    maxHeaderFieldCount: ControlServer.headerCountLimit)))
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Int32(Self.connectionLimit))
            // A host that starts again need not wait for the packets of old connections.
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [connections, exchangeLimit] channel in
                Self.accept(channel, into: connections, for: exchangeLimit, serving: http)
            }
        do {
            let channel = try await bootstrap.bind(to: address.socketAddress).get()
            guard case .starting = state else {
                // It was shut down meanwhile.
                try? await channel.close()
                await Self.stop(group)
                return nil
            }
            state = .running(channel, group)
            return channel.localAddress?.port
        } catch {
            state = .ended
            await Self.stop(group)
            let code = (error as? IOError)?.errnoCode ?? EIO
            throw .system(operation: "listen", address: address.text, errno: code)
        }
    }

    /// Stops accepting and lets answers that are being computed be written for at most `drain`. Only the first call
    /// does anything.
    public func shutdown(drain: Duration = .seconds(2)) async {
        let previous = state
        state = .ended
        guard case .running(let channel, let group) = previous else { return }
        // Errors here mean that it is closed already, which is what is wanted.
        try? await channel.close()
        try? await connections.end(within: TimeAmount(drain), on: channel.eventLoop).get()
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
        _ channel: any Channel, into connections: Connections, for limit: TimeAmount,
        serving http: HTTP1Channel
    ) -> EventLoopFuture<Void> {
        guard let connection = connections.add(channel, refusal: nil) else {
            return channel.close()
        }
        let timer = channel.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in timer.cancel() }
        return http.setup(channel: channel, logger: silent).map { asyncChannel in
            connection.serve(in: Task { await http.handle(value: asyncChannel, logger: silent) })
        }
    }

    /// Nobody reads a library's debug output on a host's terminal.
    private static let silent = Logger(label: "nocturne.metrics") { _ in SwiftLogNoOpLogHandler() }

    private nonisolated func responder() -> HTTPChannelHandler.Responder {
        { [connections, render] request, writer, channel in
            guard let connection = connections[channel] else { throw CancellationError() }
            connection.hasRequest()
            let response = await Self.response(to: request, rendering: render)
            // The connection's last, and first. Prometheus connects again for each scrape.
            connection.endSoon()
            try await writer.write(response: response.head, body: response.body)
            // What comes behind the head is dropped: a caller that is still writing would not read the answer.
            var body = request.body.makeAsyncIterator()
            while try await body.next() != nil {}
            connection.hasAnswered()
        }
    }

    private static func response(
        to request: Request, rendering render: @Sendable (ExportFormat) async -> [UInt8]
    ) async -> Response {
        let response: Response
        switch (request.uri.path, request.method) {
        case ("/metrics", .get), ("/metrics", .head):
            // RFC 9110 §5.3: fields of one name are one list.
            let accept = request.headers[values: .accept].joined(separator: ",")
            let format = ExportFormat.negotiate(accept: accept)
            response = reply(.ok, await render(format), format.contentType)
        case ("/healthz", .get), ("/healthz", .head):
            // As the control API says it.
            response = reply(.ok, Array("{\"status\":\"ok\"}".utf8), "application/json")
        case ("/metrics", _), ("/healthz", _):
            var refusal = reply(.methodNotAllowed, Array("only GET and HEAD\n".utf8))
            refusal.headers[.allow] = "GET, HEAD"
            response = refusal
        default: response = reply(.notFound, Array("only /metrics and /healthz are here\n".utf8))
        }
        return request.method == .head ? response.createHeadResponse() : response
    }

    private static func reply(
        _ status: HTTPResponse.Status, _ body: [UInt8],
        _ type: String = "text/plain; charset=utf-8"
    ) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: type, .cacheControl: "no-store", .vary: "Accept",
                .connection: "close",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
