// HostDirectoryTests.swift — what serves is what the directory holds, whatever is done to it.
// Next: DirectoryWatcher.swift.

import Glibc
import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct HostDirectoryTests {
    #if DEBUG
        /// Without the optimizer a thousand files take five times as long to read, and other tests share the two cores.
        private static let promise = Duration.seconds(8)
    #else
        /// Time from the last change until what serves is what the directory holds. 2 s, the promise of the host.
        private static let promise = Duration.seconds(2)
    #endif

    /// Version by id of all that serves: where calls of tools lead.
    private func serving(_ host: PluginManager) -> [String: String] {
        var found: [String: String] = [:]
        for tool in host.tools {
            let build = host.router.registry.entry(.tool, tool.name)?.generation.build
            found[tool.plugin.description] = build.map { "\($0.manifest.version)" }
        }
        return found
    }

    @Test
    func `a thousand files of a hundred ids within a second: the highest version of each serves`()
        async throws
    {
        try await HostHarness.run(isAlone: true) { harness in
            let host = harness.host
            var random = Seeded(state: 20)
            let files = (0..<1_000).map { (id: "p\($0 / 10)", version: $0 % 10 + 1) }
            for file in files {
                try Fixtures.simple(
                    file.id, version: "1.\(file.version).0", build: "\(file.version)",
                    to: "\(harness.root)/staging/\(file.id)-\(file.version)")
            }
            let begun = ContinuousClock.now
            for file in files.shuffled(using: &random) {
                let name = "\(file.id)-\(file.version)"
                rename("\(harness.root)/staging/\(name)", "\(harness.plugins)/\(name).so")
            }
            #expect(ContinuousClock.now - begun < .seconds(1))
            let expected = Dictionary(uniqueKeysWithValues: (0..<100).map { ("p\($0)", "1.10.0") })
            try await harness.eventually("the highest serve", within: Self.promise) {
                serving(host) == expected
            }
            for info in await host.plugins() {
                let id = try #require(info.id?.description)
                #expect(info.file == "\(harness.plugins)/\(id)-10.so" && info.files.count == 10)
                for file in info.files where file.path != info.file {
                    #expect(file.reason?.contains("1.10.0") == true, "\(file)")
                }
                #expect(try await host.call(id)["build"] == "10")
                #expect(info.generation == 1 || info.crashes == 0)
            }

            // The highest of every second id goes: the next one takes its place.
            for index in stride(from: 0, to: 100, by: 2) { harness.removeFile("p\(index)-10") }
            var fewer = expected
            for index in stride(from: 0, to: 100, by: 2) { fewer["p\(index)"] = "1.9.0" }
            try await harness.eventually("the next ones serve", within: Self.promise) {
                serving(host) == fewer
            }
            for index in 0..<1_000 { harness.removeFile("p\(index / 10)-\(index % 10 + 1)") }
            try await harness.eventually("nothing serves", within: Self.promise) {
                serving(host).isEmpty
            }
            try await harness.eventually("no process is left", within: Self.promise) {
                children(of: getpid(), named: "nocturne-worker").count <= 2
            }
        }
    }

    /// What a test believes that the directory holds: id and version by name.
    private struct Model {
        var files: [String: (id: String, version: Int)] = [:]
        var expected: [String: String] {
            Dictionary(grouping: files.values, by: \.id)
                .mapValues { "1.\($0.map(\.version).max() ?? 0).0" }
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `after any changes in any way what serves is what the directory holds`(
        _ seed: UInt64
    ) async throws {
        try await HostHarness.run { harness in
            let host = harness.host
            var random = Seeded(state: seed)
            var model = Model()
            var version = 0
            for round in 1...6 {
                for _ in 0..<Int.random(in: 1...25, using: &random) {
                    version += 1
                    try change(harness, &model, version, &random)
                }
                let expected = model.expected
                try await harness.eventually("round \(round): \(expected)", within: Self.promise) {
                    serving(host) == expected
                }
                for (id, version) in expected {
                    #expect(try await host.call(id)["build"] == .string(version))
                }
            }
            #expect(await host.plugins().allSatisfy { $0.crashes == 0 })
        }
    }

    /// One random change, and the same in the model. Versions are never used twice, so the highest is never in doubt.
    private func change(
        _ harness: HostHarness, _ model: inout Model, _ version: Int, _ random: inout Seeded
    ) throws {
        let name = "f\(Int.random(in: 0..<8, using: &random))"
        let id = "id\(Int.random(in: 0..<5, using: &random))"
        let target = "\(harness.plugins)/\(name).so"
        let number = "1.\(version).0"
        let bytes = try Fixtures.simpleBytes(id, version: number, build: number)
        let staged = "\(harness.root)/staging/v\(version)"
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1:  // renamed over it
            try writeFile(bytes, to: staged)
            rename(staged, target)
        case 2:  // written over in place; through a link, what it leads to
            try writeFile(bytes, to: target)
        case 3:  // a symbolic link swapped in
            try writeFile(bytes, to: staged)
            symlink(staged, "\(staged).link")
            rename("\(staged).link", target)
        case 4:  // renamed within
            let other = "f\(Int.random(in: 0..<8, using: &random))"
            guard let moved = model.files[name], other != name else { return }
            rename(target, "\(harness.plugins)/\(other).so")
            model.files[name] = nil
            model.files[other] = moved
            return
        default:
            unlink(target)
            model.files[name] = nil
            return
        }
        model.files[name] = (id, version)
    }

    @Test
    func `a copy over a file in place is a reload, and its process never sees the bytes change`()
        async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            let path = "\(harness.plugins)/over.so"
            try Fixtures.simple("over", version: "1.0.0", build: "0", to: path)
            try await harness.status("over", .enabled)
            for build in 1...10 {
                // As cp does: truncate, then write.
                try Fixtures.simple("over", version: "1.0.0", build: "\(build)", to: path)
                try await harness.eventually("build \(build) serves", within: Self.promise) {
                    let answer = try await host.call("over")["build"]
                    #expect(answer == .string("\(build - 1)") || answer == .string("\(build)"))
                    return answer == .string("\(build)")
                }
            }
            let info = try #require(await harness.info("over"))
            #expect(info.crashes == 0 && info.errors == 0)
        }
    }

    @Test func `a symbolic link that is swapped, and what it leads to, are followed`() async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            let (one, two) = ("\(harness.root)/staging/one.so", "\(harness.root)/staging/two.so")
            try Fixtures.simple("linked", build: "one", to: one)
            try Fixtures.simple("linked", build: "two", to: two)
            func point(to target: String) {
                symlink(target, "\(harness.plugins)/.next")
                rename("\(harness.plugins)/.next", "\(harness.plugins)/linked.so")
            }
            func serves(_ build: JSONValue) async throws {
                try await harness.eventually("\(build) serves", within: Self.promise) {
                    (try? await host.call("linked"))?["build"] == build
                }
            }
            point(to: one)
            try await serves("one")
            point(to: two)
            try await serves("two")
            // A link into another folder: what it leads to is replaced, and rewritten in place.
            try Fixtures.simple("linked", build: "three", to: "\(two).next")
            rename("\(two).next", two)
            try await serves("three")
            try Fixtures.simple("linked", build: "four", to: two)
            try await serves("four")
            // A link that leads nowhere is content gone bad, not a file gone: the latest good one serves on.
            unlink(two)
            try await harness.eventually("what it leads to is gone", within: Self.promise) {
                await harness.info("linked")?.files.first?.reason?.contains("link") == true
            }
            #expect(try await host.call("linked")["build"] == "four")
            point(to: one)
            try await serves("one")
        }
    }

    @Test func `the directory deleted, made again and exchanged is followed`() async throws {
        try await HostHarness.run(["counter", "slow"]) { harness in
            let host = harness.host
            HostHarness.remove(harness.plugins)
            try await harness.eventually("nothing serves", within: Self.promise) {
                serving(host).isEmpty
            }
            mkdir(harness.plugins, 0o755)
            try harness.drop("counter")
            try await harness.eventually("it serves again", within: Self.promise) {
                serving(host) == ["counter": "1.0.0"]
            }
            #expect(try await host.call("counter")["value"] == 1)

            // Deleted and made again before anybody looks.
            HostHarness.remove(harness.plugins)
            mkdir(harness.plugins, 0o755)
            try harness.drop("slow")
            try await harness.eventually("the new content serves", within: Self.promise) {
                serving(host) == ["slow": "1.0.0"]
            }

            // Another directory renamed into its place.
            mkdir("\(harness.root)/other", 0o755)
            try copyFile(try Fixtures.path("busy"), to: "\(harness.root)/other/busy.so")
            rename(harness.plugins, "\(harness.root)/old")
            rename("\(harness.root)/other", harness.plugins)
            try await harness.eventually("the other directory serves", within: Self.promise) {
                serving(host) == ["busy": "1.0.0"]
            }
            // And what happens in the one before is nobody's business any more.
            try copyFile(try Fixtures.path("fails"), to: "\(harness.root)/old/fails.so")
            try harness.drop("counter")
            try await harness.eventually("both serve", within: Self.promise) {
                serving(host) == ["busy": "1.0.0", "counter": "1.0.0"]
            }
        }
    }

    @Test func `a file that grows for two seconds is never half a plugin`() async throws {
        try await HostHarness.run { harness in
            let host = harness.host
            let path = "\(harness.plugins)/grows.so", fresh = "\(harness.plugins)/fresh.so"
            try Fixtures.simple("grows", build: "old", to: path)
            try await harness.status("grows", .enabled)
            let next = try Fixtures.simpleBytes("grows", version: "2.0.0", build: "new")
            let second = try Fixtures.simpleBytes("fresh")
            let steps = 100
            let files = try [(path, next), (fresh, second)].map { path, bytes in
                (try #require(fopen(path, "wb")), bytes)
            }
            for step in 0..<steps {
                for (file, bytes) in files {
                    let part = bytes[bytes.count * step / steps..<bytes.count * (step + 1) / steps]
                    #expect(fwrite(Array(part), 1, part.count, file) == part.count)
                    fflush(file)
                }
                #expect(try await host.call("grows")["build"] == "old")
                #expect(await harness.info("fresh")?.status != .enabled)
                try await Task.sleep(for: .milliseconds(20))
            }
            for (file, _) in files { fclose(file) }
            try await harness.eventually("both serve", within: Self.promise) {
                serving(host) == ["grows": "2.0.0", "fresh": "1.0.0"]
            }
            #expect(try await host.call("grows")["build"] == "new")
            #expect(await harness.info("grows")?.generation == 2)
            #expect(await host.plugins().allSatisfy { $0.crashes == 0 && $0.errors == 0 })
        }
    }
}

/// Random numbers that are the same in each run: SplitMix64.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// Process ids of all descendants of `parent` that run a program of this name.
func children(of parent: Int32, named name: String) -> [Int32] {
    var parents: [Int32: Int32] = [:]
    var programs: [Int32: String] = [:]
    for entry in names(in: "/proc") {
        guard let pid = Int32(entry), let bytes = try? readFile("/proc/\(pid)/stat") else {
            continue
        }
        // pid (comm) state ppid …; the name may hold anything, so look for its last parenthesis.
        let text = String(decoding: bytes, as: UTF8.self)
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")") else {
            continue
        }
        programs[pid] = String(text[text.index(after: open)..<close])
        let fields = text[text.index(after: close)...].split(separator: " ")
        parents[pid] = fields.count > 1 ? Int32(fields[1]) : nil
    }
    return programs.keys.filter { pid in
        // The kernel keeps 15 characters of a name: TASK_COMM_LEN of prctl(2).
        guard programs[pid] == String(name.prefix(15)) else { return false }
        var above = parents[pid]
        while let next = above, next > 1 {
            if next == parent { return true }
            above = parents[next]
        }
        return false
    }.sorted()
}
