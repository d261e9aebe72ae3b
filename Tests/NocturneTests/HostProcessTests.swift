// HostProcessTests.swift — `nocturne-plugins run` as a process of its own: killed, started again, told to end, told
// to look.

import CLinux
import Glibc
import Nocturne
import Testing

@Suite(.serialized) struct HostProcessTests {
    @Test func `a host that is killed leaves no process behind, and the next start works at once`()
        async throws
    {
        try await HostProcess.run { host in
            try host.start()
            try host.drop("word-count-b.so")
            try host.drop("greeter.so")
            try host.waitUntil("both plugins serve") { try host.serving() == 2 }
            let family = Family.descendants(of: host.pid)
            // Two zygotes, two workers, two spares.
            #expect(family.count >= 4, "\(family)")

            host.signal(SIGKILL)
            #expect(host.end() == nil)  // by a signal
            try host.waitUntil("its processes are gone") {
                !family.contains(where: Family.isAlive)
            }

            try host.start()
            try host.waitUntil("both plugins serve again") { try host.serving() == 2 }
            let reply = try host.command("call", "count", #"{"text":"one two"}"#)
            #expect(reply.contains(#""words":2"#), "\(reply)")
            let graph = try host.command("graph")
            #expect(graph.contains("greeter 1.0.0, enabled\n"), "\(graph)")
        }
    }

    @Test func `the first SIGTERM ends in order, with all processes and the socket gone`()
        async throws
    {
        try await HostProcess.run { host in
            try host.start()
            try host.drop("word-count-b.so")
            try host.waitUntil("the plugin serves") { try host.serving() == 1 }
            let family = Family.descendants(of: host.pid)

            host.signal(SIGTERM)
            #expect(host.end() == 0)
            #expect(!family.contains(where: Family.isAlive))
            #expect(access(host.socket, F_OK) != 0)
        }
    }

    @Test func `one SIGTERM lets a call finish`() async throws {
        try await HostProcess.run { host in
            let caller = try host.startSlowCall(milliseconds: 700)
            host.signal(SIGTERM)
            #expect(Program.end(of: caller) == 0)
            #expect(host.end() == 0)
        }
    }

    @Test func `a second SIGTERM does not wait for a call that runs`() async throws {
        try await HostProcess.run { host in
            let caller = try host.startSlowCall(milliseconds: 9_000)
            let family = Family.descendants(of: host.pid)
            let start = clinux_now()
            host.signal(SIGTERM)
            // The kernel merges signals of one kind: the next must come when the first has been taken.
            while !host.hasEnded() {
                host.signal(SIGTERM)
                usleep(10_000)
            }
            // A call may take 2 s to finish when one asks once (DESIGN §7, drain).
            #expect(clinux_now() - start < 1_500_000_000)
            #expect(!family.contains(where: Family.isAlive))
            #expect(Program.end(of: caller) != 0)
        }
    }

    @Test func `SIGHUP has it look at the directory, and nothing else happens`() async throws {
        try await HostProcess.run { host in
            try host.start()
            try host.drop("word-count-b.so")
            try host.waitUntil("the plugin serves") { try host.serving() == 1 }
            let before = try host.command("info", "word-count", "--json")
            host.signal(SIGHUP)
            #expect(try host.command("call", "count", #"{"text":"a"}"#).contains(#""words":1"#))
            let after = try host.command("info", "word-count", "--json")
            let generations = try [before, after].map {
                try JSONParser.parse($0)["generation"]?.int
            }
            #expect(generations == [1, 1])
        }
    }

    @Test func `a second host on the same state is told whose it is, and exits 75`() async throws {
        try await HostProcess.run { host in
            try host.start()
            let second = try Program.run([
                "run", "--plugins", host.plugins, "--state", host.state, "--socket",
                host.socket + "2",
            ])
            #expect(second.status == 75)
            #expect(second.errors.contains("\(host.pid)"), "\(second.errors)")
        }
    }
}

/// What /proc knows of processes.
private enum Family {
    /// Its children, their children, and so on.
    static func descendants(of pid: pid_t) -> [pid_t] {
        // Each thread has the children that it started.
        let children = threads(of: pid).flatMap { thread in
            contents("/proc/\(pid)/task/\(thread)/children").split(separator: " ")
                .compactMap { pid_t($0) }
        }
        return children + children.flatMap(descendants)
    }

    private static func threads(of pid: pid_t) -> [String] {
        guard let directory = opendir("/proc/\(pid)/task") else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return names.filter { Int($0) != nil }
    }

    /// A zombie is dead: whoever inherited it has not looked yet.
    static func isAlive(_ pid: pid_t) -> Bool {
        let state = contents("/proc/\(pid)/stat").split(separator: ")").last?.first { $0 != " " }
        return state != nil && state != "Z" && state != "X"
    }

    private static func contents(_ path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
