// CronParser.swift — reads cron expressions strictly, and says where one goes wrong. Next: CronHints.swift.

internal import NocturneCore

/// A position in the text of an expression.
struct CronParser {
    /// UTF-8 bytes; lists of all seconds, minutes, hours and years in one expression are shorter.
    static let maximumLength = 1_024

    let text: String
    private let scalars: [Unicode.Scalar]
    var offset = 0
    private var field: CronField?

    init(_ text: String) throws(ScheduleError) {
        guard text.utf8.count <= Self.maximumLength else {
            throw .tooLong(bytes: text.utf8.count, limit: Self.maximumLength)
        }
        self.text = text
        scalars = Array(text.unicodeScalars)
    }

    var scalar: Unicode.Scalar? { offset < scalars.count ? scalars[offset] : nil }

    /// Reads what is left of the text.
    mutating func expression() throws(ScheduleError) -> [CronList] {
        skipBlanks()
        if scalar == "@" { return try nickname() }
        let start = offset
        var words = 0
        while offset < scalars.count {
            words += 1
            skipWord()
            skipBlanks()
        }
        guard let layout = CronField.layouts[words] else {
            throw .fieldCount(words, at: place(start))
        }
        offset = start
        var lists: [CronList] = []
        for next in layout {
            field = next
            lists.append(try list(of: next))
            skipBlanks()
        }
        return lists
    }

    // MARK: - Nicknames

    private static let nicknames = [
        "@annually": "0 0 1 1 *", "@yearly": "0 0 1 1 *", "@monthly": "0 0 1 * *",
        "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *",
        "@hourly": "0 * * * *",
    ]

    private mutating func nickname() throws(ScheduleError) -> [CronList] {
        let start = offset
        skipWord()
        let word = string(start..<offset)
        guard let expression = Self.nicknames[word.lowercased()] else {
            let known = Self.nicknames.keys.sorted() + ["@every"]
            throw .unexpected(
                quoted(word), expected: "one of \(known.joined(separator: ", "))", at: place(start),
                hint: CronHint.nickname(word, of: known))
        }
        skipBlanks()
        guard scalar == nil else { throw unexpected("the end") }
        var parser = try CronParser(expression)
        return try parser.expression()
    }

    // MARK: - Fields

    private mutating func list(of field: CronField) throws(ScheduleError) -> CronList {
        var items: [CronItem] = []
        if scalar == "?" {
            guard field == .dayOfMonth || field == .dayOfWeek else {
                throw unexpected(expectation(of: field), hint: CronHint.questionMark)
            }
            offset += 1
            items = [.every(step: 1)]
        } else {
            items.append(try item(of: field))
            while scalar == "," {
                offset += 1
                items.append(try item(of: field))
            }
        }
        guard scalar.map(isBlank) ?? true else {
            throw unexpected(
                "a blank or a comma", hint: CronHint.after(items.last, found: scalar, in: field))
        }
        return CronList(field, items)
    }

    private mutating func item(of field: CronField) throws(ScheduleError) -> CronItem {
        if scalar == "*" {
            offset += 1
            return .every(step: try step())
        }
        if field == .dayOfMonth, isNext("L") { return try lastDay() }
        let low = try value(of: field)
        switch scalar {
        case "-":
            offset += 1
            let place = offset
            let high = try value(of: field)
            if field == .year, high < low {
                throw .outOfRange(
                    "\(high)", allowed: "\(low)-\(field.range.upperBound)", at: self.place(place),
                    hint: "did you mean \(high)-\(low)?")
            }
            return range(low, high, step: try step(), of: field)
        case "/":
            return range(low, field.range.upperBound, step: try step(), of: field)
        case "#" where field == .dayOfWeek:
            offset += 1
            return .nth(
                dayOfWeek: low % 7, occurrence: try number(in: 1...5, hint: CronHint.occurrence))
        case _ where field == .dayOfWeek && isNext("L"):
            offset += 1
            return .lastOf(dayOfWeek: low % 7)
        case _ where field == .dayOfMonth && isNext("W"):
            offset += 1
            return .weekday(near: low)
        default: break
        }
        return range(low, low, step: 1, of: field)
    }

    /// Sunday is 0 at the start of a range and 7 at its end, so that `7-2` and `FRI-SUN` are ranges too.
    private func range(_ low: Int, _ high: Int, step: Int, of field: CronField) -> CronItem {
        var (low, high) = (low, high)
        if field == .dayOfWeek {
            if low == 7 {
                (low, high) = (0, high % 7)
            } else if low > 0, high == 0 {
                high = 7
            }
        }
        // The step of a single value says nothing, and `8/6` would read back as `8-59/6`.
        return .range(low: low, high: high, step: low == high ? 1 : step)
    }

