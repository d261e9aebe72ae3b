// MemoryBench.swift — what a worker and the host keep for themselves, and what they do when nothing happens.

import Glibc
import NocturneCore
import NocturneHost

struct MemoryBench {
    let isQuick: Bool

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

        let seconds = isQuick ? 3 : 20
        let tree = [getpid()] + workers
        let before = tree.map(Process.cpuTicks).reduce(0, +),
            wakesBefore = Process.voluntarySwitches(getpid())
        try await Task.sleep(for: .seconds(seconds))
        let ticks = tree.map(Process.cpuTicks).reduce(0, +) - before
        let wakes = Process.voluntarySwitches(getpid()) - wakesBefore
        let perSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
        Bench.report("idle.cpu", Double(ticks) / perSecond / Double(seconds) * 100, "%")
        Bench.report("idle.host.wake-ups", Double(wakes) / Double(seconds), "1/s")

        for index in 21...60 {
            try host.drop(
                try host.build(id: "bench-\(index)", version: "1.0.0"), as: "bench-\(index)")
        }
        for index in 21...60 { try await host.enabled(try PluginID("bench-\(index)")) }
        for index in 21...60 { _ = try await manager.call("bench-\(index)", ["n": 1]) }
        try await Task.sleep(for: .seconds(1))
        let sixty = Process.proportionalKilobytes(getpid())
        Bench.report("memory.host.per-plugin.pss", (sixty - twenty) / 40, "kB")
        await host.end()
    }
}

/// Reads /proc.
enum Process {
    static func proportionalKilobytes(_ pid: Int32) -> Double {
        sum(of: ["Pss:"], in: "/proc/\(pid)/smaps_rollup")
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

    static func voluntarySwitches(_ pid: Int32) -> Int {
        guard let directory = opendir("/proc/\(pid)/task") else { return 0 }
        defer { closedir(directory) }
        var total = 0
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard Int(name) != nil else { continue }
            total += Int(
                sum(of: ["voluntary_ctxt_switches:"], in: "/proc/\(pid)/task/\(name)/status"))
        }
        return total
    }

    private static func sum(of keys: [String], in path: String) -> Double {
        read(path).split(separator: "\n").reduce(0) { total, line in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count >= 2, keys.contains(String(words[0])) else { return total }
            return total + (Double(words[1]) ?? 0)
        }
    }

    private static func read(_ path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = Glibc.read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
