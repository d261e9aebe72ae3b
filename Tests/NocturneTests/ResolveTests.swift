// ResolveTests.swift — `resolve` as a user runs it, on plugins as `cc` built them and on bare manifests.

import Glibc
import Nocturne
import Testing

@Suite(.enabled(if: fixtures != nil, "NOCTURNE_FIXTURES names no folder of built fixtures"))
struct ResolveTests {
    /// Runs `body` with an empty directory, and removes it.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/nresolve-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { _ = try? Program.system("/bin/rm", ["-rf", path]) }
        try body(path)
    }

    private func write(_ text: String, to path: String) throws {
        let file = try #require(fopen(path, "w"))
        fputs(text, file)
        fclose(file)
    }

    private func link(_ fixture: String, into directory: String) throws {
        let source = "\(try #require(fixtures))/\(fixture).so"
        try #require(symlink(source, "\(directory)/\(fixture).so") == 0)
    }

    @Test func `libraries and manifests are resolved together, and constructors are not run`()
        throws
    {
        try withDirectory { directory in
            // crash-constructor would end whoever loads it.
            for fixture in ["counter", "needs-counter", "crash-constructor"] {
                try link(fixture, into: directory)
            }
            try write(
                #"{"id": "counter", "name": "Counter", "version": "2.0.0", "abi": "1.0"}"#,
                to: "\(directory)/counter-2.json")
            let result = try Program.run(["resolve", directory, "--json"])
            #expect(result.status == 0, "\(result.errors)")
            let json = try JSONParser.parse(result.output)
            // needs-counter wants counter ^1, so the newer one stays out.
            #expect(json["order"] == ["counter", "crash-constructor", "needs-counter"])
            #expect(json["layers"] == [["counter", "crash-constructor"], ["needs-counter"]])
            #expect(json["chosen"]?[0]?["file"]?.string == "\(directory)/counter.so")
            #expect(json["rejected"]?[0]?["version"] == "2.0.0")
            #expect(json["rejected"]?[0]?["reason"]?.string?.contains("needs-counter") == true)
        }
    }

    @Test func `an invalid file is exit 65, and the rest is printed all the same`() throws {
        try withDirectory { directory in
            for fixture in ["counter", "executable-stack", "manifest-unknown-field", "no-manifest"]
            {
                try link(fixture, into: directory)
            }
            let result = try Program.run(["resolve", "--json", directory])
            #expect(result.status == 65)
            #expect(result.errors.isEmpty)
            let json = try JSONParser.parse(result.output)
            #expect(json["order"] == ["counter"])
            let rejected = json["rejected"]?.array ?? []
            #expect(
                rejected.map { $0["id"]?.string } == [
                    "executable-stack", "manifest-unknown-field", nil,
                ])
            #expect(rejected.first?["version"] == "1.0.0")
            let people = try Program.run(["resolve", directory])
            #expect(people.status == 65)
            #expect(people.output.contains("3 files are invalid:"))
        }
    }

    @Test func `what this host cannot serve is no invalid file`() throws {
        try withDirectory { directory in
            try link("manifest-abi-new", into: directory)
            let result = try Program.run(["resolve", directory])
            #expect(result.status == 0)
            #expect(result.output.hasPrefix("no plugin can be loaded"))
            #expect(result.output.contains("it was built for ABI 1.99, this host serves 1.0"))
        }
    }

    @Test func `a ring of libraries is left out, each with the ring in its reason`() throws {
        try withDirectory { directory in
            for (id, other) in [("a", "b"), ("b", "c"), ("c", "a")] {
                try write(
                    """
                    {"id": "\(id)", "name": "x", "version": "1.0.0", "abi": "1.0",
                     "dependencies": {"\(other)": "^1"}}
                    """, to: "\(directory)/\(id).json")
            }
            try link("counter", into: directory)
            let json = try JSONParser.parse(
                try Program.run(["resolve", directory, "--json"]).output)
            #expect(json["order"] == ["counter"])
            #expect(
                json["leftOut"]?.array?.map { $0["code"]?.string } == ["cycle", "cycle", "cycle"])
            for entry in json["rejected"]?.array ?? [] {
                let reason = entry["reason"]?.string ?? ""
                for step in ["a waits for b", "b waits for c", "c waits for a"] {
                    #expect(reason.contains(step), "\(reason)")
                }
            }
        }
    }

    @Test func `an empty directory is exit 0`() throws {
        try withDirectory { directory in
            let result = try Program.run(["resolve", directory])
            #expect(result.status == 0)
            #expect(
                result.output == "\(directory): no plugin (*.so) and no manifest (*.json) there\n")
        }
    }
}

private let fixtures = getenv("NOCTURNE_FIXTURES").map { String(cString: $0) }
