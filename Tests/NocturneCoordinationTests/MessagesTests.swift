// MessagesTests.swift — who gets which message, in which order, and what is lost. Next: SessionLogTests.swift.

import NocturneCoordination
import NocturneCore
import Synchronization
import TestKit
import Testing

/// What agents got, and what nobody did.
private final class Inbox: Sendable {
    private struct State {
        var messages: [AgentID: [Message]] = [:]
        var count = 0
        var letters: [DeadLetter] = []
        var goals: [(count: Int, reached: Promise<Void>)] = []
    }
    private let state = Mutex(State())

    func receive(_ message: Message, as agent: AgentID) {
        count { $0.messages[agent, default: []].append(message) }
    }

    func lose(_ letter: DeadLetter) { count { $0.letters.append(letter) } }

    private func count(_ change: (inout State) -> Void) {
        let reached = state.withLock { state in
            change(&state)
            state.count += 1
            return state.goals.filter { $0.count <= state.count }
        }
        for goal in reached { goal.reached.fulfill(()) }
    }

    func payloads(of agent: AgentID) -> [JSONValue] {
        state.withLock { $0.messages[agent, default: []].map(\.payload) }
    }

    func messages(of agent: AgentID) -> [Message] { state.withLock { $0.messages[agent] ?? [] } }

    var letters: [DeadLetter] { state.withLock { $0.letters } }

    /// Waits until so many messages arrived or were lost.
    func wait(for count: Int) async -> Bool {
        let reached = Promise<Void>()
        let isReached = state.withLock { state in
            state.goals.append((count, reached))
            return state.count >= count
        }
        if isReached { return true }
        return await reached.value(within: .seconds(30)) != nil
    }
}

