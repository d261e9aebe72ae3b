// TimeText.swift — moments as people and programs write them: RFC 3339. Next: CivilDate.swift.

public import NocturneCore

extension UnixTime {
    /// Reads a moment with its zone, as RFC 3339 writes it: `2026-01-31T02:30:00Z`, `2026-01-31T02:30:00.250+01:00`.
    /// Fractions of a millisecond are cut off; a leap second is the second after it.
    ///
    /// `nil` for anything else, a day that its month does not have and a time without a zone above all.
    public init?(rfc3339 text: String) {
        var digits = TimeDigits(text)
        guard let year = digits.take(4), digits.skip("-"), let month = digits.take(2, in: 1...12),
            digits.skip("-"), let day = digits.take(2, in: 1...31),
            day <= CivilDate.days(inMonth: month, of: year), digits.skip("Tt "),
            let hour = digits.take(2, in: 0...23), digits.skip(":"),
            let minute = digits.take(2, in: 0...59), digits.skip(":"),
            let second = digits.take(2, in: 0...60), let fraction = digits.takeFraction(),
            let offset = digits.takeOffset(), digits.isAtEnd
        else { return nil }
        let days = CivilDate(year, month, day).number
        let seconds = days * secondsPerDay + hour * 3_600 + minute * 60 + second - offset
        self.init(milliseconds: Int64(seconds) * 1_000 + Int64(fraction))
    }
}

/// What is left of a text to read.
private struct TimeDigits {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    /// So many digits as a number.
    mutating func take(_ count: Int, in range: ClosedRange<Int> = 0...9_999) -> Int? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        rest = rest.dropFirst(count)
        let number = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return range.contains(number) ? number : nil
    }

    /// One of these characters.
    mutating func skip(_ characters: String) -> Bool {
        guard let first = rest.first, characters.utf8.contains(first) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// Milliseconds; 0 if there is no point, `nil` if nothing follows it.
    mutating func takeFraction() -> Int? {
        guard skip(".") else { return 0 }
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        guard !digits.isEmpty else { return nil }
        rest = rest.dropFirst(digits.count)
        let padded = Array(digits.prefix(3)) + [0x30, 0x30]
        return padded.prefix(3).reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// Seconds east of UTC.
    mutating func takeOffset() -> Int? {
        if skip("Zz") { return 0 }
        let isWest = rest.first == UInt8(ascii: "-")
        guard skip("+-"), let hours = take(2, in: 0...23), skip(":"),
            let minutes = take(2, in: 0...59)
        else { return nil }
        return (isWest ? -1 : 1) * (hours * 3_600 + minutes * 60)
    }
}
