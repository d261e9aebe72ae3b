// ResponseReader.swift — reads one HTTP/1.1 response (RFC 9112) from a source of bytes, within
// bounds. Next: ServerSentEvents.swift.

/// Why bytes are no response.
enum ResponseError: Error, Hashable {
    /// The source ended first.
    case ended
    /// It breaks the grammar, or a limit.
    case malformed(String)
}

/// Reads one response. Its body is delimited by Content-Length, by chunks, or by the end of the
/// connection.
struct ResponseReader {
    /// Bytes of status line and header fields together.
    static let headLimit = 64 * 1024
    /// Bytes of a line that gives the size of a chunk.
    private static let lineLimit = 1_024

    private enum Framing {
        case none
        case length(Int)
        case chunks
        case untilEnd
    }

    private let source: () throws(ResponseError) -> [UInt8]
    private var buffer: ArraySlice<UInt8> = []
    private var framing = Framing.none
    private(set) var status = 0

    /// - Parameter source: gives the next bytes, none at the end; throws if it cannot.
    init(_ source: @escaping () throws(ResponseError) -> [UInt8]) { self.source = source }

    /// Reads up to the end of the header fields; informational responses (1xx) are skipped.
    mutating func readHead() throws(ResponseError) {
        repeat {
            var left = Self.headLimit
            try readStatusLine(&left)
            framing = .untilEnd
            while true {
                let line = try readLine(&left)
                guard !line.isEmpty else { break }
                try readField(line)
            }
        } while (100..<200).contains(status)
        if status == 204 || status == 304 { framing = .none }
    }

    /// The next bytes of the body, `nil` at its end.
    mutating func readBody() throws(ResponseError) -> ArraySlice<UInt8>? {
        switch framing {
        case .none: return nil
        case .untilEnd:
            if buffer.isEmpty { buffer = try source()[...] }
            defer { buffer = [] }
            return buffer.isEmpty ? nil : buffer
        case .length(let left):
            guard left > 0 else { return nil }
            let part = try take(upTo: left)
            framing = .length(left - part.count)
            return part
        case .chunks: return try readChunk()
        }
    }

    /// The whole body, of at most `limit` bytes.
    mutating func readWholeBody(limit: Int) throws(ResponseError) -> [UInt8] {
        var body: [UInt8] = []
        while let part = try readBody() {
            guard body.count + part.count <= limit else {
                throw .malformed("a body of more than \(limit) bytes")
            }
            body += part
        }
        return body
    }

    // MARK: - Grammar

    private mutating func readStatusLine(_ left: inout Int) throws(ResponseError) {
        let line = try readLine(&left)
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] == "HTTP/1.1" || parts[0] == "HTTP/1.0",
            parts[1].utf8.count == 3, let status = Int(parts[1]), (100...599).contains(status)
        else { throw .malformed("its first line is no HTTP status line") }
        self.status = status
    }

    private mutating func readField(_ line: String) throws(ResponseError) {
        guard let colon = line.firstIndex(of: ":") else {
            throw .malformed("a header field without a colon")
        }
        let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        switch line[..<colon].lowercased() {
        case "content-length":
            guard case .untilEnd = framing, let length = Int(value), length >= 0 else {
                throw .malformed("a Content-Length that cannot be")
            }
            framing = .length(length)
        case "transfer-encoding":
            guard case .untilEnd = framing, value.lowercased() == "chunked" else {
                throw .malformed("a Transfer-Encoding that was not asked for")
            }
            framing = .chunks
        default: break
        }
    }

    private var chunkLeft = 0
    private var isFirstChunk = true

    private mutating func readChunk() throws(ResponseError) -> ArraySlice<UInt8>? {
        var lineLeft = Self.lineLimit
        if chunkLeft == 0 {
            if !isFirstChunk {
                guard try readLine(&lineLeft).isEmpty else {
                    throw .malformed("a chunk without an end")
                }
            }
            isFirstChunk = false
            let size = try readLine(&lineLeft).prefix { $0 != ";" }
            guard let count = Int(size, radix: 16), count >= 0 else {
                throw .malformed("a chunk without a size")
            }
            guard count > 0 else {
                while !(try readLine(&lineLeft).isEmpty) {}  // Trailer fields tell us nothing.
                framing = .none
                return nil
            }
            chunkLeft = count
        }
        let part = try take(upTo: chunkLeft)
        chunkLeft -= part.count
        return part
    }

    private mutating func take(upTo count: Int) throws(ResponseError) -> ArraySlice<UInt8> {
        if buffer.isEmpty { try refill() }
        let part = buffer.prefix(count)
        buffer = buffer.dropFirst(part.count)
        return part
    }

    private mutating func refill() throws(ResponseError) {
        let bytes = try source()
        guard !bytes.isEmpty else { throw .ended }
        buffer = bytes[...]
    }

    /// A line without its end. `left` bytes may still come before the limit.
    private mutating func readLine(_ left: inout Int) throws(ResponseError) -> String {
        var line: [UInt8] = []
        while true {
            if buffer.isEmpty { try refill() }
            let part = buffer.prefix { $0 != 0x0A }
            line += part
            buffer = buffer.dropFirst(part.count)
            left -= part.count + 1
            guard left >= 0 else { throw .malformed("a head of more than \(Self.headLimit) bytes") }
            guard buffer.first == 0x0A else { continue }
            buffer = buffer.dropFirst()
            if line.last == 0x0D { line.removeLast() }
            return String(decoding: line, as: UTF8.self)
        }
    }
}
