// AlertFileTests.swift — alerts over restarts: what goes on, what begins anew, and files that are damaged.

import Glibc
import NocturneCore
import Testing

@testable import NocturneMetrics

@Suite struct AlertFileTests {
    // MARK: - What a restart means

    @Test func `what fires goes on firing and is not told again`() throws {
        var run = try AlertRun(.errors(for: 20))
        for second in [0, 10, 20] { run.at(second, 101) }
        let activeAt = run.book.statuses.first?.groups.first?.activeAt
        try run.restart(at: 25, awayFor: 100_000)
        #expect(run.state == .firing)
        #expect(run.at(0, 101) == [])
        #expect(run.book.statuses.first?.groups.first?.activeAt == activeAt)
        #expect(run.at(10, 1) == [.resolved])
        #expect(run.told.count == 2)
    }

    @Test func `pending goes on where it was, and the time away does not count`() throws {
        var run = try AlertRun(.errors(for: 60))
        for second in [0, 10, 20, 30] { run.at(second, 101) }
        let activeAt = run.book.statuses.first?.groups.first?.activeAt
        try run.restart(at: 35, awayFor: 3_600)
        #expect(run.state == .pending)
        #expect(run.book.statuses.first?.groups.first?.activeAt == activeAt)
        #expect(run.at(24, 101) == [])
        #expect(run.at(25, 101) == [.triggered])
    }

    @Test func `after more than an hour away, pending begins anew`() throws {
        var run = try AlertRun(.errors(for: 60))
        for second in [0, 30] { run.at(second, 101) }
        try run.restart(at: 30, awayFor: 3_601)
        #expect(run.state == .inactive)
        #expect(run.at(0, 101) == [])
        #expect(run.at(59, 101) == [])
        #expect(run.at(60, 101) == [.triggered])
    }

    @Test func `a wall clock that was set back counts as a short time away`() throws {
        var run = try AlertRun(.errors(for: 60))
        for second in [0, 30] { run.at(second, 101) }
        try run.restart(at: 30, awayFor: -1_000_000)
        #expect(run.at(29, 101) == [])
        #expect(run.at(30, 101) == [.triggered])
    }

    @Test func `metrics have five minutes to come back, and not a moment more`() throws {
        for end in [290, 300] {
            var run = try AlertRun(.errors())
            run.at(0, 101)
            try run.restart(at: 10, awayFor: 1)
            for second in stride(from: 0, to: end, by: 10) { #expect(run.at(second, nil) == []) }
            #expect(run.at(end, nil) == (end < 300 ? [] : [.resolved]))
        }
        // Once they were back, no data means what the rule says.
        var run = try AlertRun(.errors())
        run.at(0, 101)
        try run.restart(at: 10, awayFor: 1)
        #expect(run.at(0, nil) == [])
        #expect(run.at(10, 101) == [])
        #expect(run.at(20, nil) == [.resolved])
    }

    @Test func `what keeps firing keeps counting`() throws {
        var run = try AlertRun(.errors { $0.keepFiringFor = .seconds(60) })
        run.at(0, 101)
        run.at(10, 1)
        try run.restart(at: 40, awayFor: 500)
        #expect(run.at(29, 1) == [])
        #expect(run.at(30, 1) == [.resolved])
    }

    @Test func `silences, groups, events that are due and switches survive`() throws {
        var run = try AlertRun(
            .errors { $0.by = ["path"] }, .errors(name: "off") { $0.enabled = false })
        run.at(0, paths: ["/a": 101, "/b": 101])
        try run.book.silence("high-error-rate", until: run.wall(100))
        run.at(10, paths: ["/a": 1, "/b": 101, "/c": 101])
        let before = run.book.statuses.map(\.json)
        try run.restart(at: 20, awayFor: 10)
        #expect(run.book.statuses.map(\.json) == before)
        run.at(0, paths: ["/a": 1, "/b": 101, "/c": 101])
        #expect(run.told.count == 2)
        // A hundred seconds after the first beginning.
        #expect(run.at(70, paths: ["/a": 1, "/b": 101, "/c": 101]) == [.resolved, .triggered])
        #expect(run.told.map { $0.group["path"] } == ["/a", "/b", "/a", "/c"])
    }

    @Test func `rules of the configuration file come from there`() throws {
        var run = try AlertRun()
        let rules = ["stays", "goes", "changes"].map { AlertRule.errors(name: $0) }
        _ = try run.book.configure(rules, now: run.wall(0), uptime: .zero)
        run.at(0, 101)
        let changed = AlertRule.errors(name: "changes", .lt)
        try run.restart(at: 10, awayFor: 1, configured: [.errors(name: "stays"), changed])
        #expect(run.book.statuses.map(\.rule.name) == ["stays", "changes"])
        #expect(run.told.dropFirst(3).map(\.alert.name) == ["goes"])
        #expect(run.told.last?.kind == .resolved)
        // Both watch what they watched, so both fire until their condition says otherwise.
        #expect(run.at(0, 101) == [.resolved])
        #expect(run.told.last?.alert == changed)
    }

    @Test func `saving is asked for when a restart would show it, and while anything is counted`()
        throws
    {
        var run = try AlertRun(.errors(for: 20))
        func isAsked(_ second: Int, _ value: Double) -> Bool {
            run.book.needsSaving = false
            run.at(second, value)
            return run.book.needsSaving
        }
        #expect(run.book.needsSaving)
        #expect(!isAsked(0, 1))
        #expect(isAsked(10, 101))
        #expect(isAsked(20, 101))
        #expect(isAsked(30, 101))
        #expect(!isAsked(40, 102))
        #expect(isAsked(50, 1))
        #expect(!isAsked(60, 1))
    }

    // MARK: - The file

    @Test func `what was saved is there, and only the owner may read it`() throws {
        let directory = try AlertDirectory()
        var run = try AlertRun(.errors { $0.by = ["path"] })
        run.at(0, paths: ["/é\u{0}\n": .infinity, "": 101])
        try directory.file.save(run.book, now: run.wall(1), uptime: .seconds(1))
        try directory.file.save(run.book, now: run.wall(2), uptime: .seconds(2))
        #expect(directory.names == ["alerts.json"])
        var status = stat()
        #expect(stat(directory.file.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        let found = try directory.file.load(now: run.wall(3), uptime: .zero)
        #expect(found.problem == nil)
        #expect(found.book.statuses.map(\.json) == run.book.statuses.map(\.json))
    }

    @Test func `no file is no alerts`() throws {
        let found = try AlertDirectory().file.load(now: UnixTime(seconds: 0), uptime: .zero)
        #expect(found.book.statuses.isEmpty)
        #expect(found.problem == nil)
    }

    @Test func `a damaged file is set aside whole and told of, and alerts begin anew`() throws {
        let directory = try AlertDirectory()
        let time = UnixTime(seconds: 1_700_000_000)
        for text in ["", "{", "[]", #"{"version":1}"#, #"{"version":1,"savedAt":0,"alerts":[{}]}"#]
        {
            try directory.write(text)
            let found = try directory.file.load(now: time, uptime: .zero)
            #expect(found.book.statuses.isEmpty)
            let said = try #require(found.problem).description
            #expect(
                said.contains("it is damaged")
                    && said.contains("alerts.json.corrupt-20231114T221320Z"))
        }
        #expect(
            directory.names
                == ["", "-2", "-3", "-4", "-5"].map {
                    "alerts.json.corrupt-20231114T221320Z\($0)"
                })
    }

