// Handler.swift — the closures that answer calls: tools, commands and listeners. Next: Call.swift.

public import NocturneJSON

/// Answers the calls of a tool.
public typealias Tool = Handler

/// Answers the calls of a command.
public typealias Command = Handler

/// A closure that answers calls. A synchronous closure costs least. An asynchronous one runs as a task
/// on the call's own thread, like its child tasks; it is canceled when nobody waits any more.
///
/// What a closure throws becomes the caller's error: ``PluginError`` as it says, `CancellationError` as
/// canceled, a ``HostError`` with its own text, anything else by its description.
public struct Handler: Sendable {
    enum Body: Sendable {
        case synchronous(@Sendable (JSON, Call) throws -> [UInt8])
        case asynchronous(@Sendable (JSON, Call) async throws -> [UInt8])
    }

    let body: Body

    init(_ body: Body) { self.body = body }

    /// Answers with JSON, at once.
    public init(_ body: @escaping @Sendable (JSON, Call) throws -> JSON) {
        self.body = .synchronous { try body($0, $1).bytes }
    }

    /// Answers with JSON, when it is done waiting.
    public init(_ body: @escaping @Sendable (JSON, Call) async throws -> JSON) {
        self.body = .asynchronous { try await body($0, $1).bytes }
    }

    /// Answers with values of the author's own types, at once.
    public init<Input: Decodable & SendableMetatype, Output: Encodable & SendableMetatype>(
        _ body: @escaping @Sendable (Input, Call) throws -> Output
    ) {
        self.body = .synchronous { json, call in
            try Self.encode(try body(try Self.decode(json), call))
        }
    }

    /// Answers with values of the author's own types, when it is done waiting.
    public init<Input: Decodable & SendableMetatype, Output: Encodable & SendableMetatype>(
        _ body: @escaping @Sendable (Input, Call) async throws -> Output
    ) {
        self.body = .asynchronous { json, call in
            try Self.encode(try await body(try Self.decode(json), call))
        }
    }

    private static func decode<Input: Decodable>(_ json: JSON) throws(PluginError) -> Input {
        do {
            return try json.decode(Input.self)
        } catch let error as DecodingError {
            throw .invalidInput("the input does not fit: \(Self.text(of: error))")
        } catch {
            throw .invalidInput("the input does not fit: \(error)")
        }
    }

    private static func text(of error: DecodingError) -> String {
        let context =
            switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context),
                .keyNotFound(_, let context), .dataCorrupted(let context):
                context
            @unknown default:
                DecodingError.Context(codingPath: [], debugDescription: String(describing: error))
            }
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty
            ? context.debugDescription : "`\(path)`: \(context.debugDescription)"
    }

    private static func encode(_ value: some Encodable) throws(PluginError) -> [UInt8] {
        do {
            return try JSON(encoding: value).bytes
        } catch {
            throw PluginError("the result cannot be written as JSON: \(error)")
        }
    }
}

/// An event that a listener gets.
public struct Event: Sendable {
    /// For example `"task:completed"`.
    public let name: String
    /// Who published it: `"plugins"`, `"tasks"`, …, or a plugin's id.
    public let source: String
    /// What happened.
    public let payload: JSON

    init(_ json: JSON) throws(PluginError) {
        guard let name = json["name"]?.string else {
            throw .invalidInput("an event without a name")
        }
        self.name = name
        source = json["source"]?.string ?? ""
        payload = json["payload"] ?? .null
    }
}

/// A closure that hears events.
public struct Listener: Sendable {
    let handler: Handler

    /// Hears an event, at once.
    public init(_ body: @escaping @Sendable (Event, Call) throws -> Void) {
        handler = Handler { (json: JSON, call: Call) throws -> JSON in
            try body(Event(json), call)
            return .null
        }
    }

    /// Hears an event and may wait.
    public init(_ body: @escaping @Sendable (Event, Call) async throws -> Void) {
        handler = Handler { (json: JSON, call: Call) async throws -> JSON in
            try await body(Event(json), call)
            return .null
        }
    }
}

/// A closure that puts metrics into another form. It gets a snapshot of all metrics, as the host exports them to JSON,
/// and makes bytes, at most 16 MiB. If the manifest says `"push": true`, it is also called with each sample, and what
/// it makes then is ignored.
public struct Exporter: Sendable {
    let handler: Handler

    /// Makes bytes of a snapshot, at once.
    public init(_ body: @escaping @Sendable (JSON, Call) throws -> [UInt8]) {
        handler = Handler(.synchronous(body))
    }

    /// Makes bytes of a snapshot, when it is done waiting.
    public init(_ body: @escaping @Sendable (JSON, Call) async throws -> [UInt8]) {
        handler = Handler(.asynchronous(body))
    }
}

/// Why a call or a hook failed, in the author's words.
public struct PluginError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What the caller reads; 512 bytes are kept.
    public let message: String
    /// Whether the same call may succeed later.
    public let isRetryable: Bool
    /// Whether it is the caller's mistake.
    public let isInvalidInput: Bool
    /// The author's own number, shown to the operator when a hook failed.
    public let code: UInt32

    /// It failed; with `retryable`, the same call may succeed later.
    public init(_ message: String, retryable: Bool = false, code: UInt32 = 0) {
        self.init(message: message, isRetryable: retryable, isInvalidInput: false, code: code)
    }

    private init(message: String, isRetryable: Bool, isInvalidInput: Bool, code: UInt32) {
        self.message = message
        self.isRetryable = isRetryable
        self.isInvalidInput = isInvalidInput
        self.code = code
    }

    /// The caller's mistake.
    public static func invalidInput(_ message: String) -> PluginError {
        PluginError(message: message, isRetryable: false, isInvalidInput: true, code: 0)
    }

    /// The message.
    public var description: String { message }
}
