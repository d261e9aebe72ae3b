// SessionResourcesTests.swift — those who wait for what agents share: until they have it, give up or leave. Next:
// MessagesTests.swift.

import NocturneCore
import TestKit
import Testing

@testable import NocturneCoordination

@Suite(.timeLimit(.minutes(2))) struct SessionResourcesTests {
    private let clock = VirtualClock()
    private let resources: SessionResources

    init() { resources = SessionResources(clock: clock) }

    private func request(_ name: String, _ agent: AgentID, patience: Int = 60) throws
        -> LeaseRequest
    {
        LeaseRequest(
            try ResourceName(name), .exclusive, for: ResourceHolder(agent), lifetime: .seconds(10),
            patience: .seconds(patience))
    }

    /// One that waits by now.
    private func waiting(_ request: LeaseRequest) async -> Task<Lease, any Error> {
        let task = Task { try await resources.acquire(request) }
        while resources.waiterCount == 0 { await Task.yield() }
        return task
    }

    @Test func `who waits has it when the other releases it, or when its time is over`()
        async throws
    {
        let first = try await resources.acquire(try request("x", "a"))
        let second = await waiting(try request("x", "b"))
        try resources.release(first.id)
        #expect(try await second.value.request.holder.agent == "b")

        let third = await waiting(try request("x", "c", patience: 60))
        clock.advance(by: .seconds(10))
        #expect(try await third.value.request.holder.agent == "c")
    }

    @Test func `who has waited long enough is told so`() async throws {
        _ = try await resources.acquire(try request("x", "a"))
        let second = await waiting(try request("x", "b", patience: 5))
        clock.advance(by: .seconds(5))
        await #expect(throws: ResourceError.notInTime("x")) { try await second.value }

        try resources.defineSemaphore("calls", permits: 1)
        _ = try await resources.acquire(of: "calls", for: ResourceHolder("a"))
        let call = Task {
            try await resources.acquire(
                of: "calls", for: ResourceHolder("b"), patience: .seconds(2))
        }
        while resources.waiterCount == 0 { await Task.yield() }
        clock.advance(by: .seconds(2))
        await #expect(throws: ResourceError.notInTime("calls")) { try await call.value }
    }

    @Test func `who is cancelled waits no more, and is not in the way of others`() async throws {
        let first = try await resources.acquire(try request("x", "a"))
        let second = await waiting(try request("x", "b"))
        second.cancel()
        await #expect(throws: ResourceError.self) { try await second.value }
        try resources.release(first.id)
        #expect(try await resources.acquire(try request("x", "c")).request.holder.agent == "c")
    }

    @Test func `who leaves gives back what it has, and its works wait no more`() async throws {
        _ = try await resources.acquire(try request("x", "a"))
        let next = await waiting(try request("x", "b"))
        resources.releaseAll(of: ResourceHolder("a"))
        #expect(try await next.value.request.holder.agent == "b")
        let last = Task { try await resources.acquire(try request("x", "a", patience: 30)) }
        while resources.waiterCount == 0 { await Task.yield() }
        resources.releaseAll(of: ResourceHolder("b"))
        #expect(try await last.value.request.holder.agent == "a")
    }
}
