// CoordinationMessageBench.swift — how many messages a second agents of one session hear, and how soon one answers.
// Next: CoordinationWorkBench.swift.

import CLinux
import NocturneCoordination
import NocturneCore
import Synchronization

struct CoordinationMessageBench {
    let isQuick: Bool
    /// Messages that are sent before the sender looks whether they were heard; half of what a mailbox holds, so that
    /// the next ones go on their way meanwhile.
    fileprivate static let window = 512

    func run() async throws {
        try await sending(to: 1, messages: isQuick ? 50_000 : 500_000)
        try await sending(to: 100, messages: isQuick ? 5_000 : 20_000)
        try await asking()
    }

    // MARK: - One way

    /// One agent speaks to one other, or to all of 100 others, until all have heard everything; the best of three
    /// rounds. Floor: calling as many listeners by itself, one after the other.
    private func sending(to count: Int, messages: Int) async throws {
        let windows = messages / Self.window
        var best = 0.0, floor = 0.0
        for _ in 0..<3 {
            let bare = Listening(windows, listeners: count)
            let listeners = try bare.listeners(count)
            let start = clinux_now()
            for _ in 0..<windows * Self.window {
                for listener in listeners { await listener.hear(CoordinationBench.answer) }
            }
            floor = max(floor, Self.rate(windows * count, since: start))
            best = max(best, try await round(to: count, windows))
        }
        if count == 1 {
            Bench.report("coordination.messages.to-one", best, "messages/s", floor: floor)
        } else {
            Bench.report("coordination.messages.to-\(count)", best, "deliveries/s", floor: floor)
        }
    }

    private func round(to count: Int, _ windows: Int) async throws -> Double {
        let session: SessionID = "talk"
        let coordinator = try await CoordinationBench.coordinator(session, agents: count + 1)
        let listening = Listening(windows, listeners: count)
        let listeners = try listening.listeners(count)
        for listener in listeners { try await coordinator.addAgent(listener, to: session) }
        let recipient =
            count == 1 ? Recipient.agent(listeners[0].descriptor.id) : Recipient.everyone
        let speaker = ClosureAgent(AgentDescriptor("speaker")) { _, context in
            for window in 0..<windows {
                if window >= 2 { await listening.windows[window - 2].wait() }
                for _ in 0..<Self.window {
                    try await context.send(CoordinationBench.answer, to: recipient)
                }
            }
            return WorkAnswer(.null)
        }
        try await coordinator.addAgent(speaker, to: session)
        let start = clinux_now()
        let outcome = try await coordinator.execute(session, Goal("speak"))
        guard outcome.status == .completed else { throw BenchError("\(outcome)") }
        for window in listening.windows { await window.wait() }
        let rate = Self.rate(windows * count, since: start)
        try await coordinator.end(session)
        return rate
    }

    /// Of so many windows.
    private static func rate(_ windows: Int, since start: Int64) -> Double {
        Double(windows * window) / Double(clinux_now() - start) * 1e9
    }

    // MARK: - There and back

    /// One agent asks another, which replies at once. Floor: a Swift task that is begun and waited for.
    private func asking() async throws {
        let rounds = isQuick ? 5_000 : 50_000
        let session: SessionID = "ask"
        let coordinator = try await CoordinationBench.coordinator(session, agents: 2)
        try await coordinator.addAgent(Replier(), to: session)
        let times = Mutex((asks: Samples(), floor: Samples()))
        let asker = ClosureAgent(AgentDescriptor("asker")) { _, context in
            for _ in 0..<rounds {
                let start = clinux_now()
                await Task.detached {}.value
                let middle = clinux_now()
                _ = try await context.ask(
                    CoordinationBench.answer, of: "replier", within: .seconds(60))
                let end = clinux_now()
                times.withLock {
                    $0.floor.add(middle - start)
                    $0.asks.add(end - middle)
                }
            }
            return WorkAnswer(.null)
        }
        try await coordinator.addAgent(asker, to: session)
        let outcome = try await coordinator.execute(session, Goal("ask"))
        guard outcome.status == .completed else { throw BenchError("\(outcome)") }
        try await coordinator.end(session)
        let (asks, floor) = times.withLock { $0 }
        for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
            Bench.report(
                "coordination.ask.\(name)", asks.microseconds(share), "us",
                floor: floor.microseconds(share))
        }
    }
}

/// What all listeners have heard, in windows.
private struct Listening {
    let windows: [Countdown]

    init(_ windows: Int, listeners: Int) {
        self.windows = (0..<windows).map { _ in Countdown(listeners) }
    }

    func listeners(_ count: Int) throws -> [Listener] {
        try CoordinationBench.names(count).map { Listener($0, windows) }
    }
}

/// Counts what it is told.
private final class Listener: Agent {
    let descriptor: AgentDescriptor
    private let windows: [Countdown]
    private let heard = Atomic(0)

    init(_ name: AgentID, _ windows: [Countdown]) {
        descriptor = AgentDescriptor(name, role: .observer)
        self.windows = windows
    }

    func hear(_ payload: JSONValue) async {
        let count = heard.add(1, ordering: .relaxed).newValue
        let (window, rest) = count.quotientAndRemainder(
            dividingBy: CoordinationMessageBench.window)
        if rest == 0 { windows[window - 1].count() }
    }

    func receive(_ message: Message, _ context: AgentContext) async { await hear(message.payload) }

    func perform(_ request: WorkRequest, _ context: AgentContext) async throws -> WorkAnswer {
        throw WorkFailure(.refused, "it listens")
    }
}

/// Says back what it is asked.
private struct Replier: Agent {
    var descriptor: AgentDescriptor { AgentDescriptor("replier", role: .observer) }

    func receive(_ message: Message, _ context: AgentContext) async {
        await context.reply(to: message, message.payload)
    }

    func perform(_ request: WorkRequest, _ context: AgentContext) async throws -> WorkAnswer {
        throw WorkFailure(.refused, "it replies")
    }
}
