// OwnStrategyTests.swift — what a program of its own gets: a strategy in a few lines, and the seed's example. Next:
// AgentCoordinatorTests.swift.

import Glibc
import NocturneCoordination
import NocturneCore
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct OwnStrategyTests {
    @Test func `a strategy of one's own takes thirty lines, and goes on after a failure`()
        async throws
    {
        let lines = try source("RelayStrategy.swift").drop { !$0.hasPrefix("struct") }
        #expect(lines.count <= 30 && lines.count > 10)

        let coordinator = AgentCoordinator()
        try await coordinator.register(RelayStrategy.self)
        try await coordinator.createSession("s", goal: "g", strategy: "relay")
        for name in ["a", "b", "c"] as [AgentID] {
            try await coordinator.addAgent(
                ClosureAgent(name) { request in
                    if name == "b" { throw WorkFailure(.refused, "not today") }
                    return .string((request.work.payload.string ?? "") + name.description)
                }, to: "s")
        }
        let outcome = try await coordinator.execute("s", Goal("write", payload: ">"))
        #expect(outcome.status == .completed)
        #expect(outcome.value == ">ac")
        #expect(outcome.works.map { $0.answer != nil } == [true, false, true])
    }

    @Test func `the seed's example is a program of a few lines`() async throws {
        let told = Collected<String>()
        let outcome = try await coordinationExample { told.append($0) }
        #expect(outcome.status == .completed)
        #expect(outcome.value == ["analyze": "done", "refactor": "done"])
        #expect(told.all.first == "plan/1 is done")
        #expect(Set(told.all).isSuperset(of: ["analyze is done", "refactor is done"]))
        #expect(try source("CoordinationExample.swift").count <= 50)
    }

    /// Lines of a file that stands beside this one.
    private func source(_ name: String) throws -> [String] {
        let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let file = try #require(fopen((folder + [Substring(name)]).joined(separator: "/"), "r"))
        defer { fclose(file) }
        var lines: [String] = [], line = [CChar](repeating: 0, count: 256)
        while fgets(&line, 256, file) != nil {
            lines.append(
                String(
                    decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        }
        return lines
    }
}
