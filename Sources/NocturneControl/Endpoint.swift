// Endpoint.swift — one route of the control API as a value, so that the router and the OpenAPI
// document say the same. Next: PluginEndpoints.swift, CallEndpoints.swift, StreamEndpoints.swift.

internal import Hummingbird
internal import NIOCore
internal import NocturneCore
internal import NocturneHost
internal import NocturneMetrics
internal import NocturneTasks

/// A route: what it is called, what it takes, what it gives, and what it does.
struct Endpoint: Sendable {
    /// A value in the query, all optional.
    struct QueryParameter: Sendable {
        enum Kind: Sendable {
            case text
            /// Texts: the parameter may be there more than once.
            case texts
            case oneOf([String])
            /// A whole number, at least `minimum`.
            case number(minimum: Int64)
            /// `1` or `0`, `true` or `false`.
            case flag
        }
        let name: String
        let kind: Kind
        let meaning: String
    }

    /// What the body of a request must be.
    enum Input: Sendable {
        case nothing
        /// A JSON object with these keys; `required` of them must be there.
        case object(schema: JSONValue)
        /// Any JSON value; what an empty body means.
        case anything(meaning: String)
    }

    /// What a success looks like.
    enum Output: Sendable {
        case nothing
        /// JSON that follows this schema.
        case json(schema: JSONValue)
        /// Bytes of one of these media types, or of any if there are none.
        case bytes(contentTypes: [String])
        /// Server-sent events whose data follow this schema.
        case events(schema: JSONValue)
    }

    let method: HTTPRequest.Method
    /// With parameters in braces: `/v1/plugins/{id}`.
    let path: String
    /// Stable name in the OpenAPI document.
    let name: String
    let summary: String
    var query: [QueryParameter] = []
    var input: Input = .nothing
    var success: HTTPResponse.Status = .ok
    let output: Output
    let answer: @Sendable (Exchange) async throws -> Reply

    /// The names of the parameters in the path.
    var pathParameters: [String] {
        path.split(separator: "/").compactMap { part in
            part.hasPrefix("{") ? String(part.dropFirst().dropLast()) : nil
        }
    }
}

/// What an endpoint answers.
enum Reply: Sendable {
    case nothing
    case json(JSONValue)
    /// Bytes of a media type.
    case bytes(contentType: String, [UInt8])
    /// Server-sent events: first `opening`, then what `encoding` makes of each delivery, until the
    /// caller or the host goes away. `encoding` is made once for each stream, so it may remember
    /// what it told.
    case events(
        opening: [ByteBuffer], AsyncStream<EventDelivery>,
        encoding: @Sendable () -> (EventDelivery) -> ByteBuffer?)
}

/// One request, checked against its endpoint.
struct Exchange: Sendable {
    let host: any ControlledHost
    let tasks: BackgroundTaskManager
    let metrics: MetricsCollector
    let sessions: ControlledSessions
    let endpoint: Endpoint
    let body: [UInt8]
    let lastEventID: String?
    /// The media types that the caller takes (RFC 9110 §12.5.1).
    let accept: String?
    private let parameters: [String: String]
    private let query: [String: [String]]

    init(
        host: any ControlledHost, tasks: BackgroundTaskManager, metrics: MetricsCollector,
        sessions: ControlledSessions, endpoint: Endpoint, request: Request, parameters: Parameters,
        body: [UInt8]
    ) throws(RequestError) {
        (self.host, self.tasks, self.metrics, self.sessions) = (host, tasks, metrics, sessions)
        (self.endpoint, self.body) = (endpoint, body)
        // A list may be spread over several fields (RFC 9110 §5.3).
        let accepted = request.headers[values: .accept]
        accept = accepted.isEmpty ? nil : accepted.joined(separator: ", ")
        lastEventID = request.headers.first { $0.name.canonicalName == "last-event-id" }?.value
        var decoded: [String: String] = [:]
        for name in endpoint.pathParameters {
            let raw = parameters.get(name) ?? ""
            guard let value = PercentEncoding.decode(raw[...]) else {
                throw .invalidParameter(
                    name: name, found: raw, expected: "UTF-8 with valid percent escapes")
            }
            decoded[name] = value
        }
        self.parameters = decoded
        query = try Self.readQuery(request.uri.query ?? "", for: endpoint)
    }

    private static func readQuery(
        _ text: String, for endpoint: Endpoint
    ) throws(RequestError) -> [String: [String]] {
        var query: [String: [String]] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0]),
                let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "")
            else {
                throw .invalidParameter(
                    name: "the query", found: text, expected: "UTF-8 with valid percent escapes")
            }
            guard let parameter = endpoint.query.first(where: { $0.name == name }) else {
                let known = endpoint.query.map(\.name).joined(separator: ", ")
                throw .invalidParameter(
                    name: "a query parameter", found: name,
                    expected: known.isEmpty ? "none here" : "one of \(known)")
            }
            if query[name] != nil {
                guard case .texts = parameter.kind else {
                    throw .invalidParameter(name: name, found: value, expected: "to be there once")
                }
            }
            query[name, default: []].append(value)
        }
        return query
    }

    /// A parameter of the path, decoded.
    func parameter(_ name: String) -> String { parameters[name] ?? "" }

    /// The plugin that the path names.
    var pluginID: PluginID {
        get throws(RequestError) {
            let text = parameter("id")
            do throws(PluginIDError) {
                return try PluginID(text)
            } catch {
                throw .invalidParameter(
                    name: "id", found: text, expected: PluginIDError.allowedText)
            }
        }
    }

    /// A query parameter, `nil` if it is absent.
    func text(_ name: String) -> String? { query[name]?.first }

    /// A query parameter as often as it is there.
    func texts(_ name: String) -> [String] { query[name] ?? [] }

    /// A query parameter that is a whole number, at least `minimum`.
    func number(_ name: String, minimum: Int64 = 0) throws(RequestError) -> Int64? {
        guard let text = text(name) else { return nil }
        guard let number = Int64(text), number >= minimum else {
            throw .invalidParameter(
                name: name, found: text, expected: "a whole number, at least \(minimum)")
        }
        return number
    }

    /// A query parameter that is a switch; absent means off.
    func flag(_ name: String) throws(RequestError) -> Bool {
        switch text(name) {
        case nil, "0", "false": return false
        case "1", "true": return true
        case let text?:
            throw .invalidParameter(name: name, found: text, expected: "1 or 0")
        }
    }

    /// The body as JSON; `empty` if there is none.
    func json(empty: JSONValue?) throws(RequestError) -> JSONValue {
        if body.isEmpty, let empty { return empty }
        do throws(JSONError) {
            return try JSONParser.parse(body)
        } catch {
            if case .tooLarge(_, let limit) = error { throw .bodyTooLarge(limitBytes: limit) }
            throw .notJSON(error)
        }
    }

    /// The body as a JSON object.
    func object() throws(RequestError) -> JSONObject {
        let json = try json(empty: nil)
        guard let object = json.object else {
            throw .wrongBody(expected: "an object", found: "\(json.typeName)")
        }
        return object
    }
}

extension PluginIDError {
    /// What an identity may be, for a parameter that is none.
    static let allowedText =
        "a plugin id: a lower-case letter, then up to 63 lower-case letters, digits or hyphens"
}
