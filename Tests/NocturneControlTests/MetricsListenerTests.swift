// MetricsListenerTests.swift — the TCP listener for metrics: what it serves, and what strangers cannot do to it.
// Next: PrometheusServerTests.swift.

import NocturneMetrics
import Synchronization
import TestKit
import Testing

@testable import NocturneControl

@Suite struct MetricsListenerTests {
    /// Runs a listener on a free port of the loopback address.
    private func withListener(
        requestLimit: Duration = .seconds(300), exchangeLimit: Duration = .seconds(300),
        render: @escaping @Sendable (ExportFormat) async -> [UInt8] = { Array("# \($0)\n".utf8) },
        _ body: (MetricsListener, Int) async throws -> Void
    ) async throws {
        let listener = try MetricsListener(
            address: "127.0.0.1:0", requestLimit: requestLimit, exchangeLimit: exchangeLimit,
            render: render)
        let port = try #require(try await listener.start())
        do {
            try await body(listener, port)
            await listener.shutdown()
        } catch {
            await listener.shutdown()
            throw error
        }
    }

    /// The whole answer to a request, until the server closes.
    private func answer(_ request: String, _ port: Int) async throws -> String {
        try await blocking {
            let connection = try RawConnection(port: port)
            try connection.send(request)
            return connection.receive()
        }
    }

    @Test(arguments: [
        ("", "# prometheus\n", "text/plain; version=0.0.4; charset=utf-8"),
        (
            "Accept: text/plain;q=0.5\r\nAccept: application/openmetrics-text;version=1.0.0\r\n",
            "# openMetrics\n", "application/openmetrics-text; version=1.0.0; charset=utf-8"
        ),
    ])
    func `metrics come in the format that the caller likes best`(
        headers: String, body: String, type: String
    ) async throws {
        try await withListener { _, port in
            let answer = try await answer(
                "GET /metrics HTTP/1.1\r\nHost: x\r\n\(headers)\r\n", port)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.lowercased().contains("\r\ncontent-type: \(type)\r\n"))
            #expect(answer.lowercased().contains("\r\nconnection: close\r\n"))
            #expect(answer.hasSuffix("\r\n\r\n\(body)"))
        }
    }

    @Test func `HEAD says how long the metrics would be, and does not send them`() async throws {
        try await withListener { _, port in
            let answer = try await answer("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", port)
            #expect(answer.lowercased().contains("content-length: 13\r\n"))
            #expect(answer.hasSuffix("\r\n\r\n"))
        }
    }

    @Test func `healthz says that the host answers`() async throws {
        try await withListener { _, port in
            let answer = try await answer("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", port)
            #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix(#"{"status":"ok"}"#))
        }
    }

    @Test(arguments: [
        ("POST /metrics", 405), ("DELETE /healthz", 405), ("GET /", 404), ("GET /v1/plugins", 404),
        ("GET /metrics/", 404), ("GET /openapi.json", 404), ("POST /v1/rescan", 404),
    ])
    func `nothing else is served`(line: String, status: Int) async throws {
        try await withListener { _, port in
            let body = "Content-Length: 2\r\n\r\n{}"
            let answer = try await answer("\(line) HTTP/1.1\r\nHost: x\r\n\(body)", port)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
            #expect(answer.lowercased().contains("allow: get, head") == (status == 405))
        }
    }

    @Test(arguments: ["", "GET /met", "GET /metrics HTTP/1.1\r\nHost: x\r\n"])
    func `half a request is given up after its time`(half: String) async throws {
        try await withListener(requestLimit: .milliseconds(30)) { _, port in
            let answer = try await answer(half, port)
            #expect(answer == "")
        }
    }

    private func eventually(_ what: String, _ isSo: () -> Bool) async throws {
        let limit = ContinuousClock.now + .seconds(20)
        while !isSo() {
            try #require(ContinuousClock.now < limit, "it did not happen in time that \(what)")
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test func `who does not read the answer is cut off`() async throws {
        // More than the kernel keeps for a connection: 6 MiB to read and 4 MiB to write by default.
        let body = [UInt8](repeating: 0x23, count: 64 << 20)
        try await withListener(exchangeLimit: .milliseconds(100), render: { _ in body }) {
            listener, port in
            let connection = try RawConnection(port: port)
            try connection.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            try await eventually("the connection is closed") { listener.connectionCount == 0 }
            let answer = try await blocking { connection.receive() }
            #expect(answer.utf8.count < body.count)
        }
    }

    @Test func `a header of 32 KiB is refused`() async throws {
        try await withListener { _, port in
            let answer = try await blocking {
                let connection = try RawConnection(port: port)
                let long = String(repeating: "x", count: 32 << 10)
                // It may be refused before all of it was sent.
                try? connection.send("GET /metrics HTTP/1.1\r\nHost: x\r\nX: \(long)\r\n\r\n")
                return connection.receive(until: "\r\n\r\n")
            }
            #expect(!answer.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func `one connection too many is closed, and the others go on`() async throws {
        try await withListener { _, port in
            let all = try (0..<MetricsListener.connectionLimit).map { _ in
                try RawConnection(port: port)
            }
            let extra = try RawConnection(port: port)
            let refused = try await blocking { extra.receive() }
            #expect(refused == "")
            for connection in all {
                try connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                let answer = try await blocking { connection.receive() }
                #expect(answer.hasPrefix("HTTP/1.1 200 "))
            }
        }
    }

    @Test func `callers are answered at the same time`() async throws {
        // Each rendering waits for the other.
        let (arrived, continuation) = AsyncStream.makeStream(of: Void.self)
        let count = Mutex(0)
        let render: @Sendable (ExportFormat) async -> [UInt8] = { _ in
            let isSecond = count.withLock { count in
                count += 1
                return count == 2
            }
            if isSecond { continuation.finish() }
            for await _ in arrived {}
            return [0x23]
        }
        try await withListener(render: render) { _, port in
            let request = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
            async let first = answer(request, port)
            async let second = answer(request, port)
            let answers = try await [first, second]
            #expect(answers.allSatisfy { $0.hasSuffix("\r\n\r\n#") })
        }
    }

    @Test func `an address that is taken is told, and may be free later`() async throws {
        try await withListener { _, port in
            let second = try MetricsListener(address: "127.0.0.1:\(port)") { _ in [] }
            let error = await #expect(throws: ListenError.self) { try await second.start() }
            #expect(error?.exitStatus == 75 && error?.isRetryable == true)
            #expect(
                "\(error.map { "\($0)" } ?? "")".contains(
                    "127.0.0.1:\(port): listen failed: Address"))
        }
    }

    @Test(arguments: [
        "", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1",
        "::1:9464", "[127.0.0.1]:1", "[::1]9464", "example.org:80", "127.0.0.1:9464 ",
        "\u{1B}[2J:1",
    ])
    func `what is no address is refused`(text: String) {
        let error = #expect(throws: ListenError.self) { try ListenAddress(text) }
        #expect(error == .invalidAddress(text))
        #expect("\(ListenError.invalidAddress(text))".contains("\u{1B}") == false)
    }

    @Test(arguments: ["127.0.0.1:9464", "[::1]:0", "0.0.0.0:65535", "[::]:1", "localhost:9464"])
    func `addresses are numeric, or this machine's own`(text: String) throws {
        #expect(try ListenAddress(text).text == text)
    }
}