    /// `L`, `LW` or `L-3`.
    private mutating func lastDay() throws(ScheduleError) -> CronItem {
        offset += 1
        if isNext("W") {
            offset += 1
            return .lastWeekday
        }
        guard scalar == "-" else { return .last(before: 0) }
        offset += 1
        return .last(before: try number(in: 1...30, hint: nil))
    }

    private mutating func step() throws(ScheduleError) -> Int {
        guard scalar == "/" else { return 1 }
        offset += 1
        return try number(in: 1...Self.maximumStep, hint: nil)
    }

    /// Steps beyond a field's size are odd, but every cron takes them: only the first value is left.
    private static let maximumStep = 9_999

    // MARK: - Words

    /// A number in the range of the field, or a name.
    private mutating func value(of field: CronField) throws(ScheduleError) -> Int {
        guard let first = scalar, isLetter(first) else {
            guard scalar.map(isDigit) ?? false else {
                throw unexpected(expectation(of: field), hint: CronHint.start(scalar, in: field))
            }
            return try number(in: field.range) { CronHint.number($0, in: field) }
        }
        let start = offset
        var word = letters()
        let names = field.names
        // FRIL is FRI and then L.
        if field == .dayOfWeek, word.count == 4, word.last == "L" || word.last == "l" {
            word.removeLast()
            offset -= 1
        }
        guard let index = names.firstIndex(of: word.uppercased()) else {
            let found = string(start..<wordEnd(from: start))
            offset = start
            throw .unexpected(
                quoted(found), expected: expectation(of: field), at: place(start),
                hint: CronHint.word(found, in: field))
        }
        return field.range.lowerBound + index
    }

    private mutating func number(
        in range: ClosedRange<Int>, hint: String?
    ) throws(ScheduleError) -> Int {
        try number(in: range) { _ in hint }
    }

    private mutating func number(
        in range: ClosedRange<Int>, hint: (Int) -> String?
    ) throws(ScheduleError) -> Int {
        let start = offset
        guard let number = digits() else {
            throw unexpected("a number, \(range.lowerBound)-\(range.upperBound)")
        }
        guard range.contains(number) else {
            throw .outOfRange(
                string(start..<offset), allowed: "\(range.lowerBound)-\(range.upperBound)",
                at: place(start), hint: hint(number))
        }
        return number
    }

    // MARK: - Scalars

    /// A number without a sign, if one is next; of those beyond all ranges only that they are.
    mutating func digits() -> Int? {
        guard scalar.map(isDigit) ?? false else { return nil }
        var number = 0
        while let digit = scalar, isDigit(digit) {
            number = min(number * 10 + Int(digit.value - 48), 1_000_000_000)
            offset += 1
        }
        return number
    }

    /// The letters of ASCII that are next.
    mutating func letters() -> String {
        let start = offset
        while let next = scalar, isLetter(next) { offset += 1 }
        return string(start..<offset)
    }

    /// Skips these scalars, if they are next.
    mutating func skip(_ word: String) -> Bool {
        guard scalars[offset...].starts(with: word.unicodeScalars) else { return false }
        offset += word.unicodeScalars.count
        return true
    }

    mutating func skipBlanks() { while let next = scalar, isBlank(next) { offset += 1 } }

    mutating func skipWord() { while let next = scalar, !isBlank(next) { offset += 1 } }

    /// Where the letters, digits and other scalars of an item end.
    private func wordEnd(from start: Int) -> Int {
        scalars[start...].firstIndex { isBlank($0) || $0 == "," || $0 == "-" || $0 == "/" }
            ?? scalars.count
    }

    private func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" }

    private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("A"..."Z").contains(scalar) || ("a"..."z").contains(scalar)
    }

    /// Whether this letter is next, in either case.
    private func isNext(_ letter: Character) -> Bool {
        scalar.map { Character($0).uppercased() == String(letter) } ?? false
    }

    func string(_ range: Range<Int>) -> String {
        String(String.UnicodeScalarView(scalars[range]))
    }

    // MARK: - Errors

    func place(_ offset: Int) -> ScheduleError.Place {
        ScheduleError.Place(text: text, field: field, column: offset + 1)
    }

    func unexpected(_ expected: String, hint: String? = nil) -> ScheduleError {
        .unexpected(
            scalar.map { isBlank($0) ? "a blank" : quoted(String($0)) } ?? "the end",
            expected: expected,
            at: place(offset), hint: hint)
    }

    private func expectation(of field: CronField) -> String {
        let numbers = "\(field.range.lowerBound)-\(field.range.upperBound)"
        let names = field.names
        guard let first = names.first, let last = names.last else { return "\(numbers) or *" }
        return "\(numbers), \(first)-\(last) or *"
    }
}
