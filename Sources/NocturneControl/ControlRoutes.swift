// ControlRoutes.swift — finds the endpoint of a request, lets it answer, and puts the answer into
// HTTP. Next: Endpoint.swift.

internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NocturneCore
internal import NocturneHost
internal import NocturneMetrics
internal import NocturneTasks

/// All routes of the control API.
struct ControlRoutes: Sendable {
    private let responder: RouterResponder<RouteContext>

    init(
        host: any ControlledHost, tasks: BackgroundTaskManager, metrics: MetricsCollector,
        sessions: ControlledSessions
    ) {
        let router = Router(context: RouteContext.self)
        for endpoint in Endpoint.all {
            router.on(RouterPath(endpoint.path), method: endpoint.method) { request, context in
                let exchange = try Exchange(
                    host: host, tasks: tasks, metrics: metrics, sessions: sessions,
                    endpoint: endpoint, request: request, parameters: context.parameters,
                    body: context.body)
                return try await Self.answer(exchange, on: context.connection)
            }
        }
        responder = router.buildResponder()
    }

    /// The response to `request`, whatever it is. Errors become responses too.
    func response(to request: Request, body: [UInt8], on connection: Connection) async -> Response {
        let response = await wholeResponse(to: request, body: body, on: connection)
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func wholeResponse(
        to request: Request, body: [UInt8], on connection: Connection
    ) async -> Response {
        do {
            // The router drops empty parts: `/v1/tasks//cancel`, of a client without an id, would
            // be `/v1/tasks/cancel`, which cancels all.
            guard !"\(request.uri.path)/".contains("//") else {
                throw RequestError.unknownRoute(
                    method: request.method.rawValue, path: request.uri.path)
            }
            let response = try await responder.respond(
                to: request, context: RouteContext(body: body, connection: connection))
            // The router's own answer to an unknown path, which has no body.
            guard response.status != .notFound || response.body.contentLength != 0 else {
                throw RequestError.unknownRoute(
                    method: request.method.rawValue, path: request.uri.path)
            }
            return response
        } catch let error as any ReportableError {
            return Response(error)
        } catch {
            return Response(RequestError.internalFailure(what: "\(error)"))
        }
    }

    private static func answer(
        _ exchange: Exchange, on connection: Connection
    ) async throws -> Response {
        let success = exchange.endpoint.success
        switch try await exchange.endpoint.answer(exchange) {
        case .nothing:
            return Response(status: success)
        case .json(let json):
            return Response(success, json: json)
        case .bytes(let contentType, let bytes):
            return Response(
                status: success, headers: [.contentType: contentType],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .events(let opening, let deliveries, let encoding):
            return Response(
                status: .ok,
                headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
                body: ResponseBody { writer in
                    let queue = DeliveryQueue(deliveries)
                    connection.streams(queue)
                    try await writer.write(contentsOf: opening)
                    let encode = encoding()
                    while let delivery = await queue.next() {
                        if let text = encode(delivery) { try await writer.write(text) }
                    }
                    try await writer.finish(nil)
                })
        }
    }
}

/// What a route knows of its request beside the request.
private struct RouteContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let body: [UInt8]
    let connection: Connection

    init(body: [UInt8], connection: Connection) {
        coreContext = CoreRequestContextStorage(source: Source())
        self.body = body
        self.connection = connection
    }

    init(source: Source) {
        preconditionFailure("made by ControlRoutes alone")
    }

    struct Source: RequestContextSource {
        var logger: Logger { Logger(label: "nocturne.control") { _ in SwiftLogNoOpLogHandler() } }
    }
}
