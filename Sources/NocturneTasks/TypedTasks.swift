// TypedTasks.swift — tasks whose inputs and results are Swift types instead of JSON. Next: TaskContext.swift.

internal import FoundationEssentials
internal import NocturneCore

extension NewTask {
    /// A task with an input of a type that its handler takes.
    ///
    /// - Throws: ``TaskError/notEncodable(_:_:)``.
    public init(_ name: String, encoding input: some Encodable) throws(TaskError) {
        do {
            let json = try JSONEncoder().encode(input)
            self.init(name, json: String(decoding: json, as: UTF8.self))
        } catch {
            throw .notEncodable("the input of \(name)", "\(error)")
        }
    }
}

extension BackgroundTaskManager {
    /// Registers what runs the tasks of a name, with an input and a result of types. An input that does not fit fails
    /// its task at once: it would not fit the next time, either.
    ///
    /// - Parameters:
    ///   - wait: how long to wait after a failed attempt; `nil` from it: as the task's own policy says.
    public func handle<
        Input: Decodable & SendableMetatype, Output: Encodable & SendableMetatype
    >(
        _ name: String, wait: (@Sendable (_ attempt: Int, any Error) -> Duration?)? = nil,
        _ body: @escaping @Sendable (Input, TaskContext) async throws -> Output
    ) {
        register(name, wait: wait) { text, context in
            let result = try await body(try Self.decode(Input.self, from: text), context)
            return String(decoding: try JSONEncoder().encode(result), as: UTF8.self)
        }
    }

    /// The same for a handler whose tasks have no result.
    public func handle<Input: Decodable & SendableMetatype>(
        _ name: String, wait: (@Sendable (_ attempt: Int, any Error) -> Duration?)? = nil,
        _ body: @escaping @Sendable (Input, TaskContext) async throws -> Void
    ) {
        register(name, wait: wait) { text, context in
            try await body(try Self.decode(Input.self, from: text), context)
            return "null"
        }
    }

    /// Waits for the end of a task, and returns what it came to. See ``result(of:)``.
    public func result<Output: Decodable>(
        of id: TaskID, as type: Output.Type
    ) async throws(TaskError) -> Output {
        let text = try await resultText(of: id)
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw .notEncodable("the result of task \(id)", "\(error)")
        }
    }

    private static func decode<Input: Decodable>(
        _ type: Input.Type, from text: String
    ) throws(TaskFailure) -> Input {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw TaskFailure(.input, "its input is no \(type): \(error)")
        }
    }
}
