// EventWatchTests.swift — a publisher of what is too much for all hears whether somebody asks for it in particular.

import NocturneCore
import Synchronization
import Testing

@Suite struct EventWatchTests {
    private final class Heard: Sendable {
        let values = Mutex<[Bool]>([])
        func note(_ isHeard: Bool) { values.withLock { $0.append(isHeard) } }
        var all: [Bool] { values.withLock { $0 } }
    }

    @Test func `it hears of listeners that name the event, and of their end`() {
        let (bus, heard) = (EventBus(), Heard())
        bus.watchListeners(source: "metrics", name: "metric:recorded") { heard.note($0) }
        let tokens = ["metric:recorded", "metrics/metric:*"].map { bus.on($0) { _ in } }
        #expect(heard.all == [false, true])
        _ = tokens
    }

    @Test(arguments: ["*", "metrics/*", "alert:*", "tasks/metric:recorded"])
    func `who asks for everything, or for something else, does not count`(_ pattern: String) {
        let (bus, heard) = (EventBus(), Heard())
        bus.watchListeners(source: "metrics", name: "metric:recorded") { heard.note($0) }
        let token = bus.on(pattern) { _ in }
        #expect(heard.all == [false])
        _ = token
    }

    @Test func `what is not to be remembered is told to listeners only`() async {
        let bus = EventBus()
        var listener = bus.events(matching: "metric:*").makeAsyncIterator()
        bus.publish(source: "metrics", name: "metric:recorded", payload: [:], isRemembered: false)
        let kept = bus.publish(source: "metrics", name: "metrics:flush", payload: [:])
        guard case .event(let event) = await listener.next() else {
            Issue.record("no event")
            return
        }
        #expect(event.name == "metric:recorded")
        var later = bus.events(since: 1).makeAsyncIterator()
        guard case .event(let remembered) = await later.next() else {
            Issue.record("a gap, or nothing")
            return
        }
        #expect(remembered == kept)
    }
}
