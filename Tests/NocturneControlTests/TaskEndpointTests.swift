// TaskEndpointTests.swift — tasks over a real socket: what is asked of the manager, and what comes back.

import NocturneCore
import NocturneHost
import NocturneTasks
import TestKit
import Testing

@testable import NocturneControl

@Suite struct TaskEndpointTests {
    @Test func `a task that is added runs, and its events end with it`() async throws {
        let host = FakeHost()
        try await withServer(of: host, tasks: host.tasks(handling: "double")) { _, client in
            try await blocking {
                let added = try client.json(
                    "POST", "/v1/tasks",
                    body: ["name": "double", "input": ["n": 9_007_199_254_740_993]])
                #expect(added["waitsForHandler"] == false)
                let id = try #require(added["id"]?.string)
                // Returns when the task has ended, also if it had before.
                try client.follow("/v1/tasks/\(id)/events") { _ in true }
                let task = try client.json("GET", "/v1/tasks/\(id)")
                #expect(task["state"] == "completed")
                #expect(task["result"] == ["n": 9_007_199_254_740_993])
                #expect(task["input"] == ["n": 9_007_199_254_740_993])
            }
        }
    }

    @Test func `progress comes as events of just that task`() async throws {
        let host = FakeHost()
        let tasks = host.tasks()
        let (go, continuation) = AsyncStream.makeStream(of: Void.self)
        tasks.handle("slow") { _, context in
            for await _ in go { break }
            context.updateProgress(50, "half")
            return 7
        }
        try await withServer(of: host, tasks: tasks) { _, client in
            let other = try await tasks.add(NewTask("nobody"))
            let id = try await tasks.add(NewTask("slow")).id
            let names = try await blocking {
                var names: [String] = []
                continuation.yield()
                try client.follow("/v1/tasks/\(id)/events") { event in
                    let json = (try? JSONParser.parse(event.data)) ?? .null
                    #expect(json["payload"]?["taskId"] == .string(id.description))
                    names.append(json["name"]?.string ?? "?")
                    return true
                }
                return names
            }
            // What came before the stream began is not told again.
            #expect(Set(names).isSubset(of: ["task:started", "task:progress", "task:completed"]))
            #expect(try await tasks.task(other.id)?.state == .available)
        }
    }

    @Test func `a kind that nobody runs waits, and every answer says so`() async throws {
        try await withServer(of: FakeHost()) { _, client in
            try await blocking {
                let added = try client.json("POST", "/v1/tasks", body: ["name": "later"])
                #expect(added["waitsForHandler"] == true)
                #expect(added["state"] == "available")
                let list = try client.json("GET", "/v1/tasks?state=available,running&name=later")
                #expect(list.array?.count == 1)
                #expect(list.array?.first?["waitsForHandler"] == true)
                let schedule = try client.json(
                    "PUT", "/v1/schedules/nightly",
                    body: ["schedule": "30 2 * * *", "task": ["name": "later"]])
                #expect(schedule["waitsForHandler"] == true)
            }
        }
    }

