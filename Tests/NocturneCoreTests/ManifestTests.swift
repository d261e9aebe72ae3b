// ManifestTests.swift — manifests that must be read, and what is said of those that must not.
// `Fixtures/manifests.json` was checked against PluginSDK/manifest.schema.json with
// python-jsonschema: both agree on every vector, except those marked `onlyHost` (JSON Schema cannot
// say it) and `pythonAccepts` (its `$` also matches before a line feed).
// Next: ManifestSchemaTests.swift.

import Testing

@testable import NocturneCore

@Suite struct ManifestTests {
    private static func source(of vector: JSONValue) -> Manifest.Source {
        switch vector["source"]?.string {
        case "bare": .bare
        case "sidecar": .sidecar
        default: .embedded
        }
    }

    private static func parse(_ text: String) throws(ManifestError) -> Manifest {
        try Manifest.parse(Array(text.utf8))
    }

    @Test func `every accepted vector is read, and its normalized form reads back the same`() throws
    {
        let vectors = try #require(CoreFixture.manifests["accepted"]?.array)
        #expect(vectors.count > 80)
        for vector in vectors {
            let why = vector["why"]?.string ?? ""
            let source = Self.source(of: vector)
            let json = try #require(vector["manifest"])
            do {
                let manifest = try Manifest.parse(json.serialized(), source: source)
                #expect(manifest.original == json)
                let again = try Manifest.parse(manifest.json.serialized(), source: source)
                #expect(again.json.serialized() == manifest.json.serialized(), "\(why)")
                #expect(
                    again.limits == manifest.limits && again.contributes == manifest.contributes)
                #expect(again.dependencies == manifest.dependencies && again.host == manifest.host)
                #expect(
                    again.permissions == manifest.permissions && again.reload == manifest.reload)
            } catch {
                Issue.record("\(why): \(error)")
            }
        }
    }

    @Test func `every rejected vector is refused at the field that is wrong`() throws {
        let vectors = try #require(CoreFixture.manifests["rejected"]?.array)
        #expect(vectors.count > 300)
        for vector in vectors {
            let why = vector["why"]?.string ?? ""
            let bytes = try #require(vector["manifest"]).serialized()
            let error = failure { () throws(ManifestError) in
                _ = try Manifest.parse(bytes, source: Self.source(of: vector))
            }
            #expect(error?.field == vector["field"]?.string, "\(why): \(String(describing: error))")
        }
    }

    @Test func `the manifest of the design is read field by field`() throws {
        let manifest = try Self.parse(
            """
            { "id": "word-count", "name": "Word count", "version": "1.2.0", "abi": "1.3",
              "host": ">=0.1", "runtime": "swift-6.3.1",
              "dependencies": { "text-tools": "^1.4" }, "optionalDependencies": { "cache": "^2" },
              "conflicts": { "old-count": "*" }, "provides": { "codec": "2.1" },
              "permissions": { "read": ["/srv/books/"], "connect": ["[::1]:80", "db.internal:5432"],
                               "environment": ["LANG"] },
              "limits": { "memory": "1GiB", "threads": 2, "deadline": 250, "concurrency": 4,
                          "queue": 0 },
              "contributes": {
                "tools": [ { "name": "count", "input": { "type": "object" }, "idempotent": true } ],
                "commands": [ { "name": "notes:export" } ], "listens": ["plugin:*"],
                "agents": [ { "name": "editor", "capabilities": ["edit"] } ],
                "functions": [ { "name": "crc32", "signature": "u64 (u64, bytes)" } ] },
              "configuration": { "type": "object" },
              "reload": { "state": true, "drain": "500ms", "onDependencyChange": "restart" },
              "x-mine": [1] }
            """)

        #expect(manifest.id == "word-count" && manifest.name == "Word count")
        #expect(manifest.version == SemanticVersion(1, 2, 0))
        #expect(manifest.abi == ABIVersion(major: 1, minor: 3))
        #expect(manifest.runtime == .swift(version: "6.3.1"))
        #expect(manifest.dependencies["text-tools"]?.description == "^1.4.0")
        #expect(manifest.optionalDependencies["cache"]?.description == "^2.0.0")
        #expect(manifest.conflicts["old-count"] == .any)
        #expect(manifest.provides["codec"] == SemanticVersion(2, 1, 0))
        #expect(manifest.permissions.read == ["/srv/books"])
        #expect(manifest.permissions.connect.map(\.host) == ["::1", "db.internal"])
        #expect(manifest.permissions.connect.map(\.port) == [80, 5432])
        #expect(manifest.permissions.connect[0].description == "[::1]:80")
        #expect(manifest.limits.memory.bytes == 1 << 30 && manifest.limits.threads == 2)
        #expect(manifest.limits.deadline == .milliseconds(250))
        #expect(manifest.limits.concurrency == 4 && manifest.limits.queue == 0)
        #expect(manifest.contributes.tools[0].input == ["type": "object"])
        #expect(
            manifest.contributes.tools[0].isIdempotent
                && manifest.contributes.tools[0].output == nil)
        #expect(manifest.contributes.commands.map(\.name) == ["notes:export"])
        #expect(manifest.contributes.agents[0].capabilities == ["edit"])
        #expect(manifest.contributes.functions[0].symbol == "crc32")
        #expect(manifest.configuration == ["type": "object"])
        #expect(manifest.reload.state && manifest.reload.drain == .milliseconds(500))
        #expect(manifest.reload.onDependencyChange == .restart)
        #expect(manifest.extensions == ["x-mine": [1]])
    }

    @Test func `what is absent has the documented default`() throws {
        let manifest = try Self.parse(
            #"{"id":"a","name":"A","version":"0.1.0","abi":"1.0"}"#)

        #expect(manifest.runtime == .c && manifest.host == nil && manifest.architecture == nil)
        #expect(manifest.permissions.isEmpty && manifest.contributes.isEmpty)
        #expect(manifest.limits.memory == .mebibytes(64) && manifest.limits.threads == nil)
        #expect(manifest.limits.deadline == .seconds(5))
        #expect(manifest.limits.concurrency == 1 && manifest.limits.queue == 256)
        #expect(!manifest.reload.state && manifest.reload.drain == .seconds(2))
        #expect(manifest.reload.onDependencyChange == .rebind && manifest.configuration == nil)
    }

    @Test func `a refusal names the field, what was found and what is allowed`() {
        let start = #"{"id":"a","name":"A","version":"0.1.0","abi":"1.0","#
        let cases = [
            (
                #""limits":{"queue":70000}}"#,
                "manifest: limits.queue: found 70000, allowed is an integer from 0 to 65536"
            ),
            (
                #""contributes":{"tools":[{"name":"a"},{"name":"b"},{"name":"a"}]}}"#,
                "manifest: contributes.tools[2].name: found \"a\", "
                    + "which contributes.tools[0].name is already"
            ),
            (
                #""reload":{"drian":1}}"#,
                "manifest: reload.drian is unknown: allowed here are state, drain, "
                    + "onDependencyChange, and keys of your own that begin with \"x-\""
            ),
            (
                #""reload":{"state":"yes"}}"#,
                "manifest: reload.state: found the string \"yes\", expected true or false"
            ),
        ]
        for (rest, expected) in cases {
            let error = failure { () throws(ManifestError) in _ = try Self.parse(start + rest) }
            #expect(error.map { "\($0)" } == expected)
        }
    }

    @Test
    func `duplicate keys, other text and too many bytes are refused before any field is read`() {
        let twice = #"{"id":"a","id":"b"}"#
        #expect(
            throws: ManifestError.notJSON(
                .duplicateKey("id", at: .init(line: 1, column: 11, offset: 10)))
        ) { try Self.parse(twice) }
        #expect(throws: ManifestError.self) { try Self.parse("") }
        let start = #"{"id":"a","name":"A","version":"0.1.0","abi":"1.0","x-pad":""#
        let padding = String(repeating: "x", count: 65_536 - start.utf8.count - 2)
        #expect(throws: Never.self) { try Self.parse(start + padding + "\"}") }
        #expect(throws: ManifestError.tooLarge(bytes: 65_537, limit: 65_536)) {
            try Self.parse(start + padding + "x\"}")
        }
    }

    @Test(arguments: [
        ("*", "task:completed", true), ("plugin:*", "plugin:enabled", true),
        ("plugin:*", "plugins:x", false),
        ("task:completed", "task:completed", true), ("task:completed", "task:completed2", false),
        ("plugin:*", "plugin", false),
    ])
    func `an event pattern is a name, a prefix or everything`(
        pattern: String, event: String, matches: Bool
    ) throws {
        let manifest = try Self.parse(
            #"{"id":"a","name":"A","version":"0.1.0","abi":"1.0","#
                + #""contributes":{"listens":["\#(pattern)"]}}"#
        )
        #expect(manifest.contributes.listens[0].matches(event) == matches)
    }
}
