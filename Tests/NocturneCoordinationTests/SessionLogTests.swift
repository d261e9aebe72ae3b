// SessionLogTests.swift — the log of a session: what is in it is what happened, up to where a write was cut off.
// Next: SessionCoreTests.swift.

import Glibc
import NocturneCore
import TestKit
import Testing

@testable import NocturneCoordination

struct SessionLogTests {
    private static let setup: SessionSetup = {
        var setup = SessionSetup(
            id: "s", goal: "g", strategy: "parallel", parameters: ["mode": "map"],
            fallback: "hierarchical", seed: .max)
        setup.policy.isFaultTolerant = false
        setup.policy.retryDelay = .milliseconds(7)
        setup.policy.plan.depth = 2
        return setup
    }()

    static let inputs: [SessionInput] = [
        .addAgent(AgentDescriptor("a")), .removeAgent("a", reason: "r"),
        .execute(Goal("g", payload: ["items": [1]])),
        .runEnded(Epoch(1), .answered(WorkAnswer("x", usage: Usage(tokens: 2)))),
        .runEnded(Epoch(2), .failed(WorkFailure(.crashed, "m"), Usage(cost: 1))),
        .heartbeat(Epoch(3)), .message(from: "a", 1), .message(from: nil, 2), .messagesSent(4),
        .answer(question: "q", "yes"),
        .stepped(1, .stepped(state: ["n": 1], [.note("n"), .assign(Work("w", text: "t"))])),
        .stepped(2, .failed("slow")), .tick, .pause(isImmediate: true), .resume,
        .end(reason: "e"), .interrupted,
    ]

    @Test(arguments: inputs) func `an input reads back as what it was`(input: SessionInput) throws {
        let json = try JSONParser.parse(input.json.serialized())
        #expect(try SessionInput(json: json, at: "input") == input)
    }

