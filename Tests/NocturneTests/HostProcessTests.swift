// HostProcessTests.swift — `nocturne-plugins run` as a process of its own: killed, started again, told to end, told
// to look.

import CLinux
import Glibc
import Nocturne
import Testing

@Suite(.serialized) struct HostProcessTests {
    @Test func `a host that is killed leaves no process behind, and the next start works at once`()
        throws
    {
        try HostProcess.run { host in
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

    @Test func `the first SIGTERM ends in order, with all processes and the socket gone`() throws {
        try HostProcess.run { host in
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

    @Test func `one SIGTERM lets a call finish`() throws {
        try HostProcess.run { host in
            let caller = try host.startSlowCall(milliseconds: 700)
            host.signal(SIGTERM)
            #expect(Program.end(of: caller) == 0)
            #expect(host.end() == 0)
        }
    }

    @Test func `a second SIGTERM does not wait for a call that runs`() throws {
        try HostProcess.run { host in
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

    @Test func `SIGHUP has it look at the directory, and nothing else happens`() throws {
        try HostProcess.run { host in
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

    @Test func `a second host on the same state is told whose it is, and exits 75`() throws {
        try HostProcess.run { host in
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

/// A host in a process of its own, on temporary directories.
private final class HostProcess {
    let root: String
    var plugins: String { root + "/plugins" }
    var state: String { root + "/state" }
    var socket: String { root + "/socket" }
    private(set) var pid: pid_t = 0

    static func run(_ body: (HostProcess) throws -> Void) throws {
        let host = try HostProcess()
        defer { host.cleanUp() }
        try body(host)
    }

    private init() throws {
        var template = Array("/tmp/nproc-XXXXXX".utf8CString)
        root = String(cString: try #require(mkdtemp(&template)))
        chmod(root, 0o711)  // workers have user ids of their own
        mkdir(plugins, 0o755)
    }

    private func cleanUp() {
        if pid != 0 {
            signal(SIGKILL)
            _ = end()
        }
        _ = try? Program.system("/bin/rm", ["-rf", root])
    }

    /// Starts it and waits until it listens.
    func start() throws {
        pid = try Program.start([
            "run", "--plugins", plugins, "--state", state, "--socket", socket,
        ])
        try waitUntil("the host answers") {
            try Program.run(["list", "--socket", socket]).status == 0
        }
    }

    func signal(_ number: Int32) { _ = kill(pid, number) }

    /// Waits for its end. Returns its exit status, `nil` if a signal ended it.
    func end() -> Int32? {
        defer { pid = 0 }
        return Program.end(of: pid)
    }

    /// Whether it has ended; then ``end()`` has been done.
    func hasEnded() -> Bool {
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return false }
        pid = 0
        return true
    }

    /// Starts the host and a call that takes so long; returns the caller when the call runs.
    func startSlowCall(milliseconds: Int) throws -> pid_t {
        try start()
        try drop("slow.so")
        try waitUntil("the plugin serves") { try serving() == 1 }
        let caller = try Program.start([
            "call", "slow", "{\"n\":\(milliseconds)}", "--socket", socket,
        ])
        // It runs when its plugin, which takes one call at a time, has no place for another.
        try waitUntil("the call runs") {
            try Program.run([
                "call", "slow", #"{"n":0}"#, "--deadline", "20", "--socket", socket,
            ]).status == 75
        }
        return caller
    }

    /// Puts a sample or a fixture into the directory.
    func drop(_ name: String) throws {
        let folders = [getenv("NOCTURNE_SAMPLES"), getenv("NOCTURNE_FIXTURES")].compactMap { $0 }
            .map { String(cString: $0) }
        let path = try #require(
            folders.map { "\($0)/\(name)" }.first(where: Self.isReadable),
            "\(name) is not in \(folders); Scripts/test builds it and says where")
        #expect(try Program.system("/bin/cp", [path, "\(root)/\(name)"]) == 0)
        #expect(rename("\(root)/\(name)", "\(plugins)/\(name)") == 0)
    }

    private static func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }

    func command(_ words: String...) throws -> String {
        let result = try Program.run(words + ["--socket", socket])
        #expect(result.status == 0, "\(words): \(result.errors)")
        return result.output
    }

    /// Plugins that are enabled.
    func serving() throws -> Int {
        try JSONParser.parse(try command("list", "--status", "enabled", "--json")).array?.count
            ?? 0
    }

    /// Looks again and again, for 10 s at most.
    func waitUntil(_ what: Comment, _ condition: () throws -> Bool) throws {
        let limit = clinux_now() + 10_000_000_000
        while try !condition() {
            try #require(clinux_now() < limit, what)
            usleep(10_000)
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
