// HandlerTests.swift — calls as the host makes them, answered by an author's closures. Next: HookTests.swift.

import CNocturne
import Glibc
import NocturnePlugin
import Synchronization
import Testing

@Suite(.serialized) struct `Everything that goes through the one plugin of a process` {
    @Suite struct `Calls` {}
    @Suite struct `Hooks and services` {}
}

extension `Everything that goes through the one plugin of a process`.`Calls` {
    struct Oops: Error, CustomStringConvertible { let description = "oops" }

    static let failures: [(any Error & Sendable, UInt32, String)] = [
        (PluginError("no"), NOCTURNE_FAILED, "no"),
        (PluginError("later", retryable: true), NOCTURNE_RETRY, "later"),
        (PluginError.invalidInput("what?"), NOCTURNE_INVALID_INPUT, "what?"),
        (CancellationError(), NOCTURNE_CANCELLED, "canceled"),
        (
            HostError.busy("event a:b"), NOCTURNE_RETRY,
            "event a:b: the host is behind; try again later"
        ),
        (
            HostError.tool(name: "t", status: NOCTURNE_CANCELLED, message: "m"),
            NOCTURNE_CANCELLED, "t: m"
        ),
        (Oops(), NOCTURNE_FAILED, "oops"),
    ]

    @Test func `a synchronous handler answers once, before it returns`() throws {
        let plugin = try EnteredPlugin(
            Plugin(tools: [
                "add": Tool { input, _ in ["sum": JSON((input["a"]?.integer ?? 0) + 1)] }
            ]))
        #expect(
            try plugin.call("add", #"{"a":41}"#)
                == [.init(status: NOCTURNE_OK, text: #"{"sum":42}"#)])
    }

    @Test(arguments: 0..<7)
    func `what a handler throws becomes the caller's error`(index: Int) throws {
        let (error, status, message) = Self.failures[index]
        let plugin = try EnteredPlugin(
            Plugin(tools: [
                "now": Tool { (_: JSON, _) throws -> JSON in throw error },
                "later": Tool { (_: JSON, _) async throws -> JSON in
                    await Task.yield()
                    throw error
                },
            ]))
        #expect(try plugin.call("now") == [.init(status: status, text: message)])
        #expect(try plugin.call("later") == [.init(status: status, text: message)])
    }

    @Test func `input that is no JSON never reaches the handler`() throws {
        let plugin = try EnteredPlugin(Plugin(tools: ["t": Tool { _, _ in "reached" }]))
        #expect(try plugin.call("t", "{").first?.status == NOCTURNE_INVALID_INPUT)
        #expect(try plugin.call("t", "").first?.status == NOCTURNE_INVALID_INPUT)
    }

    @Test func `input that does not fit the author's type is the caller's mistake, by field`()
        throws
    {
        struct Input: Decodable { let count: Int }
        let plugin = try EnteredPlugin(
            Plugin(tools: ["t": Tool { (input: Input, _) in input.count }]))
        #expect(
            try plugin.call("t", #"{"count":"x"}"#) == [
                .init(
                    status: NOCTURNE_INVALID_INPUT,
                    text: "the input does not fit: `count`: must be a whole number of"
                        + " -9223372036854775808…9223372036854775807, not a string")
            ])
        #expect(try plugin.call("t", #"{"count":3}"#) == [.init(status: NOCTURNE_OK, text: "3")])
    }

    @Test func `an asynchronous handler and its child tasks run on the call's own thread`() throws {
        let plugin = try EnteredPlugin(
            Plugin(tools: [
                "t": Tool { (_: JSON, _) async in
                    let threads = await withTaskGroup(of: UInt.self) { group in
                        for _ in 0..<4 {
                            group.addTask {
                                await Task.yield()
                                return pthread_self()
                            }
                        }
                        return await group.reduce(into: [UInt]()) { $0.append($1) }
                    }
                    return JSON(threads.map { JSON("\($0)") })
                }
            ]))
        let here = JSON("\(pthread_self())")
        #expect(try plugin.call("t").first?.json == .array([here, here, here, here]))
    }

    @Test func `cancel ends a waiting task`() throws {
        let plugin = try EnteredPlugin(
            Plugin(tools: [
                "t": Tool { (_: JSON, call) async throws -> JSON in
                    call.host.log.info("waiting")
                    try await Task.sleep(for: .seconds(3600))
                    return nil
                }
            ]))
        let cancel = try #require(
            try plugin.extensionTable(NOCTURNE_CANCEL, nocturne_cancel_t.self).cancel)
        let call = FakeCall()
        var canceller = pthread_t()
        let context = Unmanaged.passRetained(Canceller(call, cancel)).toOpaque()
        pthread_create(
            &canceller, nil,
            { context in
                guard let context else { return nil }
                let canceller = Unmanaged<Canceller>.fromOpaque(context).takeRetainedValue()
                while FakeHost.log.withLock(\.isEmpty) { sched_yield() }
                canceller.cancel(canceller.call.handle)
                return nil
            }, context)
        #expect(
            try plugin.call("t", as: call) == [.init(status: NOCTURNE_CANCELLED, text: "canceled")])
        pthread_join(canceller, nil)
        cancel(call.handle)  // Long over: nothing happens.
    }

