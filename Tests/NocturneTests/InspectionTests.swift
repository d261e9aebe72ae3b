// InspectionTests.swift — what `inspect` says of files that no host should load.

import Glibc
import Nocturne
import Testing

@Suite(.enabled(if: folder != nil, "NOCTURNE_FIXTURES names no folder of built fixtures"))
struct InspectionTests {
    @Test func `a library that is not on this machine is named, with the way out`() throws {
        let inspection = try Self.inspect("missing-library")
        let reasons = inspection.json["reasons"]?.array?.compactMap(\.string) ?? []
        let reason = try #require(reasons.first)
        #expect(reasons.count == 1)
        #expect(reason.contains("libnocturne-nowhere.so.1") && reason.contains("statically"))
        #expect(!inspection.isLoadableHere)
    }

    @Test func `a library of the system is found`() throws {
        let inspection = try Self.inspect("crash-call")
        #expect(inspection.json["needed"]?.array?.contains("libc.so.6") == true)
        #expect(inspection.isLoadableHere)
    }

    @Test func `what is no plugin's file is bad data, and named`() {
        for path in ["/dev/null", "/", "/nowhere.so", "/etc/passwd"] {
            let error = #expect(throws: PluginError.self) { try PluginInspection.inspect(path) }
            #expect(error?.exitStatus == 65)
            #expect(error?.description.hasPrefix(path + ":") == true)
        }
    }

    private static func inspect(_ name: String) throws -> PluginInspection {
        try PluginInspection.inspect("\(try #require(folder))/\(name).so")
    }
}

private let folder = getenv("NOCTURNE_FIXTURES").map { String(cString: $0) }
