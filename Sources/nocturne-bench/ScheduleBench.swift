// ScheduleBench.swift — what it costs to read a schedule, to find its next run and to look up a time zone.

import CLinux
import Glibc
import NocturneCore
import NocturneTasks

struct ScheduleBench {
    let isQuick: Bool
    /// A zone with a clock that is set twice a year.
    private static let zone = "Europe/Berlin"
    private static let expressions = [
        ("minutely", "* * * * *"), ("workdays", "30 9 * * MON-FRI"), ("leap-days", "0 0 29 2 *"),
    ]

    func run() throws {
        let zone = try Zone(Self.zone)
        // Moments of twenty years, and how C's library finds the same.
        let moments = (0..<1_024).map { UnixTime(seconds: 1_000_000_000 + $0 * 616_033) }
        setenv("TZ", Self.zone, 1)
        tzset()
        let local = nanoseconds(moments) { moment in
            var seconds = time_t(moment.seconds), parts = tm()
            localtime_r(&seconds, &parts)
            return parts.tm_gmtoff
        }
        let lookup = nanoseconds(moments) { zone.offset(at: $0) }
        Bench.report("tasks.zone.offset", lookup, "ns", floor: local)
        for (name, text) in Self.expressions {
            let text = "CRON_TZ=\(Self.zone) \(text)"
            let schedule = try Schedule(text, from: moments[0])
            let next = nanoseconds(moments) { Int(schedule.next(after: $0)?.seconds ?? 0) }
            // It must at least find out what the clock shows there.
            Bench.report("tasks.cron.\(name).next", next, "ns", floor: local)
            let read = nanoseconds(moments) { moment in
                (try? Schedule(text, from: moment)) == nil ? 0 : 1
            }
            Bench.report("tasks.cron.\(name).read", read, "ns")
        }
    }

    /// The best round's mean: what is this small differs between rounds only by what else the machine does.
    private func nanoseconds(_ moments: [UnixTime], _ operation: (UnixTime) -> Int) -> Double {
        var best = Double.infinity, sum = 0
        for _ in 0..<(isQuick ? 3 : 20) {
            let start = clinux_now()
            for moment in moments { sum &+= operation(moment) }
            best = min(best, Double(clinux_now() - start) / Double(moments.count))
        }
        // Printed nowhere, but the loop must not be left out.
        if sum == .min { complain("\(sum)") }
        return best
    }
}
