// CronOracleTests.swift — random expressions, zones and moments against brute force, most where a clock changes.
// Next: ZoneTests.swift.

import Glibc
import Testing

import NocturneCore
import NocturneTasks

/// One after the other: each keeps a thread busy, and other suites' tests wait for their turn.
@Suite(.serialized) struct CronOracleTests {
    /// Moments of a plain run. `NOCTURNE_CRON_MOMENTS=5000000` tries more.
    private static let moments =
        getenv("NOCTURNE_CRON_MOMENTS").flatMap { Int(String(cString: $0)) } ?? 110_000
    /// Moments that are tried in each window, and expressions for each window.
    private static let momentsPerExpression = 20, expressionsPerWindow = 8

    /// Summer time of an hour, two hours and half an hour; at midnight; the other way around; lost and doubled days;
    /// offsets with quarters of an hour; changes that were political.
    private static let zones = [
        "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "America/New_York",
        "America/St_Johns", "America/Sao_Paulo", "America/Santiago", "America/Havana",
        "America/Caracas", "America/Nuuk", "Africa/Cairo", "Africa/Casablanca", "Africa/Monrovia",
        "Asia/Tehran", "Asia/Kathmandu", "Asia/Beirut", "Asia/Gaza", "Asia/Pyongyang",
        "Asia/Kolkata", "Australia/Lord_Howe", "Australia/Sydney", "Pacific/Apia",
        "Pacific/Chatham", "Pacific/Kwajalein", "Antarctica/Troll", "Antarctica/Casey",
    ]

    /// A zone, and where its offset changes from 1970 to 2100, found by weeks and halves.
    private struct Changes {
        let zone: Zone
        /// Seconds since 1970, and by how many seconds the clock jumps.
        private(set) var all: [(at: Int, jump: Int)] = []

        init(_ name: String) throws {
            zone = try Zone(name)
            let week = 7 * 86_400
            var before = offset(week)
            for start in stride(from: week, to: 130 * 365 * 86_400, by: week) {
                let after = offset(start + week)
                if after != before {
                    var (low, high) = (start, start + week)
                    while high - low > 1 {
                        let middle = (low + high) / 2
                        if offset(middle) == before { low = middle } else { high = middle }
                    }
                    all.append((high, after - before))
                }
                before = after
            }
        }

        private func offset(_ second: Int) -> Int {
            zone.offset(at: UnixTime(seconds: Int64(second)))
        }

        /// Monrovia was 44 minutes and 30 seconds behind: such changes can be seen by the second only.
        func isByTheMinute(at second: Int) -> Bool {
            offset(second) % 60 == 0 && offset(second - 1) % 60 == 0
        }
    }

    @Test func `runs by the minute are those of brute force`() throws {
        try compare(share: 7, step: 60, largestJump: 86_400)
    }

    @Test func `runs by the second are those of brute force`() throws {
        try compare(share: 1, step: 1, largestJump: 3_600)
    }

    /// Tries `share` of 8 moments, most of them around changes of at most `largestJump` seconds.
    private func compare(share: Int, step: Int, largestJump: Int) throws {
        var random = SeededGenerator(seed: UInt64(step))
        let zones = try Self.zones.map { try Changes($0) }
        var left = Self.moments * share / 8
        while left > 0 {
            let changes = random.pick(zones)
            let any = (at: 86_400 * 365 * 40 + random.below(86_400 * 365 * 80), jump: 0)
            let (at, jump) =
                random.isOneIn(8) ? any : changes.all.randomElement(using: &random) ?? any
            guard abs(jump) <= largestJump, step == 1 || changes.isByTheMinute(at: at) else {
                continue
            }
            let middle = at / step * step
            // Runs are asked for on both sides of a gap or overlap, and all that may change them is known.
            let reach = abs(jump) + (step == 1 ? 600 : random.isOneIn(4) ? 86_400 : 7_200)
            let known = reach + abs(jump) + step
            let window = OracleWindow(
                changes.zone, middle - known..<middle + known, step: step,
                checked: middle - reach..<middle + reach)
            for _ in 0..<Self.expressionsPerWindow {
                let expression = OracleExpression(
                    hasSeconds: step == 1, isSparse: false, using: &random)
                guard check(expression, changes.zone, window, &random) else { return }
                left -= Self.momentsPerExpression
            }
        }
    }

    /// Whether the next runs after some moments are right.
    private func check(
        _ expression: OracleExpression, _ zone: Zone, _ window: OracleWindow,
        _ random: inout SeededGenerator
    ) -> Bool {
        let (gap, overlap) = (random.pick(ClockGap.allCases), random.pick(ClockOverlap.allCases))
        let isDebian = !random.isOneIn(3)
        let policy = isDebian ? (ClockGap.debian, ClockOverlap.debian) : (gap, overlap)
        let runs = window.runs(of: expression, gap: policy.0, overlap: policy.1)
        let start = UnixTime(seconds: Int64(window.checked.lowerBound) - 1)
        guard
            let schedule = try? Schedule(
                expression.text, from: start, in: zone, gap: policy.0, overlap: policy.1)
        else {
            // A date that there is not, or not any more.
            if runs.isEmpty { return true }
            Issue.record("\(expression.text) in \(zone) was refused, but runs at \(runs)")
            return false
        }
        for place in 0..<Self.momentsPerExpression {
            // Half of them are runs, or just before.
            let moment =
                place % 2 == 0 && !runs.isEmpty
                ? random.pick(runs) - random.below(2)
                : window.checked.lowerBound + random.below(window.checked.count)
            let found = schedule.next(after: UnixTime(seconds: Int64(moment)))
            let expected = runs.first { $0 > moment }.map { UnixTime(seconds: Int64($0)) }
            let isBeyond = found.map { $0.seconds >= Int64(window.checked.upperBound) } ?? true
            guard found == expected || expected == nil && isBeyond else {
                Issue.record(
                    """
                    \(expression.text) in \(zone), \(policy), after \(moment): \
                    found \(show(found)), expected \(show(expected))
                    """)
                return false
            }
        }
        return true
    }

    @Test func `days far ahead are those of brute force`() throws {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<Self.moments / 20 {
            let expression = OracleExpression(hasSeconds: false, isSparse: true, using: &random)
            let first = random.below(45_000)
            // Ten years are enough but for the rarest, of which it is known that they are not there.
            let expected = (first..<first + 3_653).first { expression.means(OracleDay.all[$0]) }
            let start = UnixTime(seconds: Int64(first) * 86_400 - 1)
            let found = try? Schedule(expression.text, from: start).next(after: start)
            let day = found.map { Int($0.seconds / 86_400) }
            guard day == expected || expected == nil && day ?? .max >= first + 3_653 else {
                Issue.record(
                    "\(expression.text) from day \(first): \(show(found)), not \(expected ?? -1)")
                return
            }
        }
    }

    @Test func `what is printed reads back as an equal expression, and as the same text`() throws {
        var random = SeededGenerator(seed: 4)
        for place in 0..<3_000 {
            let text = OracleExpression(
                hasSeconds: place % 3 == 0, isSparse: place % 2 == 0, using: &random
            ).text
            guard let expression = try? CronExpression(text) else { continue }
            let printed = expression.description
            let again = try CronExpression(printed)
            guard again == expression, again.description == printed else {
                Issue.record("\(text) is printed as \(printed), then as \(again)")
                return
            }
        }
    }
}
