// EmbeddingTests.swift — a program of one's own with the host in it, as the README shows it.

import Glibc
import NocturneCore
import NocturneMetrics
import Testing

@Suite struct EmbeddingTests {
    @Test func `the README's program serves a folder, calls a plugin and ends`() async throws {
        var template = Array("/tmp/nocturne-embed-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(
            decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { _ = system("rm -rf '\(folder)'") }
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let command =
            if let samples = getenv("NOCTURNE_SAMPLES") {
                "cp '\(String(cString: samples))/echo.so' '\(folder)/plugins/'"
            } else {
                "cc -shared -fPIC -I '\(root)/PluginSDK/C/include' '\(root)/SamplePlugins/echo/echo.c' "
                    + "-o '\(folder)/plugins/echo.so'"
            }
        mkdir("\(folder)/plugins", 0o755)
        try #require(system(command) == 0)

        let reply = try await embeddingExample(
            pluginsPath: "\(folder)/plugins", statePath: "\(folder)/state")

        #expect(reply == ["hello": 1])
    }

    @Test func `the README's program runs a task, and again in the same directory`() async throws {
        var template = Array("/tmp/nocturne-tasks-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(
            decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { _ = system("rm -rf '\(folder)'") }
        for _ in 1...2 { #expect(try await tasksExample(statePath: folder + "/state") == 10) }
    }

    @Test func `the README's program measures its work`() async throws {
        let metrics = try MetricsCollector()
        let p99 = try metricsExample(in: metrics)
        let text = metrics.export(.prometheus)
        await metrics.shutdown()
        // Number 990 of 1,000 is within the bounds that are told.
        #expect(p99?.bounds.contains(0.99) == true)
        #expect(text.contains("work_seconds_count 1000\n"))
        #expect(text.contains("work_done_total{kind=\"odd\"} 500\n"))
    }
}
