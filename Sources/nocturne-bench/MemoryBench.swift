// MemoryBench.swift — what a worker and the host keep for themselves, and what they do when nothing happens.

import Glibc
import NocturneCore
import NocturneHost

struct MemoryBench {
    let isQuick: Bool
    /// The pool's threads and the timers of what was just done last 5 s.
    private static let settling = Duration.seconds(6)

    func run() async throws {
        let host = try await BenchHost()
        let manager = host.manager
        let empty = Process.proportionalKilobytes(getpid())
        Bench.report("memory.host.empty.pss", empty, "kB")
        for index in 1...20 {
            try host.drop(
                try host.build(id: "bench-\(index)", version: "1.0.0"), as: "bench-\(index)")
        }
        for index in 1...20 { try await host.enabled(try PluginID("bench-\(index)")) }
        for index in 1...20 { _ = try await manager.call("bench-\(index)", ["n": 1]) }
        try await Task.sleep(for: .seconds(1))
        let twenty = Process.proportionalKilobytes(getpid())
        Bench.report("memory.host.20-plugins.pss", twenty, "kB")
        let workers = await manager.plugins().compactMap(\.pid)
        let kept = workers.map(Process.privateKilobytes).sorted()
        Bench.report("memory.worker.c.private.p50", kept[kept.count / 2], "kB")
        Bench.report("memory.worker.c.private.max", kept[kept.count - 1], "kB")

        try await swiftWorker(host)
        try await idle([getpid()] + workers, seconds: isQuick ? 3 : 20)

        let before = Process.grownKilobytes(getpid())
        for index in 21...60 {
            try host.drop(
                try host.build(id: "bench-\(index)", version: "1.0.0"), as: "bench-\(index)")
        }
        for index in 21...60 { try await host.enabled(try PluginID("bench-\(index)")) }
        for index in 21...60 { _ = try await manager.call("bench-\(index)", ["n": 1]) }
        try await Task.sleep(for: Self.settling)
        let after = Process.grownKilobytes(getpid())
        Bench.report("memory.host.per-plugin.pss", (after - before) / 40, "kB")
        await host.end()
    }

    /// The sample greeter, after it has worked.
    private func swiftWorker(_ host: BenchHost) async throws {
        let greeter = ".build/samples/greeter.so"
        guard host.run("cp \(greeter) '\(host.root)/built/greeter.so'") == 0 else {
            throw BenchError("no \(greeter): run `Scripts/build-samples .build/samples` first")
        }
        try host.drop("\(host.root)/built/greeter.so", as: "greeter")
        try await host.enabled("greeter")
        for _ in 0..<20 { _ = try await host.manager.call("greet", ["name": "Ada"]) }
        let pid = await host.manager.plugin("greeter")?.pid ?? 0
        Bench.report("memory.worker.swift.private", Process.privateKilobytes(pid), "kB")
    }

    /// What the whole tree does when nothing happens.
    private func idle(_ tree: [Int32], seconds: Int) async throws {
        try await Task.sleep(for: Self.settling)
        let ticksBefore = tree.map(Process.cpuTicks).reduce(0, +)
        let switchesBefore = Process.voluntarySwitches(getpid())
        try await Task.sleep(for: .seconds(seconds))
        let ticks = tree.map(Process.cpuTicks).reduce(0, +) - ticksBefore
        let wakes = Process.voluntarySwitches(getpid()).reduce(0) { total, thread in
            total + thread.value - (switchesBefore[thread.key] ?? 0)
        }
        let perSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
        Bench.report("idle.cpu", Double(ticks) / perSecond / Double(seconds) * 100, "%")
        // libdispatch's own timer wakes once a second.
        Bench.report("idle.host.wake-ups", Double(wakes) / Double(seconds), "1/s", floor: 1)
    }
}

/// Reads /proc.
enum Process {
    static func proportionalKilobytes(_ pid: Int32) -> Double {
        sum(of: ["Pss:"], in: "/proc/\(pid)/smaps_rollup")
    }

    /// The same without files: the share of a program's text depends on who else runs it, and no plugin adds to it.
    static func grownKilobytes(_ pid: Int32) -> Double {
        sum(of: ["Pss_Anon:", "Pss_Shmem:"], in: "/proc/\(pid)/smaps_rollup")
    }

    static func privateKilobytes(_ pid: Int32) -> Double {
        sum(of: ["Private_Clean:", "Private_Dirty:"], in: "/proc/\(pid)/smaps_rollup")
    }

    /// Ticks of processor time of all threads.
    static func cpuTicks(_ pid: Int32) -> Int {
        // The second field is a name in parentheses and may hold spaces.
        let fields =
            read("/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : 0
    }

    /// How often each thread has gone to sleep, by its number.
    static func voluntarySwitches(_ pid: Int32) -> [Int: Int] {
        guard let directory = opendir("/proc/\(pid)/task") else { return [:] }
        defer { closedir(directory) }
        var found: [Int: Int] = [:]
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let thread = Int(name) else { continue }
            found[thread] = Int(
                sum(of: ["voluntary_ctxt_switches:"], in: "/proc/\(pid)/task/\(name)/status"))
        }
        return found
    }

    private static func sum(of keys: [String], in path: String) -> Double {
        read(path).split(separator: "\n").reduce(0) { total, line in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count >= 2, keys.contains(String(words[0])) else { return total }
            return total + (Double(words[1]) ?? 0)
        }
    }

    static func read(_ path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = Glibc.read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
