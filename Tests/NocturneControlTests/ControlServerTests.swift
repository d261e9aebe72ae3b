// ControlServerTests.swift — the API over a real socket: what is asked of the host, and what comes
// back.

import Glibc
import NocturneCore
import NocturneHost
import TestKit
import Testing

@testable import NocturneControl

@Suite struct ControlServerTests {
    private static var wordCount: PluginInfo {
        var info = PluginInfo(id: "word-count", status: .enabled)
        info.version = "1.2.0"
        return info
    }

    @Test func `a tool's input and result pass as they are`() async throws {
        let host = FakeHost { name, input, _ in ["tool": .string(name), "input": input] }
        try await withServer(of: host) { _, client in
            let reply = try await blocking {
                try client.send(
                    "POST", "/v1/tools/a%3Ab/call", body: Array(#"{"n":9007199254740993}"#.utf8))
            }
            #expect(
                String(decoding: reply, as: UTF8.self)
                    == #"{"tool":"a:b","input":{"n":9007199254740993}}"#)
        }
    }

    @Test func `no input means an empty object for a tool and null for a command`() async throws {
        try await withServer(of: FakeHost()) { _, client in
            let tool = try await blocking { try client.json("POST", "/v1/tools/t/call") }
            let command = try await blocking { try client.json("POST", "/v1/commands/c") }
            #expect(tool == [:])
            #expect(command == .null)
        }
    }

    @Test func `a deadline reaches the host, and one that is none is refused`() async throws {
        let host = FakeHost { _, _, options in
            options.deadlineMilliseconds.map { JSONValue($0) } ?? .null
        }
        try await withServer(of: host) { _, client in
            let deadline = try await blocking {
                try client.json("POST", "/v1/tools/t/call?deadline=250")
            }
            #expect(deadline == 250)
            for wrong in ["0", "-1", "soon", "1.5", ""] {
                let error = await refusal {
                    try client.send("POST", "/v1/tools/t/call?deadline=\(wrong)")
                }
                #expect(error?.code == "invalidParameter")
                #expect(error?.exitStatus == 64)
            }
        }
    }

    @Test func `the graph has nodes and edges`() async throws {
        try await withServer(of: FakeHost(plugins: [Self.wordCount])) { _, client in
            let graph = try await blocking { try client.json("GET", "/v1/graph") }
            let node: JSONValue = ["id": "word-count", "version": "1.2.0", "status": "enabled"]
            #expect(graph == ["nodes": [node], "edges": []])
        }
    }

    @Test func `every change asks the host for just that change`() async throws {
        let host = FakeHost(plugins: [Self.wordCount])
        try await withServer(of: host) { _, client in
            try await blocking {
                for verb in ["enable", "disable", "reload", "rollback"] {
                    let info = try client.json("POST", "/v1/plugins/word-count/\(verb)")
                    #expect(info["version"] == "1.2.0")
                }
                let configuration = "/v1/plugins/word-count/configuration"
                _ = try client.json("PATCH", configuration, body: ["a": 1])
                _ = try client.json("PUT", configuration, body: ["b": 2])
                _ = try client.json("POST", "/v1/plugins", body: ["path": "/x.so"])
                _ = try client.json("POST", "/v1/plugins", body: ["path": "/y.so", "id": "y"])
                #expect(try client.json("DELETE", "/v1/plugins/word-count") == .null)
                #expect(try client.json("POST", "/v1/rescan") == .null)
            }
        }
        #expect(
            host.changes == [
                "enable word-count", "disable word-count", "reload word-count",
                "rollback word-count",
                #"merge {"a":1} word-count"#, #"replace {"b":2} word-count"#, "load - /x.so",
                "load y /y.so", "unload word-count", "rescan",
            ])
    }

    @Test func `changes take dependents along only if that is asked for, and plans change nothing`()
        async throws
    {
        let host = FakeHost(plugins: [Self.wordCount])
        try await withServer(of: host) { _, client in
            try await blocking {
                let route = "/v1/plugins/word-count"
                _ = try client.json("POST", "\(route)/reload?cascade=1")
                _ = try client.json("DELETE", "\(route)?cascade=true")
                _ = try client.json("POST", "\(route)/disable?cascade=0")
                let plan = try client.json("GET", "\(route)/plan")
                #expect(plan["steps"]?.array?.first?["action"] == "replace")
                let unload = try client.json("GET", "\(route)/plan?change=unload")
                #expect(unload["steps"]?.array?.first?["action"] == "stop")
                for wrong in ["POST \(route)/reload?cascade=maybe", "GET \(route)/plan?change=eat"]
                {
                    let parts = wrong.split(separator: " ").map(String.init)
                    #expect(throws: ClientError.self) { try client.send(parts[0], parts[1]) }
                }
            }
        }
        #expect(
            host.changes == [
                "reload with dependents word-count", "unload with dependents word-count",
                "disable word-count", "plan word-count", "plan word-count",
            ])
    }

