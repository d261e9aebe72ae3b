// DaemonConfigurationTests.swift — a configuration file is taken as it is meant, or refused in
// words.

import Glibc
import Nocturne
import Testing

@Suite struct DaemonConfigurationTests {
    private let paths = StandardPaths(environment: ["HOME": "/nonexistent-home"], userID: 1000)

    @Test func `without a file everything has its default`() throws {
        let configuration = try DaemonConfiguration(paths: paths)
        #expect(configuration.plugins.pluginsPath == "./plugins")
        #expect(configuration.plugins.enableHotReload)
        #expect(configuration.plugins.autoEnable)
        #expect(!configuration.plugins.isStrict)
        #expect(configuration.plugins.statePath == "/nonexistent-home/.local/state/nocturne")
        #expect(configuration.tasks.enablePersistence)
        #expect(configuration.tasks.defaultRetries == 3)
        #expect(configuration.tasks.maxConcurrent == BackgroundTaskManager.Configuration.processors)
        #expect(configuration.tasks.statePath == configuration.plugins.statePath)
    }

    @Test func `the keys of the tasks are taken over`() throws {
        let configuration = try read(
            #"{"tasks": {"maxConcurrent": 4, "defaultRetries": 0, "enablePersistence": false}}"#)
        #expect(configuration.tasks.maxConcurrent == 4)
        #expect(configuration.tasks.defaultRetries == 0)
        #expect(!configuration.tasks.enablePersistence)
    }

    @Test func `the keys of the plugin host are taken over`() throws {
        let configuration = try read(
            #"{"plugins": {"pluginsPath": "/p", "enableHotReload": false, "autoEnable": false}}"#)
        #expect(configuration.plugins.pluginsPath == "/p")
        #expect(!configuration.plugins.enableHotReload)
        #expect(!configuration.plugins.autoEnable)
    }

    @Test func `sessions take the seed's options, their logs' limits and programs`() throws {
        let usual = try read("{}").coordination
        #expect(usual.strategy == "hierarchical" && usual.policy.maxAgents == 1_000)
        #expect(usual.policy.isFaultTolerant)
        #expect(usual.sessionsPath == "/nonexistent-home/.local/state/nocturne/sessions")
        let configuration = try read(
            """
            {"coordination": {"strategy": "parallel", "maxAgents": 5, "enableFaultTolerance": false,
                              "logAge": "1d", "logBytes": 1000,
                              "commands": {"writer": {"command": ["/bin/cat", "-"]}}}}
            """)
        #expect(configuration.coordination.strategy == "parallel")
        #expect(configuration.coordination.policy.maxAgents == 5)
        #expect(!configuration.coordination.policy.isFaultTolerant)
        #expect(configuration.coordination.logAge == .seconds(86_400))
        #expect(configuration.coordination.logBytes == 1_000)
        #expect(configuration.agentCommands.names == ["writer"])
    }

    @Test(arguments: [
        (#"{"command": ["cat"]}"#, "no absolute path"), (#"{"command": "x"}"#, "must be a list"),
        (#"{"command": ["/bin/cat"], "environment": {"A": 1}}"#, "environment.A"),
    ])
    func `a program that makes no sense is named`(command: String, says: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try read(#"{"coordination": {"commands": {"w": \#(command)}}}"#)
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("commands.w"))
        #expect("\(error.map { "\($0)" } ?? "")".contains(says))
    }

    @Test(arguments: [
        ("7200000", Duration.seconds(7_200)), (#""1h""#, .seconds(3_600)),
        (#""90s""#, .seconds(90)),
    ])
    func `metrics take the seed's options and alerts`(text: String, period: Duration) throws {
        let configuration = try read(
            """
            {"metrics": {"retentionPeriod": \(text), "enableAutoFlush": false,
                         "flushInterval": "5s", "computePercentiles": false,
                         "alerts": [{"name": "high-error-rate", "metricName": "api.errors",
                                     "condition": "gt", "threshold": 100, "duration": 60000,
                                     "enabled": true}]}}
            """
        ).metrics
        #expect(configuration.retentionPeriod == period)
        #expect(configuration.flushInterval == .seconds(5))
        #expect(!configuration.enableAutoFlush && !configuration.computePercentiles)
        #expect(configuration.alerts.map(\.name) == ["high-error-rate"])
        #expect(configuration.alerts.first?.duration == .seconds(60))
    }

    @Test func `an alert that cannot be is named with what is wrong`() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try read(
                #"""
                {"metrics": {"alerts": [{"name": "a", "metricName": "b", "condition": "over"}]}}
                """#
            )
        }
        #expect(error.exitStatus == 65)
        #expect(error.description.contains("condition"), "\(error)")
    }

    @Test(arguments: [
        (
            #"{"plugin": {}}"#,
            #"unknown key "plugin"; known are plugins, tasks, metrics, coordination"#
        ),
        (
            #"{"plugins": {"hotReload": true}}"#,
            #"unknown key "hotReload" in "plugins"; known are pluginsPath, enableHotReload"#
        ),
        (
            #"{"plugins": {"autoEnable": "yes"}}"#,
            #""plugins.autoEnable" is "yes"; expected true or false"#
        ),
        (#"{"plugins": {"pluginsPath": ""}}"#, #""plugins.pluginsPath" is ""; expected a string"#),
        (
            #"{"plugins": {"pluginsPath": null}}"#,
            #""plugins.pluginsPath" is null; expected a string"#
        ),
        (#"{"plugins": []}"#, #""plugins" is an array; expected an object"#),
        ("[1]", #""the whole file" is an array; expected an object"#),
        (
            #"{"tasks": {"maxConcurrent": 0}}"#,
            #""tasks.maxConcurrent" is 0; expected a whole number, at least 1"#
        ),
        (
            #"{"tasks": {"maxConcurrent": 1.5}}"#,
            #""tasks.maxConcurrent" is 1.5; expected a whole number"#
        ),
        (
            #"{"tasks": {"defaultRetries": 10001}}"#,
            #""tasks.defaultRetries" is 10001; expected a whole number, at least 0 and at most 10000"#
        ),
        (
            #"{"metrics": {"retentionPeriod": "1 hour"}}"#,
            #""metrics.retentionPeriod" is "1 hour"; expected"#
        ),
        (#"{"metrics": {"retentionPeriod": -5}}"#, #""metrics.retentionPeriod" is -5; expected"#),
        (#"{"plugins": {}, "plugins": {}}"#, #"duplicate key "plugins" at line 1, column 17"#),
        ("{\n \"plugins\": }", "not JSON at line 2, column 13"),
        ("", "not JSON at line 1, column 1"),
    ])
    func `a mistake is named with its place and what would be right`(
        text: String, message: String
    ) {
        let error = #expect(throws: ConfigurationError.self) { try read(text) }
        #expect(error?.exitStatus == 65)
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("/tmp/nconf-") == true)
    }

    @Test func `a file that was asked for must be there`() {
        let error = #expect(throws: ConfigurationError.self) {
            try DaemonConfiguration(file: "/nonexistent/config.json", paths: paths)
        }
        #expect(error == .unreadable(file: "/nonexistent/config.json", errno: ENOENT))
        #expect(error?.exitStatus == 65)
    }

    @Test func `a directory and an endless file are refused`() {
        #expect(throws: ConfigurationError.unreadable(file: "/tmp", errno: EISDIR)) {
            try DaemonConfiguration(file: "/tmp", paths: paths)
        }
        #expect(throws: ConfigurationError.tooLarge(file: "/dev/zero", limitBytes: 1 << 20)) {
            try DaemonConfiguration(file: "/dev/zero", paths: paths)
        }
    }

    @Test func `what the caller names comes before what is standard`() throws {
        let configuration = try DaemonConfiguration(
            statePath: "/s", socketPath: "/k.sock", paths: paths)
        #expect(configuration.plugins.statePath == "/s")
        #expect(configuration.socketPath == "/k.sock")
    }

    private func read(_ text: String) throws -> DaemonConfiguration {
        var template = Array("/tmp/nconf-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        let path = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            close(descriptor)
            unlink(path)
        }
        let bytes = Array(text.utf8)
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
        return try DaemonConfiguration(file: path, paths: paths)
    }
}
