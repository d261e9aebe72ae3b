// ResponseReaderTests.swift — responses and event streams in every portion, whole, broken and
// endless.

import Testing

@testable import NocturneControl

@Suite struct ResponseReaderTests {
    /// Reads `text`, given in portions of `size` bytes.
    private func read(_ text: String, by size: Int, limit: Int = 1000) throws(ResponseError) -> (
        Int, String
    ) {
        var rest = Array(text.utf8)[...]
        var reader = ResponseReader { () throws(ResponseError) in
            defer { rest = rest.dropFirst(size) }
            return Array(rest.prefix(size))
        }
        try reader.readHead()
        let body = try reader.readWholeBody(limit: limit)
        return (reader.status, String(decoding: body, as: UTF8.self))
    }

    @Test(arguments: [
        // RFC 9112 §6.2, §7.1 (with an extension and a trailer), §6.3 (until the connection ends,
        // no body).
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: v\r\n\r\n",
            200, "hello"
        ),
        ("HTTP/1.1 404 Not Found\r\n\r\nhello", 404, "hello"),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello", 200,
            "hello"
        ),
        ("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", 200, "hello"),
    ])
    func `a response reads the same in any portions`(text: String, status: Int, body: String) throws
    {
        for size in [1, 2, 3, 7, 1000] {
            let result = try read(text, by: size)
            #expect(result.0 == status)
            #expect(result.1 == body)
        }
    }

    @Test(arguments: [
        "", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ])
    func `a response that ends early has ended`(text: String) {
        #expect(throws: ResponseError.ended) { try read(text, by: 4) }
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 OK\r\n\r\n", "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + String(repeating: "x", count: 1001),
    ])
    func `what is no response is malformed`(text: String) {
        do throws(ResponseError) {
            _ = try read(text, by: 16)
            Issue.record("it was accepted")
        } catch {
            #expect(error != .ended)
        }
    }

    @Test func `a head without an end is given up at its limit`() {
        var given = 0
        var reader = ResponseReader {
            given += 1024
            return [UInt8](repeating: UInt8(ascii: "x"), count: 1024)
        }
        #expect(throws: ResponseError.self) { try reader.readHead() }
        #expect(given <= ResponseReader.headLimit + 2 * 1024)
    }

    // The examples of the HTML Living Standard, §9.2.6 "Interpreting an event stream".
    @Test(arguments: [
        (
            "data: YHOO\ndata: +2\ndata: 10\n\n",
            [ServerSentEvent(id: nil, type: "message", data: "YHOO\n+2\n10")]
        ),
        (
            ": test stream\n\ndata: first event\nid: 1\n\n"
                + "data:second event\nid\n\ndata:  third event\n\n",
            [
                ServerSentEvent(id: "1", type: "message", data: "first event"),
                ServerSentEvent(id: "", type: "message", data: "second event"),
                ServerSentEvent(id: "", type: "message", data: " third event"),
            ]
        ),
        (
            "data\n\ndata\ndata\n\ndata:",
            [
                ServerSentEvent(id: nil, type: "message", data: ""),
                ServerSentEvent(id: nil, type: "message", data: "\n"),
            ]
        ),
        (
            "event: add\r\ndata: 73857293\r\n\r\nevent: remove\rdata: 2153\r\r",
            [
                ServerSentEvent(id: nil, type: "add", data: "73857293"),
                ServerSentEvent(id: nil, type: "remove", data: "2153"),
            ]
        ),
    ])
    func `an event stream reads as its standard says, in any portions`(
        text: String, expected: [ServerSentEvent]
    ) throws {
        let bytes = Array(text.utf8)
        for size in [1, 2, 5, 1000] {
            var parser = ServerSentEventParser()
            var events: [ServerSentEvent] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                events += try parser.add(bytes[start..<min(start + size, bytes.count)])
            }
            #expect(events == expected)
        }
    }
}
