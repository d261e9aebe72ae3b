// PrometheusServer.swift — a real Prometheus server, for those who are scraped. Next: RawConnection.swift.

import Glibc
package import NocturneCore
import Testing

/// A Prometheus server on the loopback address with its data in a directory of its own.
package final class PrometheusServer {
    /// Whether the program is there, or must be.
    package static var isWanted: Bool {
        if getenv("NOCTURNE_REQUIRE_VALIDATORS").map({ String(cString: $0) }) == "1" { return true }
        guard let pipe = popen("command -v prometheus", "r") else { return false }
        var line = [CChar](repeating: 0, count: 4_096)
        while fgets(&line, Int32(line.count), pipe) != nil {}
        return pclose(pipe) == 0
    }

    private let log: UnsafeMutablePointer<FILE>
    private let directory: String
    private let process: pid_t
    private let port: Int

    /// Starts one that scrapes jobs, named by their ports, five times a second.
    package init(scraping ports: [String: Int]) throws {
        var path = Array("/tmp/nprom-XXXXXX".utf8CString)
        try #require(mkdtemp(&path) != nil)
        directory = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var text = "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:\n"
        for (job, port) in ports {
            text += "- {job_name: \(job), static_configs: [{targets: ['127.0.0.1:\(port)']}]}\n"
        }
        let file = try #require(fopen("\(directory)/prometheus.yml", "w"))
        fputs(text, file)
        fclose(file)
        // The shell becomes the server, so its process is the server's.
        let command = """
            echo $$; exec prometheus --config.file='\(directory)/prometheus.yml' \
            --storage.tsdb.path='\(directory)/data' --web.listen-address=127.0.0.1:0 2>&1
            """
        log = try #require(popen(command, "r"))
        process = try #require(Self.line(of: log).flatMap { pid_t($0.dropLast()) })
        // It says where it listens: msg="Listening on" address=127.0.0.1:38421
        var port: Int?, said = ""
        while port == nil, let line = Self.line(of: log) {
            said += line
            guard line.contains("Listening on") else { continue }
            let address = line.split(separator: " ").first { $0.hasPrefix("address=") }
            port = address?.split(separator: ":").last.flatMap { Int($0.filter(\.isNumber)) }
        }
        self.port = try #require(port, "prometheus did not start:\n\(said)")
    }

    private static func line(of file: UnsafeMutablePointer<FILE>) -> String? {
        var line = [CChar](repeating: 0, count: 4_096)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        return line.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// Ends the server and removes what it wrote.
    package func stop() {
        kill(process, SIGTERM)
        // Until it has ended; its log must not fill the pipe.
        while Self.line(of: log) != nil {}
        pclose(log)
        if let pipe = popen("rm -rf '\(directory)'", "r") { pclose(pipe) }
    }

    /// The series that an expression has now: labels, and the value as it is in the API. None while the server starts.
    package func query(_ expression: String) throws -> [(labels: JSONObject, value: String)] {
        let connection = try RawConnection(port: port)
        let path = "/api/v1/query?query=\(Self.encoded(expression))"
        try connection.send("GET \(path) HTTP/1.0\r\nHost: localhost\r\n\r\n")
        let answer = connection.receive()
        // Until it has read its own data.
        if answer.contains(" 503 Service Unavailable\r\n") { return [] }
        let body = try #require(answer.firstRange(of: "\r\n\r\n")).upperBound
        let result = try #require(
            try JSONParser.parse(String(answer[body...]))["data"]?["result"]?.array)
        return try result.map { series in
            (try #require(series["metric"]?.object), try #require(series["value"]?[1]?.string))
        }
    }

    /// Every byte but letters and digits as its two hexadecimal digits (RFC 3986, section 2.1).
    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(UnicodeScalar(byte))
            if byte < 128, character.isLetter || character.isNumber { return String(character) }
            return (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