    @Test func `a file of a later version is left alone`() throws {
        let directory = try AlertDirectory()
        try directory.write(#"{"version":2,"future":true}"#)
        #expect(throws: MetricsError.self) {
            try directory.file.load(now: UnixTime(seconds: 0), uptime: .zero)
        }
        #expect(directory.names == ["alerts.json"])
    }

    @Test func `a file that was cut or changed anywhere gives what was kept, or nothing`() throws {
        var run = try AlertRun(.errors(for: 60) { $0.by = ["path"] }, .errors(name: "b"))
        run.at(0, paths: ["/a": 101])
        run.at(10, paths: ["/a": 101])
        let bytes = run.book.memory(now: run.wall(20), uptime: .seconds(20)).serialized()
        func read(_ bytes: [UInt8]) -> AlertBook? {
            guard let json = try? JSONParser.parse(bytes) else { return nil }
            return try? AlertBook(memory: json, now: run.wall(30), uptime: .zero)
        }
        for count in bytes.indices { #expect(read(Array(bytes[..<count])) == nil) }
        for index in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << bit
                // A digit may have become another; the rest of the book must bear it.
                guard var book = read(changed) else { continue }
                _ = book.evaluate(now: run.wall(40), uptime: .seconds(10)) { _ in [] }
                #expect(book.statuses.count == 2)
            }
        }
    }

    @Test func `what cannot be written says why and leaves the old file`() throws {
        let directory = try AlertDirectory()
        let run = try AlertRun(.errors())
        try directory.write("old")
        // A directory in the way of the new file: nobody, not even root, can write over it.
        #expect(mkdir(directory.file.path + ".new", 0o700) == 0)
        defer { rmdir(directory.file.path + ".new") }
        #expect(throws: MetricsError.self) {
            try directory.file.save(run.book, now: run.wall(0), uptime: .zero)
        }
        #expect(try directory.read() == "old")
        let nowhere = AlertFile(path: directory.file.path + "/x")
        #expect(throws: MetricsError.self) {
            try nowhere.save(run.book, now: run.wall(0), uptime: .zero)
        }
        #expect(throws: MetricsError.self) { try nowhere.load(now: run.wall(0), uptime: .zero) }
    }

    @Test func `what a killed process left behind is in nobody's way`() throws {
        let directory = try AlertDirectory()
        try directory.write("half", to: "alerts.json.new")
        let run = try AlertRun(.errors())
        try directory.file.save(run.book, now: run.wall(0), uptime: .zero)
        #expect(directory.names == ["alerts.json"])
    }
}

/// A private directory with a file of alerts, removed with all that is in it.
private final class AlertDirectory: Sendable {
    private let path: String
    var file: AlertFile { AlertFile(path: path + "/alerts.json") }

    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/nocturne-alerts-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
    }

    deinit {
        for name in names { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    var names: [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    func write(_ text: String, to name: String = "alerts.json") throws {
        let file = try #require(fopen("\(path)/\(name)", "w"))
        fputs(text, file)
        fclose(file)
    }

    func read() throws -> String {
        let opened = try #require(fopen(file.path, "r"))
        defer { fclose(opened) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        return String(decoding: bytes[..<fread(&bytes, 1, bytes.count, opened)], as: UTF8.self)
    }
}