    @Test func `a setup reads back as what it was`() throws {
        #expect(
            try SessionSetup(json: JSONParser.parse(Self.setup.json.serialized())) == Self.setup)
    }

    @Test func `what is appended is read back, in order`() throws {
        let home = try TemporaryDirectory()
        let log = try SessionLog(
            creating: Self.setup, at: UnixTime(milliseconds: 5), path: home.path + "/s.log")
        let entries = Self.inputs.enumerated().map { ($1, Duration.milliseconds($0)) }
        for (input, time) in entries { try log.append(input, at: time) }
        let contents = try SessionLogContents(reading: home.path + "/s.log", of: "s")
        #expect(contents.setup == Self.setup)
        #expect(contents.begun.milliseconds == 5)
        #expect(contents.inputs.map(\.input) == Self.inputs)
        #expect(contents.inputs.map(\.time) == entries.map(\.1))
        #expect(contents.tornBytes == 0)
    }

    @Test
    func `a log that is cut anywhere has all entries that were whole, and goes on behind them`()
        throws
    {
        let home = try TemporaryDirectory()
        var file: String { home.path + "/s.log" }
        do {
            let log = try SessionLog(
                creating: Self.setup, at: UnixTime(milliseconds: 0), path: file)
            try log.append(.tick, at: .zero)
            try log.append(.resume, at: .milliseconds(1))
        }
        let whole = try SessionLogContents(reading: file, of: "s")
        for size in stride(from: whole.validBytes - 1, to: whole.validBytes - 40, by: -1) {
            try #require(truncate(file, off_t(size)) == 0)
            let cut = try SessionLogContents(reading: file, of: "s")
            #expect(cut.inputs.count == 1 && cut.tornBytes == size - cut.validBytes)
        }
        do {
            let cut = try SessionLogContents(reading: file, of: "s")
            let log = try SessionLog(continuing: cut, path: file)
            try log.append(.end(reason: "x"), at: .milliseconds(2))
        }
        let again = try SessionLogContents(reading: file, of: "s")
        #expect(again.inputs.map(\.input) == [.tick, .end(reason: "x")])
        #expect(again.tornBytes == 0)
    }

    @Test
    func `an entry that is damaged is not believed, and what stands behind it is not thrown away`()
        throws
    {
        let home = try TemporaryDirectory()
        var file: String { home.path + "/s.log" }
        let log = try SessionLog(
            creating: Self.setup, at: UnixTime(milliseconds: 0), path: file)
        try log.append(.tick, at: .zero)
        let before = try SessionLogContents(reading: file, of: "s").validBytes
        try log.append(.resume, at: .zero)
        let output = open(file, O_WRONLY)
        defer { close(output) }
        // In the last entry it is a write that went wrong; with another one behind it, it is not.
        try #require(pwrite(output, "?", 1, off_t(before + 12)) == 1)
        let torn = try SessionLogContents(reading: file, of: "s")
        #expect(torn.inputs.map(\.input) == [.tick] && torn.validBytes == before)
        try log.append(.tick, at: .zero)
        #expect(throws: CoordinationError.self) {
            try SessionLogContents(reading: file, of: "s")
        }
        // Nor if it is the length that is damaged.
        for byte in 0..<4 {
            var length: UInt8 = 0
            let place = off_t(before + byte)
            let input = open(file, O_RDONLY)
            defer { close(input) }
            try #require(pread(input, &length, 1, place) == 1)
            var damaged = ~length
            try #require(pwrite(output, &damaged, 1, place) == 1)
            #expect(throws: CoordinationError.self) {
                try SessionLogContents(reading: file, of: "s")
            }
            try #require(pwrite(output, &length, 1, place) == 1)
        }
        // Zeros at the end are what a loss of power leaves.
        try #require(truncate(file, off_t(before)) == 0)
        try #require(truncate(file, off_t(before + 4_096)) == 0)
        #expect(try SessionLogContents(reading: file, of: "s").validBytes == before)
    }

    @Test func `a replay that would go another way is refused, not trusted`() throws {
        let home = try TemporaryDirectory()
        var file: String { home.path + "/s.log" }
        let setup = SessionSetup(id: "s", strategy: "parallel")
        let log = try SessionLog(creating: setup, at: UnixTime(milliseconds: 0), path: file)
        let ended = SessionInput.runEnded(Epoch(1), .answered(WorkAnswer(1)))
        try log.append(.addAgent(AgentDescriptor("a")), at: .zero)
        try log.append(.execute(Goal("g")), at: .zero)
        try log.append(ended, at: .milliseconds(1), work: "goal")
        let same = try SessionLogContents(reading: file, of: "s").replay(with: .builtIn)
        #expect(same.outcome?.status == .completed)

        try log.append(.execute(Goal("g")), at: .milliseconds(2))
        try log.append(
            .runEnded(Epoch(2), .answered(WorkAnswer(1))), at: .milliseconds(3), work: "other")
        let contents = try SessionLogContents(reading: file, of: "s")
        let error = #expect(throws: CoordinationError.self) {
            try contents.replay(with: .builtIn)
        }
        #expect(error?.description.contains("another way at input 5, the end of other") == true)
    }

    @Test func `a log is one process's at a time, and a session has one`() throws {
        let home = try TemporaryDirectory()
        var file: String { home.path + "/s.log" }
        let log = try SessionLog(
            creating: Self.setup, at: UnixTime(milliseconds: 0), path: file)
        #expect(throws: CoordinationError.sessionExists("s")) {
            try SessionLog(creating: Self.setup, at: UnixTime(milliseconds: 0), path: file)
        }
        let contents = try SessionLogContents(reading: file, of: "s")
        #expect(throws: CoordinationError.self) {
            try SessionLog(continuing: contents, path: file)
        }
        withExtendedLifetime(log) {}
    }

    @Test func `logs go by age, then by size, the oldest first, but not those that are needed`()
        throws
    {
        let home = try TemporaryDirectory()
        let directory = SessionLogDirectory(path: home.path)
        for (index, id) in (["a", "b", "c", "d"] as [SessionID]).enumerated() {
            var setup = Self.setup
            setup.id = id
            _ = try SessionLog(
                creating: setup, at: UnixTime(milliseconds: 0), path: directory.path(of: id))
            var times = [
                timeval(tv_sec: index * 100, tv_usec: 0),
                timeval(tv_sec: index * 100, tv_usec: 0),
            ]
            try #require(utimes(directory.path(of: id), &times) == 0)
        }
        for id in ["a", "c", "d"] as [SessionID] { try directory.markEnded(id) }
        let size = try #require(directory.items().first?.bytes)
        let now = UnixTime(seconds: 350)
        // Older than 300 s: only a. Then two of three may stay, and b must.
        let retention = SessionLogDirectory.Retention(age: .seconds(300), bytes: 2 * size + 1)
        #expect(directory.clear(retention, now: now) == ["a", "c"])
        #expect(directory.items().map(\.session) == ["b", "d"])
    }
}
