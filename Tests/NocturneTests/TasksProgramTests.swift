// TasksProgramTests.swift — `nocturne-plugins tasks` as people and scripts use it, on a real host.

import Glibc
import Nocturne
import Testing

@Suite(.serialized) struct TasksProgramTests {
    @Test func `a task of a plugin is added, waited for, listed, shown and cleared`() async throws {
        try await HostProcess.run { host in
            try host.start()
            try host.drop("counting.so")
            try host.waitUntil("the plugin serves") { try host.serving() == 1 }

            let result = try host.command(
                "tasks", "add", "count", "--input", #"{"to":3}"#, "--wait")
            let json = try JSONParser.parse(result)
            #expect(json["to"] == 3)
            #expect(json["attempt"] == 1)
            let list = try JSONParser.parse(try host.command("tasks", "list", "--json"))
            #expect(list.array?.compactMap { $0["state"]?.string } == ["completed"])
            let shown = try host.command("tasks", "show", "1")
            #expect(shown.contains("state          completed\n"), "\(shown)")
            // Each step of the fixture logs its number.
            #expect(shown.contains("    1\n    2\n    3\n"), "\(shown)")
            #expect(try host.command("tasks", "stats").contains("default  count"))
            #expect(try host.command("tasks", "clear", "--failed") == "0 failed tasks removed\n")
            #expect(try host.command("tasks", "clear") == "1 completed task removed\n")
            #expect(try host.command("tasks", "list") == "no tasks\n")
        }
    }

    @Test func `a task that fails says why, and with which code; retry --failed takes it up`()
        async throws
    {
        try await HostProcess.run { host in
            try host.start()
            try host.drop("counting.so")
            try host.waitUntil("the plugin serves") { try host.serving() == 1 }
            let input = [
                "tasks", "add", "count", "--input", "{}", "--wait", "--socket", host.socket,
            ]
            let failed = try Program.run(input)
            #expect(failed.status == 70)
            #expect(failed.output == "")
            #expect(failed.errors.contains("task 1 failed: counting: the input of count"))
            #expect(try host.command("tasks", "retry", "--failed") == "1 task tried again\n")
            let again = try Program.run(["tasks", "show", "1", "--wait", "--socket", host.socket])
            #expect(again.status == 70)
            let attempts = again.output.split(separator: "\n").filter {
                $0.hasPrefix("attempt 1: failed")
            }
            #expect(attempts.count == 2, "\(again.output)")
        }
    }

    @Test func `a kind that nobody runs succeeds with a warning, and runs when its plugin comes`()
        async throws
    {
        try await HostProcess.run { host in
            try host.start()
            let added = try Program.run([
                "tasks", "add", "count", "--input", #"{"to":1}"#, "--socket", host.socket,
            ])
            #expect(added.status == 0)
            #expect(added.output == "1 count: available\n")
            #expect(added.errors.contains("nobody runs \"count\" yet"))
            try host.drop("counting.so")
            let result = try host.command("tasks", "show", "1", "--wait", "--json")
            #expect(try JSONParser.parse(result)["state"] == "completed")
        }
    }

    @Test func `tasks and schedules survive kill -9, and each is there once`() async throws {
        try await HostProcess.run { host in
            try host.start()
            let cron = ["30 2 * * *", "45 3 * * 1-5"]
            for cron in cron {
                _ = try host.command("tasks", "add", "count", "--cron", cron, "--name", "nightly")
            }
            for _ in 1...20 {
                _ = try host.command("tasks", "add", "count", "--input", #"{"to":2}"#)
            }
            _ = try host.command("tasks", "pause", "1")
            host.signal(SIGKILL)
            #expect(host.end() == nil)  // by a signal

            try host.drop("counting.so")
            try host.start()
            try host.waitUntil("all but the paused one have completed") {
                let list = try host.command("tasks", "list", "--state", "completed", "--json")
                return try JSONParser.parse(list).array?.count == 19
            }
            let all = try JSONParser.parse(try host.command("tasks", "list", "--json")).array ?? []
            #expect(Set(all.compactMap { $0["id"]?.string }).count == 20)
            #expect(all.filter { $0["state"] == "paused" }.compactMap { $0["id"]?.string } == ["1"])
            let schedules = try JSONParser.parse(
                try host.command("tasks", "schedules", "--json"))
            #expect(schedules.array?.compactMap { $0["schedule"]?.string } == ["45 3 * * 1-5"])
        }
    }

    @Test func `SIGTERM while a task runs gives it back, and the attempt does not count`()
        async throws
    {
        try await HostProcess.run { host in
            try host.start()
            try host.drop("counting.so")
            try host.waitUntil("the plugin serves") { try host.serving() == 1 }
            let input = #"{"to":100000,"ms":10}"#
            _ = try host.command("tasks", "add", "count", "--input", input)
            try host.waitUntil("it runs") {
                try host.command("tasks", "list", "--state", "running") != "no tasks\n"
            }
            host.signal(SIGTERM)
            #expect(host.end() == 0)
            try host.start()
            let shown = try JSONParser.parse(try host.command("tasks", "show", "1", "--json"))
            #expect(shown["crashes"] == 0)
            #expect(shown["attempts"]?.array?.first?["outcome"] == "returned")
            _ = try host.command("tasks", "cancel", "1")
        }
    }

    @Test func `what makes no sense is refused before anything is sent`() throws {
        for (words, text) in [
            (
                ["--at", "2026-01-31T00:00:00Z", "--in", "5m"],
                "--at, --in and --cron exclude each other"
            ),
            (["--zone", "UTC"], "--zone and --name belong to --cron"),
            (["--cron", "@daily", "--wait"], "--wait is for one task"),
        ] {
            let result = try Program.run(["tasks", "add", "count"] + words)
            #expect(result.status == 64)
            #expect(result.errors.contains(text), "\(result.errors)")
        }
        let result = try Program.run(["tasks", "schedules", "explain", "0 0 31 2 *"])
        #expect(result.status == 65)
        #expect(result.errors.contains("would never run"))
    }
}
