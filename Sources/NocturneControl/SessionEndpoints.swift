// SessionEndpoints.swift — the routes that make sessions of agents, show them and steer them.
// Next: SessionSchemas.swift, NocturneCoordination/SessionDescription.swift.

internal import Hummingbird
package import NocturneCoordination
internal import NocturneCore

/// The sessions that the API shows and steers, and who can be an agent of them.
package struct ControlledSessions: Sendable {
    let coordinator: AgentCoordinator
    let agents: any AgentOffers

    package init(_ coordinator: AgentCoordinator, agents: any AgentOffers) {
        (self.coordinator, self.agents) = (coordinator, agents)
    }
}

extension Endpoint {
    /// Routes about sessions.
    static let sessions: [Endpoint] = [
        Endpoint(
            method: .get, path: "/v1/sessions", name: "listSessions",
            summary:
                "Sessions, by name; of those that ended before this host started only the name.",
            output: .json(schema: Schema.list(of: Schema.session)), answer: list),
        Endpoint(
            method: .post, path: "/v1/sessions", name: "createSession",
            summary:
                "Makes a session with its agents and, if it says `execute`, begins to carry that out.",
            input: .object(schema: Schema.sessionDescription), success: .created,
            output: .json(schema: Schema.session), answer: create),
        Endpoint(
            method: .get, path: "/v1/sessions/{session}", name: "getSession",
            summary: "A session as it is now.", output: .json(schema: Schema.session)
        ) { exchange in
            .json(try await exchange.coordinator.session(try exchange.sessionID).json)
        },
        Endpoint(
            method: .get, path: "/v1/sessions/{session}/timeline", name: "replaySession",
            summary: "All that happened in a session, by a replay of its log.",
            output: .json(schema: Schema.list(of: Schema.sessionMoment))
        ) { exchange in
            let timeline = try await exchange.coordinator.timeline(of: try exchange.sessionID)
            return .json(.array(timeline.map(\.json)))
        },
        Endpoint(
            method: .get, path: "/v1/sessions/{session}/events", name: "followSession",
            summary:
                "What happens in a session, as server-sent events that end with its execution.",
            query: [
                QueryParameter(
                    name: "since", kind: .number(minimum: 0),
                    meaning: "Also what happened after this event, as `event` of `createSession`.")
            ],
            output: .events(schema: Schema.event), answer: follow),
        change("execute", "executeSession", "Begins to carry out a goal.", Schema.goal) {
            exchange, id, body in
            try await exchange.coordinator.begin(try Goal(json: body), in: id)
        },
        change(
            "answer", "answerSession", "Answers what a session asks.",
            Schema.fields(
                ["question": Schema.text, "value": Schema.anything], ["question", "value"])
        ) { exchange, id, body in
            try await exchange.coordinator.answer(
                try exchange.text("question", of: body), body["value"] ?? .null, in: id)
        },
        change(
            "send", "sendToAgent", "Sends a message to an agent, from a person or another agent.",
            Schema.fields(
                ["to": Schema.text, "from": Schema.optionalText, "payload": Schema.anything],
                ["to", "payload"])
        ) { exchange, id, body in
            try await exchange.coordinator.send(
                body["payload"] ?? .null, from: try body["from"]?.string.map { try AgentID($0) },
                to: try AgentID(try exchange.text("to", of: body)), in: id)
        },
        change(
            "broadcast", "broadcastToSession", "Sends a message to all agents.",
            Schema.fields(["payload": Schema.anything], ["payload"])
        ) { exchange, id, body in
            try await exchange.coordinator.broadcast(body["payload"] ?? .null, in: id)
        },
        change("agents", "addAgent", "Adds an agent.", Schema.sessionMember) { exchange, id, body in
            try await exchange.add(try SessionDescription.Member(json: body), to: id)
        },
        Endpoint(
            method: .delete, path: "/v1/sessions/{session}/agents/{agent}", name: "removeAgent",
            summary: "Removes an agent; its works go to others.",
            output: .json(schema: Schema.session)
        ) { exchange in
            let id = try exchange.sessionID
            try await exchange.coordinator.removeAgent(
                try AgentID(exchange.parameter("agent")), from: id)
            return .json(try await exchange.coordinator.session(id).json)
        },
        change(
            "pause", "pauseSession", "Starts nothing more, and answers when nothing is under way.",
            Schema.fields(["immediately": ["type": "boolean"]], [])
        ) { exchange, id, body in
            try await exchange.coordinator.pause(
                id, immediately: body["immediately"]?.bool ?? false)
        },
        change("resume", "resumeSession", "Goes on after a pause.", nil) { exchange, id, _ in
            try await exchange.coordinator.resume(id)
        },
        change(
            "end", "endSession", "Ends a session; what was finished is in its outcome.",
            Schema.fields(["reason": Schema.text], [])
        ) { exchange, id, body in
            try await exchange.coordinator.end(id, reason: body["reason"]?.string ?? "it was ended")
        },
        Endpoint(
            method: .post, path: "/v1/sessions/{session}/fork", name: "forkSession",
            summary:
                "Makes a session that has lived the same up to a moment, and goes on by itself.",
            input: .object(
                schema: Schema.fields(["as": Schema.text, "after": Schema.count], ["as"])),
            success: .created, output: .json(schema: Schema.session), answer: fork),
        Endpoint(
            method: .delete, path: "/v1/sessions/{session}", name: "deleteSession",
            summary: "Forgets a session that has ended, and its log.", success: .noContent,
            output: .nothing
        ) { exchange in
            try await exchange.coordinator.delete(try exchange.sessionID)
            return .nothing
        },
        Endpoint(
            method: .get, path: "/v1/agents", name: "listAgents",
            summary: "Who can be an agent of a session: agents of plugins, and listed programs.",
            output: .json(schema: Schema.list(of: Schema.object("`agent` or `command`, its name.")))
        ) { exchange in
            .json(exchange.sessions.agents.list)
        },
        Endpoint(
            method: .get, path: "/v1/strategies", name: "listStrategies",
            summary: "The names of the strategies that sessions can choose.",
            output: .json(schema: Schema.texts)
        ) { exchange in
            .json(.array(await exchange.coordinator.strategies.map { .string($0) }))
        },
    ]

