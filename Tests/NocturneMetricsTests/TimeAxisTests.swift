// TimeAxisTests.swift — a history goes only forward, whatever the wall clock does.

import NocturneCore
import Testing

@testable import NocturneMetrics

@Suite struct TimeAxisTests {
    private func moments(_ clocks: [(wall: Int64, uptime: Int64)], after stored: Int64? = nil)
        -> [Int64]
    {
        var axis = TimeAxis(after: stored.map { UnixTime(milliseconds: $0) })
        return clocks.map { clock in
            axis.moment(
                wall: UnixTime(milliseconds: clock.wall), uptime: .milliseconds(clock.uptime)
            ).milliseconds
        }
    }

    @Test func `while the clocks agree, moments are the wall clock's`() {
        #expect(
            moments([(50_000, 0), (60_000, 10_000), (70_003, 20_000)]) == [50_000, 60_000, 70_003])
    }

    @Test func `when the wall clock is set back, time goes on as the machine's uptime does`() {
        let set = moments([(90_000, 0), (10_000, 10_000), (20_000, 20_000), (105_000, 30_000)])
        #expect(set == [90_000, 100_000, 110_000, 120_000])
    }

    @Test func `once the wall clock has caught up, it counts again`() {
        #expect(
            moments([(90_000, 0), (10_000, 10_000), (120_000, 20_000)]) == [
                90_000, 100_000, 120_000,
            ])
    }

    @Test func `a jump forward is taken`() {
        #expect(moments([(90_000, 0), (3_690_000, 10_000)]) == [90_000, 3_690_000])
    }

    @Test func `two samples never have one moment`() {
        #expect(moments([(90_000, 0), (90_000, 0), (90_000, 0)]) == [90_000, 90_001, 90_002])
    }

    @Test func `after a restart, time goes on after what was written down`() {
        #expect(
            moments([(10_000, 5_000), (20_000, 15_000)], after: 500_000) == [500_001, 510_001])
        #expect(moments([(600_000, 5_000)], after: 500_000) == [600_000])
    }
}
