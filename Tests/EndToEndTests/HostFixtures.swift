// HostFixtures.swift — the plugins of Tests/Fixtures, built once for a test run, and plugins made for one test.

import Glibc
import Testing

@testable import NocturneHost

/// Compiled plugins.
enum Fixtures {
    /// Given by `NOCTURNE_FIXTURES`, as when another user runs the tests; else built from the checkout.
    private static let built: Result<String, BuildFailed> = {
        if let given = getenv("NOCTURNE_FIXTURES") { return .success(String(cString: given)) }
        let repository = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let directory = "\(HostResources.ownDirectory())/test-fixtures"
        return run(["/bin/sh", "\(repository)/Tests/Fixtures/build.sh", directory])
            .map { directory }
    }()

    struct BuildFailed: Error { let command: [String], status: Int32 }

    /// Where they are, as `NAME.so`.
    static func directory() throws -> String { try built.get() }

    static func path(_ name: String) throws -> String { "\(try directory())/\(name).so" }

    /// Compiles a plugin from C text, as the fixtures are compiled.
    static func compile(_ source: String, to path: String, _ flags: [String] = []) throws {
        let file = "\(path).c"
        try writeFile(Array(source.utf8), to: file)
        defer { unlink(file) }
        try run(
            [
                "/usr/bin/env", "cc", "-O1", "-shared", "-fPIC", "-I",
                "\(directory())/include", file, "-o", path,
            ] + flags
        ).get()
    }

    /// A plugin with one tool, by default of its own name, that answers `{"build": BUILD, "pid": …}`; `manifest` are
    /// more members of its manifest.
    static func simple(
        _ id: String, version: String = "1.0.0", build: String = "a", tool: String? = nil,
        manifest: String? = nil, to path: String
    ) throws {
        try writeFile(
            simpleBytes(id, version: version, build: build, tool: tool, manifest: manifest),
            to: path)
    }

    /// The bytes of ``simple(_:version:build:tool:manifest:to:)``: the fixture "template" with other names
    /// written into it.
    static func simpleBytes(
        _ id: String, version: String = "1.0.0", build: String = "a", tool: String? = nil,
        manifest: String? = nil
    ) throws -> [UInt8] {
        let tool = tool ?? id
        let text =
            "{\"id\":\"\(id)\",\"name\":\"\(id)\",\"version\":\"\(version)\",\"abi\":\"1.0\","
            + "\"contributes\":{\"tools\":[{\"name\":\"\(tool)\"}]}\(manifest.map { ",\($0)" } ?? "")}"
        let template = try template.get()
        var bytes = template.bytes
        try replace(template.manifest, with: text, filler: 32, in: &bytes)
        try replace(template.tool, with: tool, filler: 0, in: &bytes)
        try replace(template.build, with: build, filler: 0, in: &bytes)
        return bytes
    }

    /// The fixture "template", and where what is written over lies in it.
    private struct Template {
        let bytes: [UInt8]
        let manifest: Range<Int>, tool: Range<Int>, build: Range<Int>
    }

    private static let template = Result { try readTemplate() }

    private static func readTemplate() throws -> Template {
        let bytes = try readFile(path("template"))
        func range(_ text: String, _ filler: UInt8) -> Range<Int> {
            guard let found = bytes.firstRange(of: Array(text.utf8)) else { return 0..<0 }
            return found.lowerBound..<bytes[found.upperBound...].prefix { $0 == filler }.endIndex
        }
        let manifest = range(
            #"{ "id": "template", "name": "template", "version": "1.0.0", "abi": "1.0", "#
                + #""contributes": { "tools": [ { "name": "template" } ] } }"#, 32)
        // Eight bytes and room follow each other nowhere else.
        let tool = range("template" + String(repeating: "\0", count: 32), 0)
        return Template(bytes: bytes, manifest: manifest, tool: tool, build: range("no build", 0))
    }

    private static func replace(
        _ range: Range<Int>, with text: String, filler: UInt8, in bytes: inout [UInt8]
    ) throws {
        let text = Array(text.utf8)
        try #require(text.count < range.count, "the template has too little room")
        bytes.replaceSubrange(
            range, with: text + [UInt8](repeating: filler, count: range.count - text.count))
    }

    static func run(_ command: [String]) -> Result<Void, BuildFailed> {
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        // Dispatch's threads block all signals, which a shell does not expect.
        var attributes = posix_spawnattr_t()
        var none = sigset_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var pid: pid_t = 0
        guard posix_spawn(&pid, command[0], nil, &attributes, arguments, environ) == 0 else {
            return .failure(BuildFailed(command: command, status: -1))
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status == 0 ? .success(()) : .failure(BuildFailed(command: command, status: status))
    }
}

struct CannotOpen: Error { let path: String }

func readFile(_ path: String) throws -> [UInt8] {
    guard let file = fopen(path, "rb") else { throw CannotOpen(path: path) }
    defer { fclose(file) }
    var bytes: [UInt8] = [], chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
        bytes += chunk[..<count]
    }
    return bytes
}

/// Writes over what is there, in place, as `cp` does.
func writeFile(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o755)
    try #require(descriptor >= 0, "cannot create \(path)")
    defer { close(descriptor) }
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        try #require(count > 0)
        rest = rest.dropFirst(count)
    }
}

func copyFile(_ source: String, to target: String) throws {
    try writeFile(readFile(source), to: target)
}

/// What a directory holds, sorted; nothing if it cannot be read.
func names(in path: String) -> [String] {
    ((try? DirectoryListing.names(in: path)) ?? []).sorted()
}

/// The process's descriptors, and which of its memory mappings are shared with workers.
struct Holdings {
    let descriptors: Int
    let mappings: Int
    let residentBytes: Int

    static var now: Holdings {
        let descriptors = names(in: "/proc/self/fd").count
        let maps =
            (try? readFile("/proc/self/maps")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let mappings = maps.split(separator: "\n").count { $0.contains("memfd:nocturne-") }
        let statm =
            (try? readFile("/proc/self/statm")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let pages = statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return Holdings(
            descriptors: descriptors, mappings: mappings, residentBytes: pages * Int(getpagesize()))
    }
}