    private static func change(
        _ verb: String, _ name: String, _ summary: String, _ schema: JSONValue?,
        _ action: @escaping @Sendable (Exchange, SessionID, JSONValue) async throws -> Void
    ) -> Endpoint {
        Endpoint(
            method: .post, path: "/v1/sessions/{session}/\(verb)", name: name, summary: summary,
            input: schema.map { .object(schema: $0) } ?? .nothing,
            output: .json(schema: Schema.session)
        ) { exchange in
            let id = try exchange.sessionID
            let body = schema == nil ? .null : try exchange.json(empty: [:])
            guard schema == nil || body.object != nil else {
                throw RequestError.wrongBody(expected: "an object", found: "\(body.typeName)")
            }
            try await action(exchange, id, body)
            return .json(try await exchange.coordinator.session(id).json)
        }
    }

    @Sendable
    private static func list(_ exchange: Exchange) async throws -> Reply {
        let now = await exchange.coordinator.allSessions().map { session -> JSONValue in
            var json = session.json.object ?? [:]
            json["outcome"] = (session.outcome?.json["status"]).map { ["status": $0] } ?? .null
            return .object(json)
        }
        let former = await exchange.coordinator.formerSessions.map { id -> JSONValue in
            ["id": .string(id.description), "state": "ended"]
        }
        return .json(.array(now + former))
    }