    @Test
    func `plugins are listed by status, and an unknown status is refused with the known ones`()
        async throws
    {
        let host = FakeHost(plugins: [Self.wordCount, PluginInfo(id: "other", status: .failed)])
        try await withServer(of: host) { _, client in
            let failed = try await blocking { try client.json("GET", "/v1/plugins?status=failed") }
            #expect(failed.array?.map { $0["id"] } == ["other"])
            let error = await refusal { try client.send("GET", "/v1/plugins?status=broken") }
            #expect(error?.message.contains("enabled, disabled") == true)
        }
    }

    @Test(arguments: [
        ("GET", "/v1/plugins/nobody", "", "unknownPlugin", 65),
        ("GET", "/v1/plugins/No", "", "invalidParameter", 64),
        ("GET", "/v1/plugins/%zz", "", "invalidParameter", 64),
        ("GET", "/v1/plugins?stauts=failed", "", "invalidParameter", 64),
        ("GET", "/v1/nothing", "", "unknownRoute", 64),
        ("POST", "/v1/tools", "", "unknownRoute", 64),
        ("POST", "/v1/tasks//cancel", "", "unknownRoute", 64),
        ("GET", "/v1/tasks/", "", "unknownRoute", 64),
        ("POST", "/v1/tools/t/call", "{", "notJSON", 65),
        ("POST", "/v1/plugins", "[]", "wrongBody", 65),
        ("POST", "/v1/plugins", #"{"path":"relative.so"}"#, "wrongBody", 65),
        ("POST", "/v1/plugins", #"{"path":"/x.so","id":"Bad"}"#, "wrongBody", 65),
        ("POST", "/v1/plugins", #"{"path":"/x.so","force":true}"#, "wrongBody", 65),
        ("PATCH", "/v1/plugins/word-count/configuration", "3", "wrongBody", 65),
    ])
    func `a bad request is refused in words`(
        method: String, target: String, body: String, code: String, exitStatus: Int32
    ) async throws {
        try await withServer(of: FakeHost()) { _, client in
            let error = await refusal { try client.send(method, target, body: Array(body.utf8)) }
            #expect(error?.code == code)
            #expect(error?.exitStatus == exitStatus)
        }
    }

    @Test func `a body over the limit is refused, and the connection still serves`() async throws {
        try await withServer(of: FakeHost()) { _, client in
            let tooLarge = [UInt8](repeating: 0x20, count: ControlServer.bodyLimit + 1)
            let error = await refusal {
                try client.send("POST", "/v1/tools/t/call", body: tooLarge)
            }
            #expect(error?.code == "bodyTooLarge")
            #expect(error?.message.contains("\(ControlServer.bodyLimit) bytes") == true)
        }
    }

    @Test func `a body in chunks over the limit is refused too`() async throws {
        try await withServer(of: FakeHost()) { _, client in
            let path = client.socketPath
            let answer = try await blocking {
                let connection = try RawConnection(to: path)
                try connection.send(
                    "POST /v1/tools/t/call HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n")
                let chunk = "100000\r\n" + String(repeating: " ", count: 1 << 20) + "\r\n"
                for _ in 0..<17 { try connection.send(chunk) }
                try connection.send("0\r\n\r\n")
                return connection.receive()
            }
            #expect(answer.hasPrefix("HTTP/1.1 413 "))
        }
    }

    @Test func `a result of 16 MiB arrives whole`() async throws {
        let text = String(repeating: "x", count: (16 << 20) - 2)
        let host = FakeHost { _, _, _ in .string(text) }
        try await withServer(of: host) { _, client in
            let reply = try await blocking { try client.send("POST", "/v1/tools/t/call") }
            #expect(reply.count == 16 << 20)
        }
    }

    @Test func `calls run at the same time`() async throws {
        // Each waits for all others, so one after the other they would never end.
        let gate = Gate(count: 8)
        let host = FakeHost { _, input, _ in
            await gate.arrive()
            return input
        }
        try await withServer(of: host) { _, client in
            let replies = try await withThrowingTaskGroup(of: JSONValue.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        try await blocking {
                            try client.json("POST", "/v1/tools/t/call", body: JSONValue(number))
                        }
                    }
                }
                var replies: Set<JSONValue> = []
                for try await reply in group { replies.insert(reply) }
                return replies
            }
            #expect(replies == Set((0..<8).map { JSONValue($0) }))
        }
    }

    @Test func `one connection serves many requests`() async throws {
        try await withServer(of: FakeHost()) { _, client in
            let path = client.socketPath
            let answers = try await blocking {
                let connection = try RawConnection(to: path)
                return try (0..<3).map { _ in
                    try connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                    return connection.receive(until: #"{"status":"ok"}"#)
                }
            }
            #expect(answers.allSatisfy { $0.hasPrefix("HTTP/1.1 200 ") })
        }
    }

    @Test func `a caller who asks first whether to send a body is told to go on`() async throws {
        try await withServer(of: FakeHost()) { _, client in
            let path = client.socketPath
            let answer = try await blocking {
                let connection = try RawConnection(to: path)
                try connection.send(
                    "POST /v1/tools/t/call HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                        + "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
                let interim = connection.receive(until: "\r\n\r\n")
                try connection.send("true")
                return interim + connection.receive()
            }
            #expect(answer.hasPrefix("HTTP/1.1 100 "))
            #expect(answer.hasSuffix("true"))
        }
    }

    @Test func `a user who is neither the host's nor root is refused`() async throws {
        guard geteuid() == 0, access("/usr/bin/setpriv", X_OK) == 0 else { return }
        try await withServer(of: FakeHost()) { _, client in
            let path = client.socketPath
            // The file's mode alone keeps others out; opened on purpose, the kernel's word still
            // does.
            let directory = String(path.dropLast("/n.sock".count))
            #expect(chmod(directory, 0o755) == 0)
            #expect(chmod(path, 0o666) == 0)
            let answer = try await blocking { try asUser(65_534, get: "/healthz", from: path) }
            #expect(answer.hasPrefix("HTTP/1.1 403 "))
            #expect(answer.contains("user id 65534 may not control this host"))
        }
    }
}

/// Lets nobody pass before `count` have arrived.
actor Gate {
    private var missing: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(count: Int) { missing = count }

    func arrive() async {
        missing -= 1
        guard missing > 0 else {
            for continuation in waiting { continuation.resume() }
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }
}

/// Asks as another user, with util-linux's setpriv and perl, which Debian always has.
private func asUser(_ user: Int, get target: String, from path: String) throws -> String {
    let script = """
        use Socket; socket(S, PF_UNIX, SOCK_STREAM, 0) or die;
        connect(S, sockaddr_un($ARGV[0])) or die "connect: $!";
        select(S); $| = 1;
        print "GET $ARGV[1] HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n";
        select(STDOUT); print while <S>;
        """
    var pipe: [Int32] = [0, 0]
    guard
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &pipe)
            == 0
    else { throw RawError(errno: errno) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, pipe[1], 1)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let words = [
        "setpriv", "--reuid=\(user)", "--clear-groups", "perl", "-e", script, path, target,
    ]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var pid: pid_t = 0
    let failure = posix_spawn(&pid, "/usr/bin/setpriv", &actions, nil, &arguments, environ)
    close(pipe[1])
    defer { close(pipe[0]) }
    guard failure == 0 else { throw RawError(errno: failure) }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let count = read(pipe[0], &buffer, buffer.count), count > 0 {
        output += buffer[..<count]
    }
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    return String(decoding: output, as: UTF8.self)
}
