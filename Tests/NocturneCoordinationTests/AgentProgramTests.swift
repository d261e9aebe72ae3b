// AgentProgramTests.swift — real programs as agents: those that work, and those that print garbage, hang, die or leave
// children behind. Next: SubprocessAgentTests.swift.

import Glibc
import NocturneCore
import Synchronization
import Testing

@testable import NocturneCoordination

@Suite(.timeLimit(.minutes(2)))
struct AgentProgramTests {
    /// A shell program that does `body` for each line, with the work's id in `$id`.
    private static func shell(_ body: String, first: String = "") -> [String] {
        [
            "-c",
            """
            \(first)
            say() { printf '{"type":"%s","id":"%s",%s}\\n' "$1" "$id" "$2"; }
            while IFS= read -r line; do
                id=${line#*'"id":"'}; id=${id%%'"'*}
                \(body)
            done
            """,
        ]
    }

    private func agent(
        _ body: String, first: String = "", grace: Duration = .milliseconds(300),
        passing: [String] = [], variables: [String: String] = [:],
        listener: @escaping AgentProgram.Listener = { _ in true }
    ) throws -> AgentProgram {
        let command = try AgentCommand(
            "/bin/sh", Self.shell(body, first: first), passing: passing, variables: variables)
        return AgentProgram(command, grace: grace, listener: listener)
    }

    private func request(
        timeout: Duration = .seconds(30), payload: JSONValue = .null
    ) -> WorkRequest {
        WorkRequest(
            session: "s", work: Work("w", text: "do it", payload: payload), attempt: 1,
            idempotencyKey: "key", timeout: timeout)
    }