    @Sendable
    private static func create(_ exchange: Exchange) async throws -> Reply {
        let coordinator = exchange.coordinator
        let since = exchange.host.events.latestID
        let session = try SessionDescription(
            json: .object(try exchange.object()), usual: coordinator.usualPolicy)
        // All that can be wrong with the agents is found before anything is there.
        for member in session.members { _ = try exchange.agent(member) }
        try await coordinator.createSession(
            session.id, goal: session.goal, strategy: session.strategy,
            parameters: session.parameters, fallback: session.fallback, policy: session.policy)
        do {
            for member in session.members { try await exchange.add(member, to: session.id) }
            if let goal = session.execute { try await coordinator.begin(goal, in: session.id) }
        } catch {
            // Half a session is none; the name is free for the next attempt.
            _ = try? await coordinator.end(session.id, reason: "it could not be set up: \(error)")
            try? await coordinator.delete(session.id)
            throw error
        }
        var json = try await coordinator.session(session.id).json.object ?? [:]
        json["event"] = JSONValue(since)
        return .json(.object(json))
    }

    @Sendable
    private static func fork(_ exchange: Exchange) async throws -> Reply {
        let fields = try TaskFields(try exchange.object(), knowing: ["as", "after"])
        let new = try SessionID(try fields.requiredText("as"))
        let agents = exchange.sessions.agents
        let after = try fields.count("after", in: 0...Int64.max)
        let forked = try await exchange.coordinator.fork(
            try exchange.sessionID, as: new, upTo: after ?? .max
        ) { try? agents.agent($0) }
        return .json(forked.json)
    }

    @Sendable
    private static func follow(_ exchange: Exchange) async throws -> Reply {
        let id = try exchange.sessionID
        let (coordinator, bus) = (exchange.coordinator, exchange.host.events)
        let since = try exchange.number("since").map { UInt64($0) } ?? bus.latestID
        _ = try await coordinator.session(id)
        let events = bus.events(matching: "coordination/*", since: since)
        let text = JSONValue.string(id.description)
        let own = AsyncStream<EventDelivery>(
            bufferingPolicy: .bufferingOldest(EventBus.bufferLimit)
        ) { continuation in
            let telling = Task {
                for await delivery in events {
                    guard case .event(let event) = delivery else {
                        continuation.yield(delivery)
                        continue
                    }
                    guard event.payload["sessionId"] == text else { continue }
                    continuation.yield(delivery)
                    if ["execution:completed", "session:ended"].contains(event.name) { break }
                }
                continuation.finish()
            }
            let waiting = Task {
                // Nothing more comes, be it that it is over already or that its log cannot be written.
                _ = try? await coordinator.outcome(of: id)
                try? await Task.sleep(for: lastEventLimit)
                continuation.finish()
            }
            continuation.onTermination = { _ in
                telling.cancel()
                waiting.cancel()
            }
        }
        return .events(opening: [], own) {
            { delivery in
                switch delivery {
                case .event(let event): serverSentEvent(event.json, id: event.id)
                case .gap(let missed): gapEvent(missed)
                }
            }
        }
    }

    /// For the last event of an execution that is over to come through.
    private static let lastEventLimit = Duration.seconds(1)
}

extension Exchange {
    var coordinator: AgentCoordinator { sessions.coordinator }

    /// The session that the path names.
    var sessionID: SessionID {
        get throws(CoordinationError) { try SessionID(parameter("session")) }
    }

    /// An agent as a session shall have it.
    fileprivate func agent(_ member: SessionDescription.Member) throws -> any Agent {
        let offered = try sessions.agents.descriptor(member.id, from: member.origin)
        return try sessions.agents.agent(try member.descriptor(of: offered))
    }

    fileprivate func add(_ member: SessionDescription.Member, to id: SessionID) async throws {
        try await coordinator.addAgent(try agent(member), to: id)
    }

    /// A text of the body that must be there.
    fileprivate func text(_ key: String, of body: JSONValue) throws(RequestError) -> String {
        guard let text = body[key]?.string else {
            throw .wrongField(
                key, found: body[key].map { "\($0.typeName)" } ?? "absent", expected: "a string")
        }
        return text
    }
}
