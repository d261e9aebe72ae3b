// HostProcess.swift — a host as a user starts it, on directories of its own. Next: HostProcessTests.swift.

import CLinux
import Glibc
import Nocturne
import NocturneCore
import TestKit
import Testing

/// A host in a process of its own, on temporary directories.
final class HostProcess {
    let root: String
    var plugins: String { root + "/plugins" }
    var state: String { root + "/state" }
    var socket: String { root + "/socket" }
    private(set) var pid: pid_t = 0
    private var isConfigured = false

    /// Runs on a thread of its own, because whoever waits for a process holds one.
    static func run(_ body: @escaping @Sendable (HostProcess) throws -> Void) async throws {
        try await blocking {
            let host = try HostProcess()
            defer { host.cleanUp() }
            try body(host)
        }
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

    /// What it is to be started with.
    func configure(_ configuration: JSONValue) throws {
        let file = try #require(fopen(root + "/config.json", "w"))
        defer { fclose(file) }
        fputs("\(configuration)", file)
        isConfigured = true
    }

    /// Starts it and waits until it listens.
    func start() throws {
        pid = try Program.start(
            ["run", "--plugins", plugins, "--state", state, "--socket", socket]
                + (isConfigured ? ["--config", root + "/config.json"] : []))
        try waitUntil("the host answers") {
            try Program.run(["list", "--socket", socket]).status == 0
        }
    }

    /// Starts it with its metrics on a TCP port that the system chooses, and returns that when it listens.
    func startWithMetrics() throws -> Int {
        let said = open(root + "/said", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(said) }
        pid = try Program.start(
            [
                "run", "--plugins", plugins, "--state", state, "--socket", socket, "--json",
                "--metrics-http", "127.0.0.1:0",
            ], saying: said)
        var port: Int64?
        try waitUntil("the host says that it is ready") {
            let lines = Program.contents(of: said).split(separator: "\n")
            let notices = try lines.map { try JSONParser.parse(String($0)) }
            port = notices.lazy.compactMap { $0["ready"]?["metricsPort"]?.int }.first
            return port != nil
        }
        return Int(try #require(port))
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
