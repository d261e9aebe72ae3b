// AgentCoordinator+History.swift — what happened in a session, by its log. Next: SessionLogEntry.swift.

public import NocturneCore

/// Something that happened in a session, as a replay of its log finds it.
public struct SessionMoment: Sendable, Hashable {
    /// How many inputs the session had taken in by then; a fork may begin here.
    public let input: Int
    /// When it was.
    public let time: UnixTime
    /// What.
    public let event: SessionEvent

    /// `{"input", "time", "name", "payload"}`; the time in milliseconds since 1970.
    public var json: JSONValue {
        [
            "input": JSONValue(input), "time": JSONValue(time.milliseconds),
            "name": .string(event.name), "payload": .object(event.payload),
        ]
    }
}

extension AgentCoordinator {
    /// Carries out the log of a session again, without agents, and says what happens.
    ///
    /// - Throws: ``CoordinationError/unknownSession(_:)`` if it has none, ``CoordinationError/log(_:_:)`` if it cannot
    ///   be read or goes another way.
    public func timeline(of id: SessionID) throws(CoordinationError) -> [SessionMoment] {
        let contents = try history(of: id)
        var moments = [
            SessionMoment(
                input: 0, time: contents.begun,
                event: .created(goal: contents.setup.goal, strategy: contents.setup.strategy))
        ]
        var count = 0
        _ = try contents.replay(with: catalog(for: contents.setup)) { age, _, effects in
            count += 1
            for case .tell(let event) in effects {
                let time = UnixTime(
                    milliseconds: contents.begun.milliseconds + age.wholeMilliseconds)
                moments.append(SessionMoment(input: count, time: time, event: event))
            }
        }
        return moments
    }

    /// A session of which only the log is there.
    func formerSession(_ id: SessionID) throws(CoordinationError) -> SessionInfo {
        let contents = try history(of: id)
        return SessionInfo(try contents.replay(with: catalog(for: contents.setup)))
    }

    /// Sessions of which only the logs are there.
    package var formerSessions: [SessionID] {
        (directory?.items() ?? []).filter { $0.isEnded && sessions[$0.session] == nil }
            .map(\.session)
    }

    /// The strategies for a log: one that nobody offers now was made elsewhere, and its answers stand in the log.
    func catalog(for setup: SessionSetup) -> StrategyCatalog {
        var catalog = catalog
        if remote != nil { _ = try? catalog.addRemote(setup.strategy) }
        return catalog
    }
}