    final class Canceller {
        let call: FakeCall
        let cancel: @convention(c) (OpaquePointer?) -> Void
        init(_ call: FakeCall, _ cancel: @escaping @convention(c) (OpaquePointer?) -> Void) {
            (self.call, self.cancel) = (call, cancel)
        }
    }

    @Test func `a kept call is canceled and has no time once it is completed`() throws {
        let box = KeptCall()
        let plugin = try EnteredPlugin(
            Plugin(tools: [
                "t": Tool { _, call in
                    box.call.withLock { $0 = call }
                    return [
                        "cancelled": JSON(call.isCancelled),
                        "left": JSON(call.remaining == .seconds(2)),
                    ]
                }
            ]))
        #expect(try plugin.call("t").first?.json == ["cancelled": false, "left": true])
        let call = try #require(box.call.withLock { $0 })
        #expect(call.isCancelled)
        #expect(call.remaining == .zero)
        #expect(throws: CancellationError.self) { try call.checkCancellation() }
    }

    final class KeptCall: Sendable { let call = Mutex<Call?>(nil) }

    @Test func `nested calls run side by side and bring answers and errors home`() throws {
        let plugin = try EnteredPlugin(
            Plugin(tools: [
                "t": Tool { (input: JSON, call) async throws -> JSON in
                    let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                        for number in 1...20 {
                            group.addTask {
                                try await call.callTool("echo", JSON(number)).integer ?? 0
                            }
                        }
                        return try await group.reduce(0, +)
                    }
                    return JSON(sum)
                },
                "fail": Tool { (_: JSON, call) async throws in try await call.callTool("fail", nil)
                },
                "slow": Tool { (_: JSON, call) async throws in try await call.callTool("slow", nil)
                },
            ]))
        #expect(try plugin.call("t") == [.init(status: NOCTURNE_OK, text: "210")])
        #expect(FakeHost.nestedCalls.withLock { $0 } == 20)
        #expect(try plugin.call("fail") == [.init(status: NOCTURNE_RETRY, text: "fail: try later")])
        #expect(
            try plugin.call("slow") == [
                .init(
                    status: NOCTURNE_RETRY,
                    text: "slow: the host did not answer in time; try again later")
            ])
    }

    @Test func `calls on several threads share an actor and none is lost`() throws {
        actor Counter {
            var value = 0
            func add() -> Int {
                value += 1
                return value
            }
        }
        let counter = Counter()
        let plugin = try EnteredPlugin(
            Plugin(tools: ["t": Tool { (_: JSON, _) async in JSON(await counter.add()) }]))
        let sum = SharedSum()
        nonisolated(unsafe) let shared = plugin
        onThreads(4) {
            for _ in 0..<500 {
                let value = try? shared.call("t").first?.json?.integer
                sum.value.withLock { $0 += value ?? 0 }
            }
        }
        #expect(sum.value.withLock { $0 } == 2000 * 2001 / 2)
    }

    final class SharedSum: Sendable { let value = Mutex(0) }

    @Test func `a result over 16 MiB is refused with its size`() throws {
        let plugin = try EnteredPlugin(
            Plugin(tools: ["t": Tool { _, _ in JSON(String(repeating: "a", count: 16 << 20)) }]))
        #expect(
            try plugin.call("t") == [
                .init(
                    status: NOCTURNE_FAILED,
                    text: "the result has 16777218 bytes; 16777216 are allowed")
            ])
    }

    @Test func `a listener hears an event and answers null`() throws {
        let plugin = try EnteredPlugin(
            Plugin(listeners: [
                "task:completed": Listener { event, call in
                    call.host.log.info("\(event.name) of \(event.source): \(event.payload)")
                }
            ]))
        let answers = try plugin.call(
            "task:completed", #"{"name":"task:completed","source":"tasks","payload":[1]}"#,
            in: NOCTURNE_LISTENERS)
        #expect(answers == [.init(status: NOCTURNE_OK, text: "null")])
        #expect(FakeHost.log.withLock { $0 } == ["1 task:completed of tasks: [1]"])
    }
}
