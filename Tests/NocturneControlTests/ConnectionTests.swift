// ConnectionTests.swift — connections that are slow, that go away, and that are open when the
// server ends.

import NIOCore
import NIOEmbedded
import NIOPosix
import NocturneCore
import NocturneHost
import TestKit
import Testing

@testable import NocturneControl

@Suite struct ConnectionTests {
    @Test(arguments: [
        "", "GET /hea", "GET /healthz HTTP/1.1\r\nHost: x\r\n",
        "POST /v1/tools/t/call HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{",
    ])
    func `half a request is given up after its time`(half: String) async throws {
        try await withServer(of: FakeHost(), requestLimit: .milliseconds(30)) { server, client in
            let path = client.socketPath
            let answer = try await blocking {
                let connection = try RawConnection(to: path)
                try connection.send(half)
                return connection.receive()  // Until the server closes.
            }
            #expect(answer == "")
        }
    }

    @Test func `the time for a request begins with the connection and ends with the request`()
        throws
    {
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish() }
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/x")).wait()
        let connection = Connection(channel, refusal: nil, requestLimit: .seconds(10))
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        connection.hasRequest()
        // The answer may take as long as it likes.
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
        // From the answer on, the next request has as much time.
        connection.hasAnswered()
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    // NIO ends the process if something is planned on a loop that has ended, in debug builds.
    @Test func `an answer that is done after its connection and its loop have ended plans nothing`()
        async throws
    {
        let directory = TemporaryDirectory()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel = try await ServerBootstrap(group: group)
            .bind(unixDomainSocketPath: directory.path + "/n.sock").get()
        let connection = Connection(channel, refusal: nil, requestLimit: .seconds(10))
        connection.hasRequest()
        try await channel.close().get()
        connection.hasClosed()
        try await group.shutdownGracefully()
        connection.hasAnswered()
    }

