// PipelineStrategyTests.swift — items stream through stages. Next: HierarchicalStrategyTests.swift.

import NocturneCore
import Testing

@testable import NocturneCoordination

struct PipelineStrategyTests {
    private func run(
        _ parameters: JSONValue, items: Int = 4, concurrency: Int = 8,
        _ script: @escaping ScriptedSession.Script
    ) throws -> (Outcome, ScriptedSession) {
        let agent = AgentDescriptor("all", concurrency: concurrency)
        var session = try ScriptedSession("pipeline", parameters, agents: [agent], script: script)
        let values = JSONValue.array((0..<items).map { JSONValue($0) })
        let outcome = try session.run(Goal("flow", payload: ["items": values]))
        return (try #require(outcome), session)
    }

    /// Appends the stage's name to what the item is.
    private func mark(_ assignment: Assignment) -> JSONValue {
        let stage = assignment.work.id.description.split(separator: "/")[2]
        let item = assignment.work.payload["item"]
        return .string("\(item?.string ?? "\(item ?? .null)")\(stage)")
    }

    private func index(_ assignment: Assignment) -> Int {
        Int(assignment.work.payload["index"]?.int ?? -1)
    }

    @Test func `each item goes through each stage, and the results are in order`() throws {
        let (outcome, session) = try run(["stages": [["name": "a"], ["name": "b"], ["name": "c"]]])
        {
            (.value(mark($0)), .seconds(1 + index($0)))
        }
        #expect(outcome.status == .completed)
        #expect(outcome.value["results"] == ["0abc", "1abc", "2abc", "3abc"])
        #expect(outcome.value["deadLetters"] == [])
        #expect(session.starts.count == 12)
    }

    @Test func `a stage takes an item as soon as it is there, not when all are`() throws {
        // Two stages of one place each: 4 items take 1 + 4 seconds, not 8.
        let (_, session) = try run([
            "stages": [["name": "a", "concurrency": 1], ["name": "b", "concurrency": 1]]
        ]) { (.value(mark($0)), .seconds(1)) }
        #expect(session.now == .seconds(5))
    }

    @Test(arguments: [
        ("preserve", ["0ab", "1ab", "2ab"]), ("asCompleted", ["2ab", "1ab", "0ab"]),
    ])
    func `results are in the order that was asked for`(order: String, results: [String]) throws {
        let (outcome, _) = try run(
            ["stages": [["name": "a"], ["name": "b"]], "order": .string(order)], items: 3
        ) { (.value(mark($0)), .seconds(5 - index($0))) }
        #expect(outcome.value["results"]?.array?.map(\.string) == results)
    }

    @Test func `where the order is kept, no item overtakes another between two stages`() throws {
        let (_, session) = try run(["stages": [["name": "a"], ["name": "b"]]]) {
            (.value(mark($0)), .seconds(5 - index($0)))
        }
        let second = session.starts.filter { $0.work.id.description.contains("/b") }
        #expect(second.map(index) == [0, 1, 2, 3])
    }

    @Test func `a full channel holds the stage before it back`() throws {
        // The second stage never answers, so at most: 1 in it, 2 before it, and nothing more in the first one.
        let agent = AgentDescriptor("all", concurrency: 64)
        var session = try ScriptedSession(
            "pipeline",
            ["stages": [["name": "a"], ["name": "b", "concurrency": 1, "capacity": 2]]],
            agents: [agent]
        ) { assignment in
            let isFirst = assignment.work.id.description.hasSuffix("/a")
            return (isFirst ? .value(1) : .silence, .seconds(1))
        }
        let values = JSONValue.array((0..<50).map { JSONValue($0) })
        try session.apply(.execute(Goal("flow", payload: ["items": values])))
        try session.goOn(until: .seconds(60))
        let started = session.starts.count { $0.work.id.description.hasSuffix("/a") }
        #expect(started == 3)
    }

    @Test func `an item that fails is put aside with its stage and cause, and blocks nobody`()
        throws
    {
        let (outcome, _) = try run(["stages": [["name": "a"], ["name": "b"]]]) { assignment in
            assignment.work.id == "item/1/b"
                ? (.failure(.refused), .seconds(1)) : (.value(mark(assignment)), .seconds(1))
        }
        #expect(outcome.status == .partial)
        #expect(outcome.value["results"] == ["0ab", "2ab", "3ab"])
        #expect(
            outcome.value["deadLetters"] == [
                ["index": 1, "item": "1a", "stage": "b", "error": "refused: as scripted"]
            ])
    }

