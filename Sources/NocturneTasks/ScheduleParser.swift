// ScheduleParser.swift — what a schedule has besides an expression: a zone, an interval. Next: CronParser.swift.

internal import NocturneCore

extension CronParser {
    /// Skips `CRON_TZ=Zone` or `TZ=Zone` and blanks.
    mutating func zone() throws(ScheduleError) -> Zone? {
        skipBlanks()
        guard skip("CRON_TZ=") || skip("TZ=") else { return nil }
        let start = offset
        skipWord()
        let name = string(start..<offset)
        guard !name.isEmpty else {
            throw unexpected("the name of a time zone", hint: "such as CRON_TZ=Europe/Berlin")
        }
        skipBlanks()
        do throws(ZoneError) {
            return try Zone(name)
        } catch {
            throw .zone(error)
        }
    }

    /// The longest interval, ten years: beyond it a mistake is likelier than a wish.
    private static let longestInterval = 3_650 * secondsPerDay

    /// Reads `@every` and an interval, if that is next.
    mutating func interval() throws(ScheduleError) -> Duration? {
        skipBlanks()
        let word = offset
        skipWord()
        guard string(word..<offset).lowercased() == "@every" else {
            offset = word
            return nil
        }
        skipBlanks()
        let start = offset
        var seconds = 0
        var units = IntervalText.units[...]
        repeat {
            guard let number = digits() else {
                throw unexpected("an interval such as 90m or 1h30m")
            }
            units = units[try unit(of: units)...]
            // No overflow: neither factor is beyond 10^9.
            seconds += min(number * (units.first?.seconds ?? 1), Self.longestInterval + 1)
            units = units.dropFirst()
        } while scalar != nil && scalar != " " && scalar != "\t"
        guard (1...Self.longestInterval).contains(seconds) else {
            throw .outOfRange(
                string(start..<offset), allowed: "1s-\(Self.longestInterval / secondsPerDay)d",
                at: place(start), hint: nil)
        }
        skipBlanks()
        guard scalar == nil else { throw unexpected("the end") }
        return .seconds(seconds)
    }

    /// Reads the name of one of `units`, and says which it is.
    private mutating func unit(
        of units: ArraySlice<IntervalText.Unit>
    ) throws(ScheduleError) -> Int {
        let start = offset
        let word = letters()
        guard let unit = units.firstIndex(where: { $0.name == word }) else {
            offset = start
            throw .unexpected(
                word.isEmpty ? "no unit" : quoted(word),
                expected: units.isEmpty
                    ? "the end" : "one of \(units.map(\.name).joined(separator: ", "))",
                at: place(start), hint: CronHint.unit(word))
        }
        return unit
    }
}

/// An interval in whole seconds, as text.
struct IntervalText {
    typealias Unit = (name: String, word: String, seconds: Int)

    static let units: [Unit] = [
        ("d", "day", 86_400), ("h", "hour", 3_600), ("m", "minute", 60), ("s", "second", 1),
    ]

    private let parts: [(count: Int, name: String, word: String)]

    init(_ interval: Duration) {
        var rest = Int(interval.components.seconds)
        parts = Self.units.compactMap { unit in
            defer { rest %= unit.seconds }
            let count = rest / unit.seconds
            return count == 0 ? nil : (count, unit.name, unit.word)
        }
    }

    /// `1h30m`
    var short: String { parts.map { "\($0.count)\($0.name)" }.joined() }

    /// `1 hour 30 minutes`; the number 1 is left out if it stands alone.
    var long: String {
        if parts.count == 1, let part = parts.first, part.count == 1 { return part.word }
        return parts.map { "\($0.count) \($0.word)\($0.count == 1 ? "" : "s")" }
            .joined(separator: " ")
    }
}
