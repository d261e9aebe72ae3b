// DirectoryResolutionTests.swift — directories of manifests and libraries, what `resolve` says of them, and of files
// that are neither. How it chooses is claimed in NocturneResolverTests. Next: PluginGraphTests.swift.

import Glibc
import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct DirectoryResolutionTests {
    private let scratch = ScratchDirectory()

    /// Writes a bare manifest; `more` are further members.
    private func write(_ id: String, _ version: String, _ more: String = "", as name: String? = nil)
    {
        let text =
            #"{"id": "\#(id)", "name": "x", "version": "\#(version)", "abi": "1.0"\#(more)}"#
        scratch.write(name ?? "\(id)-\(version).json", Array(text.utf8))
    }

    private func resolve(
        host: SemanticVersion? = nil, _ architecture: Manifest.Architecture? = nil
    ) throws -> DirectoryResolution {
        try DirectoryResolution.resolve(
            scratch.path, hostVersion: host, architecture: architecture)
    }

    /// The reason why a file is not chosen.
    private func reason(_ file: String, in found: DirectoryResolution) throws -> String {
        let entry = found.json["rejected"]?.array?.first {
            $0["file"]?.string == scratch.path(file)
        }
        return try #require(entry?["reason"]?.string, "\(file) is not among the rejected")
    }

    // MARK: - The shape

    @Test func `the JSON has the names that scripts rely on, and dependencies come first`() throws {
        write("app", "1.0.0", #", "dependencies": {"lib": "^1.2"}"#)
        write("lib", "1.2.0")
        write("lib", "1.1.0")
        let json = try resolve().json
        #expect(
            json["chosen"] == [
                ["id": "app", "version": "1.0.0", "file": .string(scratch.path("app-1.0.0.json"))],
                ["id": "lib", "version": "1.2.0", "file": .string(scratch.path("lib-1.2.0.json"))],
            ])
        let rejected = try #require(json["rejected"]?.array)
        #expect(rejected.count == 1)
        #expect(
            rejected[0].object.map { $0.keys.map(\.self) } == ["id", "version", "file", "reason"])
        #expect(rejected[0]["id"] == "lib")
        #expect(rejected[0]["version"] == "1.1.0")
        #expect(rejected[0]["file"]?.string == scratch.path("lib-1.1.0.json"))
        #expect(json["order"] == ["lib", "app"])
        #expect(json["layers"] == [["lib"], ["app"]])
        #expect(json["invalid"] == [])
    }

    @Test func `an empty directory has empty lists, and a line for people`() throws {
        scratch.write("README.md", [])
        scratch.write(".hidden.json", [])
        let found = try resolve()
        #expect(found.json["chosen"] == [])
        #expect(found.json["rejected"] == [])
        #expect(found.json["order"] == [])
        #expect(!found.hasInvalidFiles)
        #expect(found.text == "\(scratch.path): no plugin (*.so) and no manifest (*.json) there")
    }

    @Test func `the order in which files came to be changes no byte`() throws {
        let files: [(String, String, String)] = [
            ("a", "1.0.0", #", "dependencies": {"shared": "^1"}"#),
            ("b", "1.0.0", #", "dependencies": {"shared": "^2"}"#),
            ("shared", "1.0.0", ""), ("shared", "2.0.0", ""),
            ("gz", "1.0.0", #", "provides": {"codec": "2"}"#),
            ("zip", "1.0.0", #", "provides": {"codec": "2"}, "dependencies": {"codec": "3"}"#),
        ]
        for file in files { write(file.0, file.1, file.2) }
        let before = try resolve()
        for file in files {
            unlink(scratch.path("\(file.0)-\(file.1).json"))
        }
        for file in files.reversed() { write(file.0, file.1, file.2) }
        let after = try resolve()
        #expect(after.json.serialized() == before.json.serialized())
        #expect(after.text == before.text)
    }

    // MARK: - For people

    @Test func `what loads is shown layer by layer, and nothing else if nothing is left out`()
        throws
    {
        write("app", "1.0.0", #", "dependencies": {"lib": "^1"}"#)
        write("cache", "10.0.0")
        write("lib", "1.2.0", as: "any name.json")
        #expect(
            try resolve(host: SemanticVersion(0, 1, 0), .x86_64).text == """
                3 plugins can be loaded (x86_64, host 0.1.0, ABI 1.0):
                  first
                    cache 10.0.0  cache-10.0.0.json
                    lib 1.2.0     any name.json
                  then
                    app 1.0.0     app-1.0.0.json
                """)
    }

    @Test func `what is left out has its proof and what to change, older versions only a count`()
        throws
    {
        write("app", "1.0.0", #", "dependencies": {"lib": "^1.5"}"#)
        for version in ["1.0.0", "1.1.0", "1.4.0"] { write("lib", version) }
        let text = try resolve().text
        #expect(text.contains("1 of 2 plugins can be loaded"))
        #expect(text.contains("\napp is left out:\n  "))
        #expect(text.contains("\n  To change that: upgrade lib to 1.5.0 or later"))
        #expect(text.hasSuffix("\n\n2 older versions are not chosen."))
        #expect(!text.contains("1.1.0-"))
        let reason = try reason("app-1.0.0.json", in: resolve())
        #expect(reason.contains("lib ^1.5.0") && reason.contains("upgrade lib to 1.5.0"))
    }

    @Test func `of newer versions the newest says why it is not chosen`() throws {
        write("app", "1.0.0", #", "dependencies": {"lib": "^1"}"#)
        for version in ["1.0.0", "2.0.0", "3.0.0", "4.0.0"] { write("lib", version) }
        let text = try resolve().text
        #expect(text.contains("\nlib 4.0.0 is not chosen:\n  "))
        #expect(!text.contains("lib 3.0.0"))
        #expect(text.hasSuffix("\n2 other newer versions are not chosen either."))
    }

    @Test func `a file name cannot pretend to be another line`() throws {
        write("a", "1.0.0", as: "a.json\nall is well: x.json")
        scratch.write("b.json\n.json", [])
        let lines = try resolve().text.split(separator: "\n")
        #expect(!lines.contains { $0.hasPrefix("all is well") })
        #expect(lines.contains { $0.contains(#"a.json\u{A}all is well"#) })
    }

    // MARK: - This host or another

    @Test func `host, machine and permissions are reasons, and make no file invalid`() throws {
        write("abi", "1.0.0")
        write("later", "1.0.0", #", "host": ">=9""#)
        write("arm", "1.0.0", #", "arch": "aarch64""#)
        write("reads", "1.0.0", #", "permissions": {"read": ["/srv"]}"#)
        let here = try resolve(host: SemanticVersion(0, 1, 0), .x86_64)
        #expect(!here.hasInvalidFiles)
        #expect(here.json["order"] == ["abi"])
        #expect(try reason("later-1.0.0.json", in: here).contains("wants a host of version >=9"))
        #expect(try reason("arm-1.0.0.json", in: here).contains("built for aarch64"))
        let manifest = try Manifest.parse(
            Array(
                #"{"id": "a", "name": "a", "version": "1.0.0", "abi": "1.0", "permissions": {"read": ["/srv"]}}"#
                    .utf8))
        // The words are those of the running host.
        let words = try #require(Requirements.missingPermission(manifest)).description
        #expect(words.contains("read /srv"))
        #expect(try reason("reads-1.0.0.json", in: here).contains(words))
        let there = try resolve(host: SemanticVersion(9, 0, 0), .aarch64)
        #expect(there.json["order"] == ["abi", "arm", "later"])
    }

    @Test func `a library is read, and its machine is the one of its ELF header`() throws {
        let fixture = CompiledFixtures.all["plugin.so"]
        scratch.write("here.so", fixture)
        let here = try resolve()
        #expect(here.json["chosen"]?.array?.map { $0["id"]?.string } == ["sample"])

        var foreign = fixture
        let isX86 = ELFArchitecture.host.machine == ELFArchitecture.x86_64
        foreign[18] = isX86 ? 183 : 62  // e_machine: gABI, "Machine Information"
        scratch.write("here.so", foreign)
        let reason = try reason("here.so", in: resolve())
        #expect(reason.contains(isX86 ? "built for aarch64" : "built for x86_64"))
        let there = try resolve(isX86 ? .aarch64 : .x86_64)
        #expect(there.json["order"] == ["sample"])
        foreign[18] = 243  // RISC-V, which no manifest can name
        scratch.write("here.so", foreign)
        let other = try resolve()
        #expect(try self.reason("here.so", in: other).contains("ELF machine 243"))
        #expect(!other.hasInvalidFiles)
    }

    // MARK: - Bad files

    @Test(
        arguments: [
            (#"hello"#, nil, nil, "not JSON at line 1, column 1"),
            (#"{"id": "a", "id": "b"}"#, nil, nil, #"duplicate key "id""#),
            (#"[]"#, nil, nil, "found an array"),
            (
                #"{"id": "a", "name": "a", "version": "1.x", "abi": "1.0"}"#, "a", nil,
                #"version: found invalid version "1.x""#
            ),
            (
                #"{"id": "a", "name": "a", "version": "1.0", "abi": "1.0"}"#, "a", nil, "version"
            ),
            (
                #"{"id": "A", "name": "a", "version": "1.2.3", "abi": "1.0"}"#, nil, "1.2.3",
                #"id: found "A""#
            ),
            (
                #"{"id": "a", "name": "a", "version": "1.2.3", "abi": "1.0", "dependencies": {"b": "^^1"}}"#,
                "a", "1.2.3", #"dependencies.b: found invalid version range "^^1""#
            ),
            (
                #"{"id": "a", "name": "a", "version": "1.2.3", "abi": "1.0", "dependencies": {"a": "*"}}"#,
                "a", "1.2.3", "dependencies.a: found the plugin's own id"
            ),
            (
                #"{"id": "a", "name": "a", "version": "1.2.3", "abi": "1.0", "configuration": {"type": "nothing"}}"#,
                "a", "1.2.3", "configuration schema"
            ),
        ] as [(String, String?, String?, String)])
    func `an invalid manifest is named with field and value, and the rest is chosen all the same`(
        text: String, id: String?, version: String?, words: String
    ) throws {
        write("good", "1.0.0")
        scratch.write("bad.json", Array(text.utf8))
        let found = try resolve()
        #expect(found.hasInvalidFiles)
        #expect(found.json["order"] == ["good"])
        let entry = try #require(found.json["rejected"]?[0])
        #expect(entry["id"]?.string == id)
        #expect(entry["version"]?.string == version)
        let reason = try reason("bad.json", in: found)
        #expect(reason.hasPrefix("bad.json: ") && reason.contains(words), "\(reason)")
        #expect(found.json["invalid"] == [.string(scratch.path("bad.json"))])
        #expect(found.text.contains("1 file is invalid:\n  bad.json: "))
    }

    @Test func `what is no regular file, or far too large, is refused by name and not waited for`()
        throws
    {
        mkdir(scratch.path("directory.json"), 0o755)
        mkfifo(scratch.path("fifo.json"), 0o600)
        symlink("nowhere", scratch.path("link.json"))
        symlink("loop.so", scratch.path("loop.so"))
        symlink("/dev/zero", scratch.path("zero.so"))
        scratch.write("empty.json", [])
        scratch.write("large.json", Array(repeating: 0x20, count: 10_000_000))
        scratch.write("text.so", Array("hello".utf8))
        let found = try resolve()
        for (file, words) in [
            ("directory.json", "a directory"), ("fifo.json", "a FIFO"),
            ("link.json", "a symbolic link to nothing"), ("loop.so", "leads back to itself"),
            ("zero.so", "a character device"), ("empty.json", "empty"),
            ("large.json", "10000000 bytes: at most 65536"), ("text.so", "not an ELF file"),
        ] {
            let reason = try reason(file, in: found)
            #expect(reason.hasPrefix("\(file): ") && reason.contains(words), "\(reason)")
            #expect(!reason.contains(scratch.path))
        }
        #expect(found.json["rejected"]?.array?.allSatisfy { $0["id"]?.isNull == true } == true)
    }

    @Test func `an empty manifest is to be written, and a value of the wrong type is shown`() throws
    {
        scratch.write("empty.json", [])
        scratch.write(
            "bad.json", Array(#"{"id": "a", "name": "a", "version": 1.5, "abi": "1.0"}"#.utf8))
        let found = try resolve()
        #expect(
            try reason("empty.json", in: found)
                == "empty.json: the file is empty; write a manifest into it, or remove it")
        #expect(
            try reason("bad.json", in: found)
                == "bad.json: manifest: version: found the number 1.5, expected a semantic version such "
                + "as \"1.0.0\"")
    }

    @Test func `what is wrong with a plugin itself is one line, and a newer prerelease says so`()
        throws
    {
        write("arm", "1.0.0", #", "arch": "aarch64""#)
        write("pre", "1.0.0")
        write("pre", "2.0.0-beta")
        #expect(
            try resolve(host: SemanticVersion(0, 1, 0), .x86_64).text == """
                1 of 2 plugins can be loaded (x86_64, host 0.1.0, ABI 1.0):
                  first
                    pre 1.0.0  pre-1.0.0.json

                arm: it was built for aarch64, this host is x86_64
                  To change that: install arm built for x86_64.

                pre 2.0.0-beta is not chosen:
                  pre 1.0.0 is chosen: 2.0.0-beta is a prerelease, taken only if no release will do; remove \
                the releases of pre to have it.
                """)
    }

    @Test func `two files of one version are both named`() throws {
        write("a", "1.0.0", as: "x.json")
        write("a", "1.0.0", as: "y.json")
        let found = try resolve()
        #expect(found.json["chosen"]?[0]?["file"]?.string == scratch.path("x.json"))
        #expect(found.json["rejected"]?[0]?["file"]?.string == scratch.path("y.json"))
        #expect(
            found.json["rejected"]?[0]?["reason"]?.string
                == "a 1.0.0 is also in x.json, which is chosen; remove one of the two files, or give one "
                + "another version.")
        let line = found.text.split(separator: "\n").first { $0.contains("y.json") }
        #expect(line?.contains("x.json") == true && line?.contains("a 1.0.0") == true)
        #expect(!found.hasInvalidFiles)
    }

    @Test func `a manifest beside its library is not read, and a note says so`() throws {
        scratch.write("lib.so", CompiledFixtures.all["plugin.so"])
        scratch.write("lib.nocturne.json", Array("not even JSON".utf8))
        write("alone", "1.0.0", as: "alone.nocturne.json")
        let found = try resolve()
        #expect(found.json["order"] == ["alone", "sample"])
        #expect(!found.hasInvalidFiles)
        let notes = found.json["notes"]?.array?.compactMap(\.string) ?? []
        #expect(notes.count == 1)
        #expect(notes.first?.hasPrefix("lib.nocturne.json was not read") == true)
    }

    @Test(arguments: ["/nonexistent/directory", "/dev/null"])
    func `what is no directory is bad data, and named`(path: String) {
        let error = #expect(throws: PluginError.self) { try DirectoryResolution.resolve(path) }
        #expect(error?.exitStatus == 65)
        #expect(error?.description.hasPrefix(path) == true)
    }
}