@Suite(.timeLimit(.minutes(2))) struct MessagesTests {
    private let inbox = Inbox()
    private let clock = VirtualClock()

    private func messages(
        _ agents: [AgentID], capacity: Int = 100_000, overflow: MailboxOverflow = .refuse
    ) -> Messages {
        let inbox = inbox
        let messages = Messages(capacity: capacity, overflow: overflow, clock: clock) {
            inbox.lose($0)
        }
        for agent in agents {
            messages.join(agent) { inbox.receive($0, as: agent) }
        }
        return messages
    }

    private static func agents(_ count: Int) -> [AgentID] {
        (0..<count).map { AgentID(stringLiteral: "a\($0)") }
    }

    // MARK: - Order

    @Test func `what one says to another arrives in order, whoever else is talking`() async throws {
        let (agents, each) = (Self.agents(4), 500)
        let messages = messages(agents)
        await withTaskGroup { group in
            for sender in agents {
                group.addTask {
                    for number in 0..<each {
                        let payload: JSONValue = [
                            "by": .string(sender.description), "n": JSONValue(number),
                        ]
                        for recipient in agents where recipient != sender {
                            _ = try? messages.send(payload, from: sender, to: .agent(recipient))
                        }
                    }
                }
            }
        }
        #expect(await inbox.wait(for: 4 * 3 * each))
        for recipient in agents {
            for sender in agents where sender != recipient {
                let numbers = inbox.messages(of: recipient).filter { $0.sender == sender }
                    .compactMap { $0.payload["n"]?.int }
                #expect(numbers == (0..<Int64(each)).map { $0 })
            }
        }
        #expect(inbox.letters.isEmpty)
    }

    @Test func `a broadcast is one message for all but its sender`() async throws {
        let agents = Self.agents(5)
        let messages = messages(agents)
        #expect(try messages.send("hello", from: "a0", to: .everyone) == 4)
        #expect(try messages.send("from outside", from: nil, to: .everyone) == 5)
        #expect(await inbox.wait(for: 9))
        #expect(inbox.payloads(of: "a0") == ["from outside"])
        let first = agents.dropFirst().compactMap { inbox.messages(of: $0).first }
        #expect(first.count == 4 && first.allSatisfy { $0 === first[0] })
    }

    @Test func `a topic is for those who subscribed, until they do not any more`() async throws {
        let messages = messages(Self.agents(3))
        try messages.subscribe("a1", to: "news")
        try messages.subscribe("a1", to: "news")
        try messages.subscribe("a2", to: "news")
        #expect(try messages.send(1, from: "a0", to: .topic("news")) == 2)
        messages.unsubscribe("a2", from: "news")
        #expect(try messages.send(2, from: "a0", to: .topic("news")) == 1)
        messages.leave("a1")
        #expect(try messages.send(3, from: "a0", to: .topic("news")) == 0)
        #expect(await inbox.wait(for: 4))
        #expect(inbox.payloads(of: "a2") == [1])
        #expect(inbox.letters.filter { $0.reason == .nobody }.map(\.message.payload) == [3])
        #expect(throws: MessageError.unknownAgent("a9")) {
            try messages.subscribe("a9", to: "news")
        }
    }

    @Test func `an agent gets one message at a time`() async throws {
        let isBusy = Atomic(false), overlaps = Atomic(0)
        let (messages, done) = (messages([]), Promise<Void>())
        messages.join("slow") { message in
            if isBusy.exchange(true, ordering: .relaxed) {
                overlaps.add(1, ordering: .relaxed)
            }
            await Task.yield()
            isBusy.store(false, ordering: .relaxed)
            if message.payload == 99 { done.fulfill(()) }
        }
        for number in 0..<100 {
            try messages.send(JSONValue(number), from: nil, to: .agent("slow"))
            if number.isMultiple(of: 7) { await Task.yield() }
        }
        #expect(await done.value(within: .seconds(30)) != nil)
        let count = overlaps.load(ordering: .relaxed)
        #expect(count == 0)
    }

    // MARK: - What does not arrive

    @Test func `what is for nobody is a dead letter, and its sender is told`() async throws {
        let messages = messages(Self.agents(1))
        #expect(throws: MessageError.unknownAgent("x")) {
            try messages.send(1, from: "a0", to: .agent("x"))
        }
        #expect(try messages.send(2, from: "a0", to: .everyone) == 0)
        #expect(inbox.letters.map(\.reason) == [.unknownAgent, .nobody])
        #expect(inbox.letters.map(\.recipient) == ["x", nil])
    }

    /// An agent that stays at its first message until it is told to go on, while five more come.
    private func overflow(_ overflow: MailboxOverflow) async throws -> (refused: Int, Messages) {
        let messages = messages([], capacity: 3, overflow: overflow)
        let (begun, goesOn, inbox) = (Promise<Void>(), Promise<Void>(), inbox)
        messages.join("slow") { message in
            begun.fulfill(())
            await goesOn.value
            inbox.receive(message, as: "slow")
        }
        try messages.send(0, from: nil, to: .agent("slow"))
        _ = await begun.value(within: .seconds(30))
        var refused = 0
        for number in 1...5 {
            do throws(MessageError) {
                try messages.send(JSONValue(number), from: nil, to: .agent("slow"))
            } catch {
                #expect(error == .mailboxFull("slow", limit: 3))
                refused += 1
            }
        }
        goesOn.fulfill(())
        #expect(await inbox.wait(for: 6))
        return (refused, messages)
    }

    @Test(arguments: [
        (MailboxOverflow.refuse, [0, 1, 2, 3] as [JSONValue], [4, 5] as [JSONValue], 2),
        (.dropNewest, [0, 1, 2, 3], [4, 5], 0), (.dropOldest, [0, 3, 4, 5], [1, 2], 0),
    ])
    func `a full mailbox refuses or drops, as agreed`(
        policy: MailboxOverflow, read: [JSONValue], lost: [JSONValue], refusals: Int
    ) async throws {
        let (refused, _) = try await overflow(policy)
        #expect(refused == refusals)
        #expect(inbox.payloads(of: "slow") == read)
        #expect(inbox.letters.map(\.message.payload) == lost)
        #expect(inbox.letters.allSatisfy { $0.reason == .full && $0.recipient == "slow" })
    }

    @Test func `of agents that come and go, each message is read or a dead letter, once`()
        async throws
    {
        let (agents, each) = (Self.agents(6), 400)
        let messages = messages(agents)
        let inbox = inbox
        await withTaskGroup { group in
            for sender in agents.prefix(3) {
                group.addTask {
                    for number in 0..<each {
                        let recipient = agents[3 + number % 3]
                        _ = try? messages.send(
                            JSONValue(number), from: sender, to: .agent(recipient))
                    }
                }
            }
            group.addTask {
                for round in 0..<60 {
                    let agent = agents[3 + round % 3]
                    messages.leave(agent)
                    await Task.yield()
                    messages.join(agent) { inbox.receive($0, as: agent) }
                }
            }
        }
        #expect(await inbox.wait(for: 3 * each))
        let ids =
            agents.flatMap { inbox.messages(of: $0).map(\.id) } + inbox.letters.map(\.message.id)
        #expect(ids.count == 3 * each && Set(ids).count == ids.count)
    }

    // MARK: - Questions

    @Test func `a question gets its reply`() async throws {
        let messages = messages(["a"])
        messages.join("b") { message in
            let reply: JSONValue = message.wantsReply ? ["you said": message.payload] : nil
            messages.reply(to: message, from: "b", reply)
        }
        let reply = try await messages.ask("hi", of: "b", from: "a", within: .seconds(5))
        #expect(reply == ["you said": "hi"])
        #expect(inbox.letters.isEmpty)
    }

    @Test func `who asks waits no longer than said, and a reply after that is a dead letter`()
        async throws
    {
        let messages = messages(["quiet"])
        let asking = Task {
            try await messages.ask("hi", of: "quiet", from: "a", within: .seconds(5))
        }
        #expect(await inbox.wait(for: 1))
        while clock.sleeperCount == 0 { await Task.yield() }
        clock.advance(by: .seconds(5))
        await #expect(throws: MessageError.noReply("quiet", after: .seconds(5))) {
            try await asking.value
        }
        let question = try #require(inbox.messages(of: "quiet").first)
        #expect(!messages.reply(to: question, from: "quiet", "late"))
        #expect(inbox.letters.map(\.reason) == [.notAwaited])
        #expect(inbox.letters.map(\.recipient) == ["a"])
    }

    @Test func `only who was asked can answer, and once`() async throws {
        let messages = messages(["b", "c"])
        let asking = Task { try await messages.ask(1, of: "b", from: "a", within: .seconds(5)) }
        #expect(await inbox.wait(for: 1))
        let question = try #require(inbox.messages(of: "b").first)
        #expect(!messages.reply(to: question, from: "c", "forged"))
        #expect(messages.reply(to: question, from: "b", "true"))
        #expect(!messages.reply(to: question, from: "b", "again"))
        #expect(try await asking.value == "true")
        #expect(inbox.letters.map(\.message.payload) == ["forged", "again"])
    }

    @Test func `who asks is told at once when the other leaves, or is not there`() async throws {
        let messages = messages(["b"])
        let asking = Task { try await messages.ask(1, of: "b", from: "a", within: .seconds(5)) }
        #expect(await inbox.wait(for: 1))
        messages.leave("b")
        await #expect(throws: MessageError.left("b")) { try await asking.value }
        await #expect(throws: MessageError.unknownAgent("b")) {
            try await messages.ask(1, of: "b", from: "a", within: .seconds(5))
        }
    }

    @Test func `a question can be taken back`() async throws {
        let messages = messages(["b"])
        let asking = Task { try await messages.ask(1, of: "b", from: "a", within: .seconds(5)) }
        #expect(await inbox.wait(for: 1))
        asking.cancel()
        await #expect(throws: MessageError.cancelled("b")) { try await asking.value }
    }
}
