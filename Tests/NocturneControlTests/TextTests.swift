// TextTests.swift — errors as HTTP statuses, text that may be shown, escapes of URLs, and the API's
// own description.

import Hummingbird
import NocturneCore
import NocturneHost
import NocturneMetrics
import Testing

@testable import NocturneControl

@Suite struct TextTests {
    @Test func `each kind of error has the status that RFC 9110 gives it`() {
        let id: PluginID = "a"
        let expected: [(any ReportableError, Int)] = [
            (CallError.unknownTool(name: "t", kind: "tool"), 404),
            (PluginError("unknownPlugin", id, "?"), 404),
            (RequestError.unknownRoute(method: "GET", path: "/"), 404),
            (RequestError.wrongBody(expected: "x", found: "y"), 400),
            (CallError.invalidInput(id, name: "t", why: "?"), 422),
            (CallError.tooLarge(id, what: "the input", bytes: 2, limit: 1), 413),
            (RequestError.bodyTooLarge(limitBytes: 1), 413),
            (PluginError("nameTaken", id, "?"), 409),
            (CallError.wouldDeadlock(id, ring: ["a", "a"]), 409),
            (CallError.busy(id, waiting: 1), 429),
            (CallError.restarting(id, milliseconds: 1), 503),
            (CallError.gone(id, name: "t"), 503),
            (CallError.waitedTooLong(id, name: "t", milliseconds: 1), 503),
            (CallError.deadlineExceeded(id, name: "t", milliseconds: 1), 504),
            (CallError.crashed(id, name: "t", how: "?", retryable: false), 500),
            (PluginError("any", id, "?", exit: 70), 500),
            (MetricsError.notFound("metric", "m"), 404),
            (MetricsError.alertExists("a"), 409),
            (MetricsError.exporterFailed("e", "?"), 503),
            (RequestError.denied(callerUID: 1, hostUID: 2), 403),
        ]
        for (error, status) in expected {
            #expect(error.httpStatus.code == status, "\(error.code)")
        }
    }

    @Test func `an error document comes back as the same error`() {
        let error = CallError.busy("word-count", waiting: 256)
        let report = HostReport(errorDocument(error))
        #expect(report?.code == "busy")
        #expect(report?.message == error.description)
        #expect(report?.plugin == "word-count")
        #expect(report?.isRetryable == true)
        #expect(report?.exitStatus == 75)
    }

    @Test func `a host cannot make a command exit in just any way`() {
        for status: JSONValue in [0, 1, 127, -1, 1_000_000, "69", .null] {
            let json: JSONValue = ["error": ["code": "c", "message": "m", "exitStatus": status]]
            #expect(HostReport(json)?.exitStatus == 70)
        }
    }

    @Test func `text of plugins cannot steer a terminal`() {
        #expect(
            Printable.line("a\u{1B}[2J\r\n\u{9B}31m\u{202E}b")
                == #"a\u{1B}[2J\r\n\u{9B}31m\u{202E}b"#)
        #expect(Printable.block("a\n\tb\u{7}") == "a\n\tb" + #"\u{7}"#)
        #expect(Printable.line("Käse 🧀 e\u{301}") == "Käse 🧀 e\u{301}")
    }

    @Test func `JSON that is made safe means the same`() throws {
        let value: JSONValue = ["k\u{202E}": "\u{7F}\u{9B}31m\u{E0001}\u{2028}"]
        let safe = Printable.json("\(value)")
        #expect(safe.unicodeScalars.allSatisfy { !$0.isUnsafeToShow })
        #expect(try JSONParser.parse(safe) == value)
    }

    @Test func `percent escapes are read strictly`() {
        #expect(PercentEncoding.decode("a%3Ab%2fc") == "a:b/c")
        #expect(PercentEncoding.decode("%F0%9F%A7%80+") == "🧀+")
        for wrong in ["%", "%4", "%4g", "%FF", "a%C3"] {
            #expect(PercentEncoding.decode(wrong[...]) == nil)
        }
    }

    @Test func `every text comes back from its percent escapes`() {
        for text in ["", "a b", "büro:öffnen/?#&=%+", "\u{0}\n🧀", "-._~AZaz09"] {
            let encoded = PercentEncoding.encode(text)
            #expect(encoded.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
            #expect(PercentEncoding.decode(encoded[...]) == text)
        }
        #expect(PercentEncoding.encode("-._~AZaz09") == "-._~AZaz09")
    }

    @Test
    func `the API's description names every route, and every reference in it leads somewhere`() {
        let document = openAPIDocument(of: Endpoint.all)
        #expect(document["openapi"] == "3.1.0")
        for endpoint in Endpoint.all {
            let operation = document["paths"]?[endpoint.path]?[
                endpoint.method.rawValue.lowercased()]
            #expect(operation?["operationId"]?.string == endpoint.name)
            #expect(operation?["responses"]?["\(endpoint.success.code)"]?["description"] != nil)
        }
        #expect(Set(Endpoint.all.map(\.name)).count == Endpoint.all.count)
        let schemas = document["components"]?["schemas"]
        let references = Self.references(in: document)
        #expect(references.count > 10)
        for reference in references {
            let name = reference.split(separator: "/").last.map(String.init) ?? ""
            #expect(reference == "#/components/schemas/\(name)")
            #expect(schemas?[name] != nil, "\(reference)")
        }
    }

    private static func references(in json: JSONValue) -> [String] {
        switch json {
        case .array(let elements): elements.flatMap(references)
        case .object(let object):
            object.flatMap { key, value in
                key == "$ref" ? [value.string ?? "?"] : references(in: value)
            }
        default: []
        }
    }
}
