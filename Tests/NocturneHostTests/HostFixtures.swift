// HostFixtures.swift — the plugins of Tests/Fixtures, built once for a test run, and plugins made for one test.

import Glibc
import NocturneCore
import Synchronization
import Testing

@testable import NocturneHost

/// Compiled plugins.
enum Fixtures {
    /// The checkout.
    static let repository = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    private static let built: Result<String, BuildFailed> = {
        var path = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = path.withUnsafeMutableBytes { buffer in
            readlink("/proc/self/exe", buffer.baseAddress, buffer.count)
        }
        let executable = String(decoding: path.prefix(max(0, count)), as: UTF8.self)
        let products = "/" + executable.split(separator: "/").dropLast().joined(separator: "/")
        let directory = "\(products)/test-fixtures"
        return run(["/bin/sh", "\(repository)/Tests/Fixtures/build.sh", directory]).map { directory }
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
                "\(repository)/PluginSDK/C/include", "-I", "\(repository)/Sources/CWire/include", "-I",
                "\(repository)/Tests/Fixtures", file, "-o", path,
            ] + flags
        ).get()
    }

    /// A plugin with one tool of its own name that answers `{"build": BUILD, "pid": …}`, and whatever else the manifest says.
    static func simple(
        _ id: String, version: String = "1.0.0", build: String = "a", tool: String? = nil,
        manifest: String = "\"x-none\": 0", to path: String
    ) throws {
        let name = tool ?? id
        try compile(
            """
            #include "fixture.h"
            NOCTURNE_MANIFEST({ "id": "\(id)", "name": "\(id)", "version": "\(version)", "abi": "1.0",
                \(manifest), TOOL("\(name)") })
            HANDLER(tell) { answer(call, "{\\"build\\":\\"\(build)\\",\\"pid\\":%d}", (int)getpid()); }
            NOCTURNE_PLUGIN(NOCTURNE_TOOL("\(name)", tell))
            """, to: path)
    }

    static func run(_ command: [String]) -> Result<Void, BuildFailed> {
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        guard posix_spawn(&pid, command[0], nil, nil, arguments, environ) == 0 else {
            return .failure(BuildFailed(command: command, status: -1))
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status == 0 ? .success(()) : .failure(BuildFailed(command: command, status: status))
    }
}

/// The names in a directory, sorted.
func names(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

func readFile(_ path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "rb"), "cannot open \(path)")
    defer { fclose(file) }
    var bytes: [UInt8] = [], chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
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

func copyFile(_ source: String, to target: String) throws { try writeFile(readFile(source), to: target) }

/// The process's descriptors, and which of its memory mappings are shared with workers.
struct Holdings {
    let descriptors: Int
    let mappings: Int
    let residentBytes: Int

    static var now: Holdings {
        let descriptors = names(in: "/proc/self/fd").count
        let maps = (try? readFile("/proc/self/maps")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let mappings = maps.split(separator: "\n").count { $0.contains("memfd:nocturne-") }
        let statm = (try? readFile("/proc/self/statm")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let pages = statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return Holdings(
            descriptors: descriptors, mappings: mappings, residentBytes: pages * Int(getpagesize()))
    }
}

extension PluginID {
    /// An id in a test, where it is known to be right.
    static func of(_ text: String) -> PluginID {
        guard let id = PluginID(text) else { preconditionFailure("not an id: \(text)") }
        return id
    }
}