    @Test func `an item that fails is tried again before it is put aside`() throws {
        let (outcome, session) = try run(["stages": [["name": "a", "attempts": 2]]], items: 1) {
            ($0.attempt == 1 ? .failure(.failed) : .value("done"), .seconds(1))
        }
        #expect(outcome.value["results"] == ["done"])
        #expect(session.starts.map(\.attempt) == [1, 2])
    }

    @Test func `an item that fails may go on as it came, or end everything`() throws {
        func failing(_ mode: JSONValue) throws -> Outcome {
            try run(["stages": [["name": "a"], ["name": "b"]], "failure": mode], items: 2) {
                $0.work.id == "item/0/a"
                    ? (.failure(.refused), .seconds(1)) : (.value(mark($0)), .seconds(1))
            }.0
        }
        let skipped = try failing("skip")
        #expect(skipped.status == .completed)
        #expect(skipped.value["results"] == ["0b", "1ab"])
        let aborted = try failing("abort")
        #expect(aborted.status == .failed(.workFailed))
        #expect(aborted.value["deadLetters"]?.array?.count == 1)
    }

    @Test func `a result that the gate refuses goes back, so often and no more`() throws {
        // The second stage's result has to be at least 3; each visit of the first one adds one.
        let parameters: JSONValue = [
            "stages": [
                ["name": "add"],
                ["name": "check", "schema": ["minimum": 3], "loops": 2, "loopTo": "add"],
            ]
        ]
        let (outcome, session) = try run(parameters, items: 2) { assignment in
            let item = assignment.work.payload["item"]?.int ?? 0
            let isAdding = assignment.work.id.description.contains("/add")
            return (.value(JSONValue(isAdding ? item + 1 : item)), .seconds(1))
        }
        // 0 → 1, 2, 3 after two loops; 1 → 2, 3 after one.
        #expect(outcome.value["results"] == [3, 3])
        #expect(session.starts.count == 10)
        let (dead, _) = try run(parameters, items: 1) { _ in (.value(-9), .seconds(1)) }
        #expect(dead.status == .failed(.workFailed))
        #expect(dead.value["deadLetters"]?[0]?["stage"] == "check")
    }

    @Test func `without stages each agent is one, in the order in which they joined`() throws {
        var session = try ScriptedSession("pipeline", agents: agents("zoe", "adam")) {
            (.value(mark($0)), .seconds(1))
        }
        let outcome = try session.run(Goal("flow", payload: ["items": ["x"]]))
        #expect(outcome?.value["results"] == ["xzoeadam"])
        #expect(session.assignments == ["item/0/zoe:zoe", "item/0/adam:adam"])
    }

    @Test func `progress counts items times stages`() throws {
        let (_, session) = try run(["stages": [["name": "a"], ["name": "b"]]], items: 2) {
            (.value(mark($0)), .seconds(1 + index($0)))
        }
        let fractions = session.events.compactMap { event in
            if case .progress(let progress) = event { progress.fraction } else { nil }
        }
        #expect(fractions == [0.25, 0.5, 0.75, 1])
    }

    @Test(
        arguments: [
            [["name": "a"], ["name": "a"]], [["name": "a", "capacity": 0]], [["name": "a b"]],
            [["name": "a", "loopTo": "b"]], [["name": "a", "schema": ["type": "what"]]],
            [["nome": "a"]],
        ] as [JSONValue])
    func `stages that make no sense are refused when the session is made`(stages: JSONValue) {
        #expect(throws: CoordinationError.self) {
            try PipelineStrategy(parameters: ["stages": stages])
        }
    }
}
