// TaskFixtures.swift — moments in a few letters, and random numbers that repeat. Next: CronCaseTests.swift.

import Glibc
import Testing

import NocturneCore
import NocturneTasks

/// A moment as in ISO 8601, to the minute or the second, with an offset or in UTC: `2025-03-30T03:00+02:00`.
func moment(_ text: String) throws -> UnixTime {
    let digits = text.split { !$0.isNumber }.compactMap { Int32($0) }
    var parts = tm()
    try #require(digits.count >= 5, "\(text)")
    (parts.tm_year, parts.tm_mon, parts.tm_mday) = (digits[0] - 1_900, digits[1] - 1, digits[2])
    (parts.tm_hour, parts.tm_min) = (digits[3], digits[4])
    let time = text.dropFirst("2025-03-30T".count)
    let sign = time.contains("-") ? -1 : time.contains("+") ? 1 : 0
    let isToTheSecond = time.count { $0 == ":" } == (sign == 0 ? 2 : 3)
    if isToTheSecond { parts.tm_sec = digits[5] }
    var seconds = timegm(&parts)
    if sign != 0, let minutes = digits.last, let hours = digits.dropLast().last {
        seconds -= sign * Int(hours * 60 + minutes) * 60
    }
    return UnixTime(seconds: Int64(seconds))
}

/// The same back, in UTC.
func show(_ time: UnixTime?) -> String {
    guard let time else { return "never" }
    var seconds = time_t(time.seconds), parts = tm()
    gmtime_r(&seconds, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(parts.tm_year + 1_900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T"
        + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
}

/// The error of what must fail.
func refusal(_ text: String, from start: String = "2025-01-01T00:00") throws -> ScheduleError? {
    let start = try moment(start)
    do throws(ScheduleError) {
        _ = try Schedule(text, from: start)
        return nil
    } catch {
        return error
    }
}

/// The same numbers on every machine.
typealias SeededGenerator = SplitMix64

extension SplitMix64 {
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func isOneIn(_ count: Int) -> Bool { below(count) == 0 }

    mutating func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }
}
