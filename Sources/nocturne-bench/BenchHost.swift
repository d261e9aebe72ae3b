// BenchHost.swift — a host on temporary directories, and plugins built for it with cc.

import Glibc
import NocturneCore
import NocturneHost

/// A running host, which ``end()`` removes without a trace.
struct BenchHost {
    let root: String
    let manager: PluginManager

    init() async throws {
        var template = Array("/tmp/nocturne-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw BenchError("no temporary directory") }
        root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        for name in ["plugins", "built"] { mkdir("\(root)/\(name)", 0o755) }
        manager = try PluginManager(
            configuration: PluginManagerConfiguration(
                pluginsPath: "\(root)/plugins", statePath: "\(root)/state"))
        try await manager.start()
    }

    func end() async {
        await manager.shutdown()
        run("rm -rf '\(root)'")
    }

    /// Builds Benchmarks/plugins/bench.c. Returns the path of the result.
    func build(
        id: String, version: String, label: String = "a", concurrency: Int = 1, state: Bool = false
    ) throws -> String {
        let path = "\(root)/built/\(id)-\(version)-\(label).so"
        let defines = [
            ("ID", id), ("VERSION", version), ("LABEL", label), ("CONCURRENCY", "\(concurrency)"),
            ("STATE", "\(state)"),
        ].map { "'-D\($0)=\"\($1)\"'" }.joined(separator: " ")
        let command =
            "cc -O2 -shared -fPIC -I PluginSDK/C/include \(defines) Benchmarks/plugins/bench.c -o '\(path)'"
        guard run(command) == 0 else {
            throw BenchError("cc failed: run it in the checkout's root")
        }
        return path
    }

    /// Renames a copy of `file` into the watched directory.
    func drop(_ file: String, as name: String) throws {
        try prepare(file)
        rename("\(file).copy", "\(root)/plugins/\(name).so")
    }

    func prepare(_ file: String) throws {
        guard run("cp '\(file)' '\(file).copy'") == 0 else { throw BenchError("cp failed") }
    }

    /// Waits until a plugin serves.
    func enabled(_ id: PluginID) async throws {
        for _ in 0..<1_000 {
            if await manager.plugin(id)?.status == .enabled { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw BenchError("\(id) does not serve: \(await manager.plugin(id)?.reason ?? "unknown")")
    }

    @discardableResult
    func run(_ command: String) -> Int32 { system(command) }
}

struct BenchError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