    @Test func `an array of tasks is added as a whole or not at all`() async throws {
        try await withServer(of: FakeHost()) { _, client in
            let added = try await blocking {
                try client.json("POST", "/v1/tasks", body: [["name": "a"], ["name": "b"]])
            }
            #expect(added.array?.count == 2)
            let error = await refusal {
                try client.send(
                    "POST", "/v1/tasks",
                    body: Array(#"[{"name":"c"},{"name":"c","timeout":0}]"#.utf8))
            }
            #expect(error?.code == "invalidTime")
            let all = try await blocking { try client.json("GET", "/v1/tasks") }
            #expect(all.array?.compactMap { $0["name"]?.string } == ["b", "a"])
        }
    }

    @Test(arguments: [
        (#"{"name":"a","colour":1}"#, #""colour" is there: expected one of the keys name, input"#),
        (#"{"input":1}"#, #""name" is absent: expected a string"#),
        (#"{"name":"a","priority":"urgent"}"#, #""priority" is "urgent": expected critical, high"#),
        (#"{"name":"a","in":"5 minutes"}"#, #""in" is "5 minutes": expected milliseconds"#),
        (#"{"name":"a","in":-5}"#, "the delay of a must be not negative"),
        (#"{"name":"a","in":9223372036854775807}"#, "the delay of a must be not negative"),
        (#"{"name":"a","at":"2026-02-30T00:00:00Z"}"#, #""at" is "2026-02-30T00:00:00Z""#),
        (#"{"name":"a","at":"99999-01-01T00:00:00Z"}"#, #""at" is "99999-01-01T00:00:00Z""#),
        (#"{"name":"a","at":253402300800000}"#, "the start of a must be between the years 1970"),
        (#"{"name":"a","at":1,"in":1}"#, "expected only one of them"),
        (#"{"name":"a","retries":-1}"#, #""retries" is -1: expected a whole number from 0"#),
        (#"{"name":"a","retries":1.5}"#, #""retries" is 1.5: expected a whole number"#),
        (#"{"name":"a","jitter":2}"#, #""jitter" is 2: expected a number from 0 to 1"#),
        (
            #"{"name":"a","backoff":{"kind":"cubic"}}"#,
            #""backoff.kind" is "cubic": expected fixed"#
        ),
        (#"{"name":"a","key":{"limit":0,"name":"k"}}"#, #""key.limit" is 0"#),
        (#"{"name":"a","unique":{"key":"k","states":["done"]}}"#, "expected states: blocked"),
        (#"{"name":""}"#, #"the task name "" is not allowed"#), ("[1]", "an array of objects"),
        ("7", "an object or an array of objects"),
    ])
    func `what cannot be meant is refused with its place`(
        body: String, message: String
    ) async throws {
        try await withServer(of: FakeHost()) { _, client in
            let error = await refusal {
                try client.send("POST", "/v1/tasks", body: Array(body.utf8))
            }
            #expect(error?.exitStatus == 65)
            #expect(error?.message.contains(message) == true, "\(error?.message ?? "none")")
            let all = try await blocking { try client.json("GET", "/v1/tasks") }
            #expect(all == [])
        }
    }

    @Test func `commands reach their task, and an unknown one is 404's error`() async throws {
        try await withServer(of: FakeHost()) { _, client in
            try await blocking {
                let added = try client.json("POST", "/v1/tasks", body: ["name": "a", "in": "1h"])
                let route = "/v1/tasks/\(added["id"]?.string ?? "")"
                #expect(try client.json("POST", route + "/pause")["state"] == "paused")
                #expect(try client.json("POST", route + "/resume")["state"] == "scheduled")
                #expect(try client.json("POST", route + "/cancel")["state"] == "cancelled")
                #expect(try client.json("POST", route + "/retry")["state"] == "available")
                let statistics = try client.json("GET", "/v1/tasks/statistics")
                #expect(statistics["counts"]?["available"] == 1)
                #expect(statistics["rows"]?.array?.first?["name"] == "a")
            }
            for (route, code, exit) in [
                ("/v1/tasks/9/cancel", "unknownTask", 65),
                ("/v1/tasks/x/cancel", "invalidParameter", 64),
                ("/v1/queues/q/pause", "unknownQueue", 65),
                ("/v1/schedules/s/run", "unknownSchedule", 65),
            ] {
                let error = await refusal { try client.send("POST", route) }
                #expect(error?.code == code)
                #expect(error?.exitStatus == Int32(exit))
            }
        }
    }

    @Test func `a schedule is replaced in place, stays paused, and is removed`() async throws {
        try await withServer(of: FakeHost()) { _, client in
            try await blocking {
                let route = "/v1/schedules/a%2Fb"
                let first: JSONValue = ["schedule": "0 3 * * *", "task": ["name": "t"]]
                #expect(try client.json("PUT", route, body: first)["name"] == "a/b")
                _ = try client.json("POST", route + "/pause")
                let second: JSONValue = [
                    "schedule": "@every 90m", "task": ["name": "t"], "overlap": "allow",
                    "catchUp": ["runs": 3, "within": "1d"],
                ]
                let stored = try client.json("PUT", route, body: second)
                #expect(stored["paused"] == true)
                #expect(stored["meaning"] == "every 1 hour 30 minutes")
                #expect(stored["catchUp"] == ["runs": 3, "within": 86_400_000])
                #expect(try client.json("GET", "/v1/schedules").array?.count == 1)
                #expect(try client.json("POST", route + "/run")["schedule"] == "a/b")
                _ = try client.json("DELETE", route)
                #expect(try client.json("GET", "/v1/schedules") == [])
            }
            let error = await refusal {
                try client.send(
                    "PUT", "/v1/schedules/s",
                    body: Array(#"{"schedule":"30 2 31 2 *","task":{"name":"t"}}"#.utf8))
            }
            #expect(error?.message.contains("would never run") == true)
        }
    }

    @Test func `a queue keeps what is not said anew about its pause`() async throws {
        try await withServer(of: FakeHost()) { _, client in
            try await blocking {
                _ = try client.json("PUT", "/v1/queues/q", body: ["limit": 2])
                _ = try client.json("POST", "/v1/queues/q/pause")
                let rate: JSONValue = ["count": 10, "per": "1s", "burst": 3]
                let queue = try client.json("PUT", "/v1/queues/q", body: ["rate": rate])
                let expected: JSONValue = [
                    "name": "q", "limit": nil, "paused": true,
                    "rate": ["count": 10, "per": 1_000, "burst": 3],
                ]
                #expect(queue == expected)
            }
        }
    }

    @Test func `a graph is added whole, shown as a whole, and a ring is refused`() async throws {
        let host = FakeHost()
        let tasks = host.tasks(handling: "t")
        try await withServer(of: host, tasks: tasks) { _, client in
            let added = try await blocking {
                try client.json(
                    "POST", "/v1/graphs",
                    body: [
                        "tasks": [
                            ["reference": "a", "name": "t"],
                            ["reference": "b", "name": "t", "after": ["a"], "rule": "allDone"],
                        ]
                    ])
            }
            let id = try #require(added["graph"]?.string)
            let last = try #require(
                added["tasks"]?.array?.last?["id"]?.string.flatMap { TaskID($0) })
            _ = try await tasks.end(of: last)
            let progress = try await blocking { try client.json("GET", "/v1/graphs/\(id)") }
            #expect(progress["percent"] == 100)
            #expect(progress["counts"]?["completed"] == 2)
            let ring =
                #"{"tasks":[{"reference":"a","name":"t","after":["b"]},{"reference":"b","name":"t","after":["a"]}]}"#
            let error = await refusal {
                try client.send("POST", "/v1/graphs", body: Array(ring.utf8))
            }
            #expect(error?.code == "cycle")
            let unknown = await refusal { try client.send("GET", "/v1/graphs/99") }
            #expect(unknown?.code == "unknownTask")
        }
    }

    @Test func `clear takes completed tasks only, unless other states are named`() async throws {
        let host = FakeHost()
        let tasks = host.tasks(handling: "good")
        tasks.handle("bad") { _, _ in throw TaskFailure(.permanent, "no") }
        try await withServer(of: host, tasks: tasks) { _, client in
            let good = try await tasks.add(NewTask("good")).id
            let bad = try await tasks.add(NewTask("bad")).id
            _ = try await (tasks.end(of: good), tasks.end(of: bad))
            try await blocking {
                let first = try client.json("POST", "/v1/tasks/clear", body: [:])
                #expect(first == ["count": 1])
                #expect(try client.json("POST", "/v1/tasks/clear", body: [:]) == ["count": 0])
                let failed: JSONValue = ["states": ["failed"]]
                #expect(try client.json("POST", "/v1/tasks/clear", body: failed) == ["count": 1])
            }
            // Nothing said does not mean everything.
            for verb in ["clear", "retry", "cancel"] {
                let error = await refusal { try client.send("POST", "/v1/tasks/\(verb)") }
                #expect(error?.code == "notJSON")
            }
        }
    }
}