    /// The failure of a work that fails.
    private func failure(
        _ agent: AgentProgram, _ id: Int, timeout: Duration = .seconds(30)
    ) async throws -> WorkFailure {
        try await #require(throws: WorkFailure.self) {
            try await agent.perform(request(timeout: timeout), as: id)
        }
    }

    /// Waits until a process is gone, zombies included.
    private func isGone(_ pid: Int32) async -> Bool {
        for _ in 0..<3_000 {
            if kill(pid, 0) != 0 { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    // MARK: - Programs that work

    @Test func `a program in any language answers works`() async throws {
        let agent = try agent(#"say result '"value":{"n":7},"usage":{"tokens":12}'"#)
        let answer = try await agent.perform(request(), as: 1)
        #expect(answer == WorkAnswer(["n": 7], usage: Usage(tokens: 12)))
        let first = agent.processID
        #expect(try await agent.perform(request(), as: 2).value == ["n": 7])
        #expect(agent.processID == first, "one process does all works")
        await agent.end()
        #expect(try await failure(agent, 3).kind == .interrupted)
    }

    @Test func `works are told apart by their ids, in whatever order answers come`() async throws {
        // Answers the first line only after the second one.
        let agent = try agent(
            """
            if [ -z "$held" ]; then held=$id; else
                say result '"value":2'; id=$held; say result '"value":1'; held=
            fi
            """)
        async let one = agent.perform(request(), as: 1)
        while agent.processID == nil { await Task.yield() }
        try await Task.sleep(for: .milliseconds(50))  // so that they are written in this order
        async let two = agent.perform(request(), as: 2)
        let values = try await [one.value, two.value]
        #expect(values == [1, 2])
        await agent.end()
    }

    @Test func `it says itself that it failed, or that nobody can do it`() async throws {
        let agent = try agent(
            #"""
            case $id in 1) say failed '"message":"no luck"' ;;
            2) say failed '"message":"nonsense","refused":true' ;;
            *) say result '"handOff":"no name!"' ;; esac
            """#)
        #expect(try await failure(agent, 1) == WorkFailure(.failed, "no luck"))
        #expect(try await failure(agent, 2) == WorkFailure(.refused, "nonsense"))
        #expect(try await failure(agent, 3).kind == .invalidAnswer)
        await agent.end()
    }

    // MARK: - Programs that do not

    @Test(arguments: [
        ("echo hello", "\"hello\", which is no JSON"), ("echo '[1]'", "expected an object"),
        (#"printf '{"type":"dance"}\n'"#, "dance"),
        ("head -c 1100000 /dev/zero | tr '\\0' x", "a line of more than 1048576 bytes"),
    ])
    func `what nobody understands fails the work, and the next one has a new process`(
        body: String, message: String
    ) async throws {
        let agent = try agent("if [ $id = 1 ]; then \(body); else say result '\"value\":1'; fi")
        let failure = try await failure(agent, 1)
        #expect(failure.kind == .invalidAnswer)
        #expect(failure.message.contains(message), "\(failure)")
        #expect(try await agent.perform(request(), as: 2).value == 1)
        await agent.end()
    }

    @Test func `one that dies says how, with the last of its complaints`() async throws {
        let agent = try agent(
            "if [ $id = 2 ]; then say result '\"value\":1'; else echo 'no key' >&2; exit 3; fi")
        #expect(
            try await failure(agent, 1) == WorkFailure(.crashed, "it ended with status 3: no key"))
        #expect(try await agent.perform(request(), as: 2).value == 1)
        let process = try #require(agent.processID)
        async let last = failure(agent, 3)
        #expect(try await last.kind == .crashed)
        #expect(await isGone(process))
        await agent.end()
    }

    @Test func `one that a signal kills says which`() async throws {
        let agent = try agent("kill -9 $$")
        #expect(try await failure(agent, 1) == WorkFailure(.crashed, "signal 9 killed it"))
        await agent.end()
    }

    @Test func `one that never answers is told to leave it, and killed if it does not`()
        async throws
    {
        let hanging = try agent("sleep 1000 & wait")
        let failure = try await failure(hanging, 1, timeout: .milliseconds(100))
        #expect(failure.kind == .timedOut)
        let process = try #require(hanging.processID)
        #expect(await isGone(process))
        await hanging.end()
    }

    @Test func `one that lets go of a work goes on with others`() async throws {
        let agent = try agent(
            """
            case $line in *'"type":"cancel"'*) say failed '"message":"left"' ;;
            *) [ $id = 1 ] || say result '"value":1' ;; esac
            """)
        let work = Task { try await agent.perform(request(), as: 1) }
        while agent.processID == nil { await Task.yield() }
        let process = agent.processID
        work.cancel()
        let error = await #expect(throws: WorkFailure.self) { try await work.value }
        #expect(error?.kind == .interrupted)
        try await Task.sleep(for: .milliseconds(600))  // longer than the grace
        #expect(try await agent.perform(request(), as: 2).value == 1)
        #expect(agent.processID == process)
        await agent.end()
    }

    @Test func `one that does not read is not waited for`() async throws {
        let agent = try agent("", first: "sleep 1000 & wait")
        let large = JSONValue(String(repeating: "x", count: ChildProcess.mostPendingBytes))
        let error = await #expect(throws: WorkFailure.self) {
            try await agent.perform(request(payload: large), as: 1)
        }
        #expect(error?.message == "it does not read what is written to it")
        await agent.end()
    }

    /// One goes when its input ends, the other has to be killed.
    @Test(arguments: ["", "; sleep 1000"])
    func `at its end nothing is left of it, nor of what it started`(more: String) async throws {
        let agent = try agent("sleep 1000 & say result \"\\\"value\\\":$!\"\(more)")
        let child = Int32(try await agent.perform(request(), as: 1).value.int ?? 0)
        let process = try #require(agent.processID)
        #expect(child > 1 && kill(child, 0) == 0)
        await agent.end()
        #expect(kill(process, 0) != 0, "it is reaped, and no zombie")
        // Whoever adopted the grandchild has to reap it.
        #expect(await isDead(child))
        #expect(agent.processID == nil)
    }

    private func isDead(_ pid: Int32) async -> Bool {
        for _ in 0..<3_000 {
            let status = open("/proc/\(pid)/stat", O_RDONLY)
            guard status >= 0 else { return true }
            var buffer = [UInt8](repeating: 0, count: 512)
            let count = read(status, &buffer, buffer.count)
            close(status)
            let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
            if text.isEmpty || text.contains(") Z ") { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    // MARK: - What it gets

    @Test func `it gets the variables that are allowed, and no others`() async throws {
        setenv("NOCTURNE_TEST_SECRET", "s3cret", 1)
        setenv("NOCTURNE_TEST_PASSED", "passed", 1)
        defer {
            unsetenv("NOCTURNE_TEST_SECRET")
            unsetenv("NOCTURNE_TEST_PASSED")
        }
        let agent = try agent(
            """
            say result "\\"value\\":\\"$NOCTURNE_TEST_SECRET,$NOCTURNE_TEST_PASSED,$MODE,${PATH:+path}\\""
            """, passing: ["NOCTURNE_TEST_PASSED"], variables: ["MODE": "fast"])
        #expect(try await agent.perform(request(), as: 1).value == ",passed,fast,path")
        await agent.end()
    }

    @Test func `it gets none of the host's descriptors`() async throws {
        let file = fcntl(STDERR_FILENO, F_DUPFD, 200)  // Not close-on-exec.
        defer { close(file) }
        let agent = try agent(
            #"if [ -e /proc/$$/fd/$LEAK ]; then say result '"value":1'; else say result '"value":0'; fi"#,
            variables: ["LEAK": "\(file)"])
        #expect(fcntl(file, F_GETFD) == 0)
        #expect(try await agent.perform(request(), as: 1).value == 0)
        await agent.end()
    }

    @Test func `only commands that the operator listed can be had`() throws {
        let listed = AgentCommands(["echo": try AgentCommand("/bin/cat")])
        #expect(try listed.command("echo").executable == "/bin/cat")
        let error = #expect(throws: AgentCommandError.self) { try listed.command("/bin/sh") }
        #expect(error == .unknown("/bin/sh", known: ["echo"]))
        #expect(throws: AgentCommandError.self) { try AgentCommand("cat") }
        #expect(throws: AgentCommandError.self) { try AgentCommand("/bin/cat", passing: ["A=B"]) }
        #expect(throws: AgentCommandError.self) { try AgentCommand("/bin/cat", ["a\u{0}b"]) }
    }

    @Test func `a command is read from the operator's file`() throws {
        let command = try AgentCommand(json: [
            "command": ["/usr/bin/env", "python3"], "pass": ["API_KEY"],
            "environment": ["MODE": "fast"],
        ])
        #expect(
            try command
                == AgentCommand(
                    "/usr/bin/env", ["python3"], passing: ["API_KEY"], variables: ["MODE": "fast"]))
        for wrong: JSONValue in [[:], ["command": []], ["command": ["/a", 1]], ["command": "/a"]] {
            #expect(throws: AgentCommandError.self) { try AgentCommand(json: wrong) }
        }
    }

    @Test func `a program that is not there is a failure, and says so`() async throws {
        let agent = AgentProgram(
            try AgentCommand("/nonexistent/agent"), grace: .zero
        ) { _ in true }
        let failure = try await failure(agent, 1)
        #expect(failure.kind == .crashed)
        #expect(failure.message.contains("/nonexistent/agent"))
        await agent.end()
    }

    // MARK: - Lines

    @Test func `lines come out whole however the bytes come in`() {
        let bytes = Array("one\ntwo\n\nthree".utf8)
        for size in 1...bytes.count {
            var buffer = LineBuffer(longest: 5)
            var lines: [LineBuffer.Line] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                lines += buffer.take(bytes[start..<min(start + size, bytes.count)])
            }
            #expect(lines == ["one", "two", ""].map { .complete(Array($0.utf8)) })
        }
    }

    @Test func `after a line that is too long nothing is believed`() {
        var buffer = LineBuffer(longest: 3)
        #expect(
            buffer.take(Array("abc\nabcd\nab\n".utf8)) == [.complete(Array("abc".utf8)), .tooLong])
        #expect(buffer.take(Array("ab\n".utf8)) == [])
    }
}
