// PluginGraphTests.swift — which plugin answers to what another one declares, and whether that will do.

import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct PluginGraphTests {
    /// A plugin with a bare manifest; `more` are further members.
    private func member(
        _ id: String, _ version: String = "1.0.0", _ status: PluginStatus = .enabled,
        _ more: String = ""
    ) throws -> PluginGraph.Member {
        let text = #"{"id": "\#(id)", "name": "x", "version": "\#(version)", "abi": "1.0"\#(more)}"#
        let manifest = try Manifest.parse(Array(text.utf8), source: .bare)
        return PluginGraph.Member(
            manifest.id, version: version, status: status, manifest: manifest)
    }

    private func edge(_ members: [PluginGraph.Member]) throws -> PluginGraph.Edge {
        let edges = PluginGraph(members).edges
        #expect(edges.count == 1)
        return try #require(edges.first)
    }

    @Test func `nodes and edges are in order, whatever the order of plugins`() throws {
        let members = [
            try member(
                "b", "2.0.0", .waiting,
                #", "conflicts": {"a": "*"}, "optionalDependencies": {"y": "1", "x": "1"}, "dependencies": {"z": "1"}"#
            ),
            try member("a"),
            PluginGraph.Member("gone", version: nil, status: .failed, manifest: nil),
        ]
        let graph = PluginGraph(members)
        #expect(graph.nodes.map(\.id) == ["a", "b", "gone"])
        #expect(graph.edges.map(\.to) == ["z", "x", "y", "a"])
        #expect(graph.edges.map(\.kind) == [.requires, .optional, .optional, .conflicts])
        #expect(PluginGraph(members.reversed()) == graph)
        #expect(graph.json["nodes"]?[2] == ["id": "gone", "version": nil, "status": "failed"])
        #expect(
            graph.json["edges"]?[0] == [
                "from": "b", "to": "z", "kind": "requires", "range": "^1.0.0", "answeredBy": nil,
                "answeredVersion": nil, "satisfied": false,
            ])
    }

    @Test(
        arguments: [
            ("1.5.0", .enabled, true), ("1.5.0", .waiting, false), ("2.0.0", .enabled, false),
        ] as [(String, PluginStatus, Bool)])
    func `a requirement is satisfied by a fitting version that serves`(
        version: String, status: PluginStatus, isSatisfied: Bool
    ) throws {
        let app = try member("app", "1.0.0", .enabled, #", "dependencies": {"lib": "^1.2"}"#)
        let edge = try edge([app, member("lib", version, status)])
        #expect(edge.answeredBy == "lib")
        #expect(edge.answeredVersion == version)
        #expect(edge.isSatisfied == isSatisfied)
    }

    @Test func `an optional dependency wants a fitting version only if there is one`() throws {
        let app = try member(
            "app", "1.0.0", .enabled, #", "optionalDependencies": {"lib": "^1.2"}"#)
        #expect(try edge([app]).isSatisfied)
        #expect(try edge([app, member("lib", "1.2.0", .disabled)]).isSatisfied)
        let wrong = try edge([app, member("lib", "1.1.0")])
        #expect(!wrong.isSatisfied)
        #expect(wrong.answeredBy == "lib")
    }

    @Test(
        arguments: [
            ("1.5.0", .enabled, false), ("1.5.0", .failed, true), ("2.0.0", .enabled, true),
        ] as [(String, PluginStatus, Bool)])
    func `a conflict is there when what it names serves`(
        version: String, status: PluginStatus, isSatisfied: Bool
    ) throws {
        let app = try member("app", "1.0.0", .enabled, #", "conflicts": {"old": "^1"}"#)
        #expect(try edge([app, member("old", version, status)]).isSatisfied == isSatisfied)
    }

    @Test
    func `of several providers one that fits answers, then one that serves, then the namesake`()
        throws
    {
        let app = try member("app", "1.0.0", .enabled, #", "dependencies": {"codec": "^2"}"#)
        func provider(
            _ id: String, _ provided: String, _ status: PluginStatus = .enabled
        ) throws -> PluginGraph.Member {
            try member(id, "7.0.0", status, #", "provides": {"codec": "\#(provided)"}"#)
        }
        let fits = try edge([app, provider("gz", "1.0"), provider("zip", "2.1")])
        #expect(fits.answeredBy == "zip")
        #expect(fits.answeredVersion == "2.1.0")
        let serves = try edge([app, provider("gz", "2.0", .failed), provider("zip", "2.1")])
        #expect(serves.answeredBy == "zip")
        let namesake = try edge([app, provider("bz", "2.0"), member("codec", "2.0.0")])
        #expect(namesake.answeredBy == "codec")
        let lowest = try edge([app, provider("zip", "2.0"), provider("gz", "2.0")])
        #expect(lowest.answeredBy == "gz")
    }

    @Test func `who provides what it names answers itself, and has no conflict with itself`() throws
    {
        let needs = try member(
            "zip", "1.0.0", .waiting,
            #", "provides": {"codec": "2"}, "dependencies": {"codec": "^2"}"#)
        #expect(try edge([needs]).answeredBy == "zip")
        #expect(try edge([needs]).isSatisfied)
        let only = try member(
            "zip", "1.0.0", .enabled, #", "provides": {"codec": "2"}, "conflicts": {"codec": "*"}"#)
        #expect(try edge([only]).answeredBy == nil)
        #expect(try edge([only]).isSatisfied)
    }
}
