// CalledAgent.swift — an agent whose works are calls: bytes in, bytes out, and lines of JSON while it works. What
// agents of plugins are. Next: AgentLine.swift.

internal import NocturneCore
internal import Synchronization

/// Why an attempt failed, and what it used for nothing.
public struct FailedAttempt: Error, Sendable, Hashable {
    /// Why.
    public let failure: WorkFailure
    /// Tokens and cost.
    public let usage: Usage

    /// A failure with its price.
    public init(_ failure: WorkFailure, usage: Usage) {
        (self.failure, self.usage) = (failure, usage)
    }
}

/// An agent whose works and messages are calls of something else.
package struct CalledAgent: Agent {
    /// Makes a call within a time; `hear` is given what is said meanwhile, in order.
    package typealias Call =
        @Sendable (
            _ input: [UInt8], _ timeLeft: Duration, _ hear: @escaping @Sendable ([UInt8]) -> Void
        ) async throws(WorkFailure) -> [UInt8]

    /// What is said in one call and was not heard yet; more is dropped.
    private static let mostUnheard = 1_024
    /// How long hearing a message may take.
    private static let messageLimit = Duration.seconds(30)

    package let descriptor: AgentDescriptor
    private let call: Call

    package init(_ descriptor: AgentDescriptor, call: @escaping Call) {
        (self.descriptor, self.call) = (descriptor, call)
    }

    package func perform(
        _ request: WorkRequest, _ context: AgentContext
    ) async throws -> WorkAnswer {
        do {
            let bytes = try await speaking(in: context) { hear throws(WorkFailure) in
                try await call(LineToAgent.work(request, 0).bytes, request.timeout, hear)
            }
            return try Self.answer(bytes)
        } catch {
            // What was taken back has nothing to say.
            try Task.checkCancellation()
            throw error
        }
    }

    package func receive(_ message: Message, _ context: AgentContext) async {
        let line = LineToAgent.message(message).bytes
        let result = try? await speaking(in: context) { hear throws(WorkFailure) in
            try await call(line, Self.messageLimit, hear)
        }
        guard message.wantsReply, let result, let answer = try? JSONParser.parse(result) else {
            return
        }
        await context.reply(to: message, answer["value"] ?? .null)
    }

    /// What it says is done in order, and before what follows from its answer.
    private func speaking(
        in context: AgentContext,
        _ body: (@escaping @Sendable ([UInt8]) -> Void) async throws(WorkFailure) -> [UInt8]
    ) async throws(WorkFailure) -> [UInt8] {
        let (lines, voice) = AsyncStream.makeStream(
            of: [UInt8].self, bufferingPolicy: .bufferingOldest(Self.mostUnheard))
        let speaking = Task {
            for await line in lines { await Self.say(line, in: context) }
        }
        let result: Result<[UInt8], WorkFailure>
        do throws(WorkFailure) {
            result = .success(try await body { voice.yield($0) })
        } catch {
            result = .failure(error)
        }
        voice.finish()
        await speaking.value
        return try result.get()
    }

    /// What nobody understands is ignored, and what cannot be delivered is a dead letter.
    private static func say(_ line: [UInt8], in context: AgentContext) async {
        guard var object = try? JSONParser.parse(line).object else { return }
        // Of the one call that it can mean.
        object["id"] = "0"
        switch try? LineFromAgent(.object(object)) {
        case .heartbeat: await context.heartbeat()
        case .send(let recipient, let payload): try? await context.send(payload, to: recipient)
        case .tell(let payload): try? await context.tellStrategy(payload)
        default: break
        }
    }

    private static func answer(_ bytes: [UInt8]) throws -> WorkAnswer {
        do {
            let json = try JSONParser.parse(bytes)
            let fields = try JSONFields(json, at: "answer")
            guard try fields.string(ifAny: "type") == "failed" else {
                return try WorkAnswer(json: json, at: "answer")
            }
            let isRefused = try fields.flag("refused") ?? false
            let message = try fields.string(ifAny: "message") ?? "it did not say why"
            throw FailedAttempt(
                WorkFailure(isRefused ? .refused : .failed, message),
                usage: try Usage(json: fields["usage"], at: "answer.usage"))
        } catch let failed as FailedAttempt {
            throw failed
        } catch {
            throw WorkFailure(.invalidAnswer, "\(error)")
        }
    }
}
