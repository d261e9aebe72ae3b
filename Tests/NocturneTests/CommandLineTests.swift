// CommandLineTests.swift — arguments as they are meant, output that lines up, and how commands end.

import Glibc
import Nocturne
import Testing

@testable import nocturne_plugins

@Suite struct CommandLineTests {
    @Test func `settings are JSON where they can be, and strings otherwise`() throws {
        let settings = try SettingsArgument.parse([
            "retries=3", "name=Ada", "quoted=\"3\"", "on=true", "empty=", "list=[1,2]", "url=a=b",
            "n=01",
        ])
        #expect(
            JSONValue.object(settings)
                == [
                    "retries": 3, "name": "Ada", "quoted": "3", "on": true, "empty": "",
                    "list": [1, 2],
                    "url": "a=b", "n": "01",
                ])
    }

    @Test func `one JSON object stands for all settings`() throws {
        #expect(try SettingsArgument.parse([#"{"a": {"b": null}}"#]) == ["a": ["b": nil]])
        #expect(try SettingsArgument.parse([]) == [:])
    }

    @Test(arguments: [
        (["retries"], 64, #""retries" is no setting: expected KEY=VALUE"#),
        (["=3"], 64, #""=3" is no setting"#),
        (["a=1", "a=2"], 64, #"the setting "a" is there twice"#),
        (["{\"a\": }"], 65, "not JSON at line 1, column 7"),
    ])
    func `an argument that is no setting is shown`(
        arguments: [String], status: Int32, message: String
    ) {
        let error = #expect(throws: UsageError.self) { try SettingsArgument.parse(arguments) }
        #expect(error?.exitStatus == status)
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `columns line up, and the last has no padding`() {
        var table = Table("ID", "NOTE")
        table.add(.init("word-count"), .init("a"))
        table.add(.init("b"), .init(""))
        #expect(table.lines(colored: false) == ["ID          NOTE", "word-count  a", "b"])
    }

    @Test func `color surrounds the text of a cell and does not move columns`() {
        var table = Table("S", "N")
        table.add(.init("failed", color: .red), .init("x"))
        #expect(table.lines(colored: true) == ["S       N", "\u{1B}[31mfailed\u{1B}[0m  x"])
    }

    @Test func `what a plugin says cannot steer the terminal of whoever lists it`() {
        let hostile = "x\u{1B}]0;owned\u{7}\nb"
        let info: JSONValue = [
            "id": "a", "version": .string(hostile), "status": "failed", "reason": .string(hostile),
            "settings": ["k": .string(hostile)], "tools": [.string(hostile)],
            "files": [["path": .string(hostile), "reason": .string(hostile)]],
        ]
        let record: JSONValue = [
            "time": 0, "level": .string(hostile), "message": .string(hostile),
            "stream": .string(hostile),
            "fields": [hostile: .string(hostile)] as JSONValue,
        ]
        let event: JSONValue = [
            "id": 1, "time": 0, "source": .string(hostile), "name": .string(hostile),
            "payload": ["m": .string("\u{9B}31m" + hostile)],
        ]
        let lines =
            PluginText.table([info]) + PluginText.details(info) + [PluginText.line(info)]
            + [PluginText.record(record), PluginText.event(event)]
            + PluginText.contributions([["name": .string(hostile)]], none: "")
        for line in lines {
            #expect(
                !line.unicodeScalars.contains {
                    $0.value < 0x20 || (0x7F...0x9F).contains($0.value)
                })
        }
    }

    // The expected times are GNU date's: `date -u -d @1700000000`.
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_700_000_000_007, "2023-11-14T22:13:20.007Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        ] as [(Int64, String)])
    func `times are shown in UTC with milliseconds`(milliseconds: Int64, text: String) {
        #expect(PluginText.time(JSONValue(milliseconds)) == text)
    }

    @Test func `times that cannot be are shown as they are`() {
        #expect(PluginText.time(JSONValue(Int64.max)) == "\(Int64.max)")
        #expect(PluginText.time(JSONValue(Int64.min)) == "\(Int64.min)")
        #expect(PluginText.time("soon") == "-")
    }
}

/// The program itself, run as a user runs it.
@Suite struct ProgramTests {
    private static let nowhere = "/nonexistent/n.sock"

    @Test(arguments: [
        (["--version"], 0, ""),
        (["frobnicate"], 64, "Usage:"),
        (
            ["list", "--socket", nowhere], 69,
            "nocturne-plugins: host not running: nobody listens on /nonexistent/n.sock"
        ),
        (
            ["call", "t", "--socket", "/" + String(repeating: "a", count: 150)], 64,
            "151 bytes, 44 more than the 107"
        ),
        (["configure", "a"], 64, "KEY=VALUE"),
        (["resolve", "/nonexistent"], 65, "/nonexistent: there is no such directory"),
        (["resolve", "/dev/null"], 65, "Not a directory"),
        (["resolve", "/dev", "--host-version", "1.x"], 64, "invalid version \"1.x\""),
        (["resolve", "/dev", "--arch", "arm"], 64, "expected x86_64 or aarch64"),
        (["graph", "--socket", nowhere], 69, "host not running"),
        (["graph", "--dot", "--mermaid"], 64, "--mermaid"),
        (["graph", "--dot", "--json"], 64, "exclude each other"),
        (["configure", "a", "b", "--socket", nowhere], 64, "\"b\" is no setting"),
        (
            ["run", "--config", "/nonexistent.json", "--state", "/nonexistent"], 65,
            "the configuration cannot be read"
        ),
    ])
    func `a command ends with the code and the words for its failure`(
        arguments: [String], status: Int32, message: String
    ) throws {
        let result = try Program.run(arguments)
        #expect(result.status == status)
        #expect(result.errors.contains(message) || message.isEmpty, "\(result.errors)")
        #expect(status == 0 || result.output.isEmpty)
    }

    @Test func `under --json a failure is one object on standard error`() throws {
        for arguments in [
            ["list", "--json", "--socket", Self.nowhere], ["list", "--jsn", "--json"],
        ] {
            let result = try Program.run(arguments)
            let error = try JSONParser.parse(result.errors)["error"]
            #expect(error?["code"]?.string == (result.status == 69 ? "hostNotRunning" : "usage"))
            #expect(error?["exitStatus"]?.int == Int64(result.status))
            #expect(result.output.isEmpty)
        }
    }
}