    @Test func `an answer always gives the next request its whole time`() throws {
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish() }
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/x")).wait()
        let connection = Connection(channel, refusal: nil, requestLimit: .seconds(10))
        channel.embeddedEventLoop.advanceTime(by: .seconds(6))
        connection.hasAnswered()
        channel.embeddedEventLoop.advanceTime(by: .seconds(6))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(4))
        #expect(!channel.isActive)
    }

    @Test func `a request that is no HTTP is answered with 400`() async throws {
        try await withServer(of: FakeHost()) { _, client in
            let path = client.socketPath
            let answer = try await blocking {
                let connection = try RawConnection(to: path)
                try connection.send("\u{1}\u{2}\u{3}\r\n\r\n")
                return connection.receive(until: "\r\n\r\n")
            }
            #expect(answer.hasPrefix("HTTP/1.1 400 "))
        }
    }

    @Test func `a header of 32 KiB is refused`() async throws {
        try await withServer(of: FakeHost()) { _, client in
            let path = client.socketPath
            let answer = try await blocking {
                let connection = try RawConnection(to: path)
                try? connection.send(
                    "GET /healthz HTTP/1.1\r\nHost: x\r\nX: "
                        + String(repeating: "x", count: 32 << 10) + "\r\n\r\n"
                )
                return connection.receive(until: "\r\n\r\n")
            }
            #expect(!answer.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func `a caller who goes away cancels its call`() async throws {
        let (steps, continuation) = AsyncStream.makeStream(of: String.self)
        let host = FakeHost { name, _, _ throws(CallError) in
            continuation.yield("called")
            // Ends only by cancellation.
            for await _ in AsyncStream.makeStream(of: Never.self).stream {}
            continuation.yield("cancelled")
            throw .cancelled("word-count", name: name)
        }
        try await withServer(of: host) { _, client in
            let connection = try RawConnection(to: client.socketPath)
            try connection.send(
                "POST /v1/tools/t/call HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            var step = steps.makeAsyncIterator()
            #expect(await step.next() == "called")
            connection.hangUp()
            #expect(await step.next() == "cancelled")
        }
    }

    @Test func `an event stream tells what happens, with ids, and first what happened since`()
        async throws
    {
        let host = FakeHost()
        host.events.publish(source: "plugins", name: "plugin:loaded", payload: [:])
        host.events.publish(source: "plugins", name: "plugin:enabled", payload: ["pluginId": "a"])
        try await withServer(of: host) { _, client in
            let events = try await blocking {
                var events: [ServerSentEvent] = []
                try client.follow("/v1/events?since=1&match=plugin:*") { event in
                    events.append(event)
                    if events.count == 1 {
                        host.events.publish(source: "plugins", name: "other", payload: [:])
                        host.events.publish(
                            source: "plugins", name: "plugin:disabled", payload: [:])
                    }
                    return events.count < 2
                }
                return events
            }
            #expect(events.map(\.id) == ["2", "4"])
            let names = try events.map { try JSONParser.parse($0.data)["name"] }
            #expect(names == ["plugin:enabled", "plugin:disabled"])
        }
    }

    @Test func `Last-Event-ID means the same as since`() async throws {
        let host = FakeHost()
        for _ in 0..<3 { host.events.publish(source: "plugins", name: "n", payload: [:]) }
        try await withServer(of: host) { _, client in
            let path = client.socketPath
            let answer = try await blocking {
                let connection = try RawConnection(to: path)
                try connection.send(
                    "GET /v1/events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 2\r\n\r\n")
                return connection.receive(until: "id: 3\n")
            }
            #expect(!answer.contains("id: 2\n"))
            #expect(answer.contains("id: 3\n"))
        }
    }

    @Test func `a caller who missed events is told how many`() async throws {
        let host = FakeHost()
        for _ in 0..<(EventBus.historyLimit + 10) {
            host.events.publish(source: "plugins", name: "n", payload: [:])
        }
        try await withServer(of: host) { _, client in
            let first = try await blocking {
                var first: ServerSentEvent?
                try client.follow("/v1/events?since=0") { event in
                    first = event
                    return false
                }
                return first
            }
            #expect(first == ServerSentEvent(id: nil, type: "gap", data: #"{"missed":10}"#))
        }
    }

    @Test func `a stream whose caller goes away leaves no listener`() async throws {
        let host = FakeHost()
        try await withServer(of: host) { server, client in
            let connection = try RawConnection(to: client.socketPath)
            try connection.send("GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
            let path = client.socketPath
            try await blocking { _ = connection.receive(until: "\r\n\r\n") }
            #expect(host.events.listenerCount == 1)
            connection.hangUp()
            // Each turn of the loop lets the server work; it ends because the listener does.
            while host.events.listenerCount > 0 {
                _ = try await blocking {
                    try ControlClient(socketPath: path).json("GET", "/healthz")
                }
            }
        }
    }

    @Test func `a stream ends in order when the server does`() async throws {
        let host = FakeHost()
        host.events.publish(source: "plugins", name: "n", payload: [:])
        let directory = TemporaryDirectory()
        let path = directory.path + "/n.sock"
        let server = try ControlServer(
            host: host, tasks: host.tasks(), metrics: host.metrics(), sessions: host.sessions(),
            socketPath: path)
        try await server.start()
        let (begun, continuation) = AsyncStream.makeStream(of: Void.self)
        async let count = blocking {
            var count = 0
            // Throws if the connection broke instead of ending.
            try ControlClient(socketPath: path).follow("/v1/events?since=0") { _ in
                count += 1
                continuation.yield()
                return true
            }
            return count
        }
        for await _ in begun { break }
        await server.shutdown(drain: .seconds(60))
        #expect(try await count == 1)
        #expect(server.connectionCount == 0)
        #expect(host.events.listenerCount == 0)
    }

    @Test func `a call in flight is answered when the server ends, a new one is not`() async throws
    {
        let gate = Gate(count: 2)
        let (called, continuation) = AsyncStream.makeStream(of: Void.self)
        let host = FakeHost { _, input, _ in
            continuation.yield()
            await gate.arrive()
            return input
        }
        let directory = TemporaryDirectory()
        let path = directory.path + "/n.sock"
        let server = try ControlServer(
            host: host, tasks: host.tasks(), metrics: host.metrics(), sessions: host.sessions(),
            socketPath: path)
        try await server.start()
        async let reply = blocking {
            try ControlClient(socketPath: path).json("POST", "/v1/tools/t/call", body: [7])
        }
        for await _ in called { break }
        async let ended: Void = server.shutdown(drain: .seconds(60))
        // The socket goes first.
        while true {
            let probe = try? RawConnection(to: path)
            guard probe != nil else { break }
            await Task.yield()
        }
        await gate.arrive()
        #expect(try await reply == [7])
        await ended
    }

    @Test func `a call that does not end is cut off when the server's time is over`() async throws {
        let (called, continuation) = AsyncStream.makeStream(of: Void.self)
        let host = FakeHost { name, _, _ throws(CallError) in
            continuation.yield()
            for await _ in AsyncStream.makeStream(of: Never.self).stream {}
            throw .cancelled("word-count", name: name)
        }
        let directory = TemporaryDirectory()
        let path = directory.path + "/n.sock"
        let server = try ControlServer(
            host: host, tasks: host.tasks(), metrics: host.metrics(), sessions: host.sessions(),
            socketPath: path)
        try await server.start()
        async let outcome = blocking {
            #expect(throws: ClientError.self) {
                try ControlClient(socketPath: path).send("POST", "/v1/tools/t/call")
            }
        }
        for await _ in called { break }
        await server.shutdown(drain: .milliseconds(10))
        #expect(server.connectionCount == 0)
        _ = try await outcome
    }

    @Test func `a log is followed without telling a record twice`() async throws {
        let record: JSONValue = [
            "time": 5, "level": "info", "message": "old", "fields": [:], "stream": "log",
        ]
        let host = FakeHost(log: [record])
        try await withServer(of: host) { _, client in
            let messages = try await blocking {
                var messages: [String?] = []
                try client.follow("/v1/plugins/word-count/logs?follow=1") { event in
                    messages.append((try? JSONParser.parse(event.data))?["message"]?.string)
                    if messages.count == 1 {
                        for id in ["other", "word-count"] {
                            host.events.publish(
                                source: "plugins", name: "plugin:log",
                                payload: [
                                    "pluginId": .string(id), "time": 6, "level": "info",
                                    "message": .string("from \(id)"), "fields": [:],
                                    "stream": "log",
                                ])
                        }
                    }
                    return messages.count < 2
                }
                return messages
            }
            #expect(messages == ["old", "from word-count"])
        }
    }

    @Test func `an event repeats a record if both say the same of the same time, and only once`() {
        let record: JSONValue = [
            "time": 1_000, "level": "info", "message": "tick", "fields": [:], "stream": "log",
        ]
        var overlap = LogOverlap([record])
        let repeated = overlap.includes(logged("tick", at: 1_000))
        let again = overlap.includes(logged("tick", at: 1_000))
        #expect(repeated)
        #expect(!again)
        var unrelated = LogOverlap([record])
        let later = unrelated.includes(logged("tick", at: 1_001))
        #expect(!later)
    }

    private func logged(_ message: String, at time: Int64) -> Event {
        Event(
            id: 1, timeMilliseconds: time + 70, source: "plugins", name: "plugin:log",
            payload: [
                "pluginId": "a", "time": JSONValue(time), "level": "info",
                "message": .string(message), "fields": [:], "stream": "log",
            ])
    }
}
