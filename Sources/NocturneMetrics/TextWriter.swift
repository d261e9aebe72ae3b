// TextWriter.swift — bytes of text, one after the other, without a string for each number. Next: PrometheusText.swift.

/// A text in UTF-8 that is being written.
struct TextWriter {
    /// What was written.
    private(set) var bytes: [UInt8] = []

    /// Makes room for a text of about that size.
    mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    @inline(__always)
    mutating func append(_ text: [UInt8]) {
        // The array itself would be retained and released for it, which takes longer than the copy.
        text.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    }

    @inline(__always)
    mutating func append(_ text: UnsafeBufferPointer<UInt8>) { bytes.append(contentsOf: text) }

    mutating func append(string: String) { bytes.append(contentsOf: string.utf8) }

    @inline(__always)
    mutating func append(byte: UInt8) { bytes.append(byte) }

    // MARK: - Numbers

    /// All digits of a whole number.
    @inline(__always)
    mutating func append(integer: Int64) {
        if integer < 0 { bytes.append(UInt8(ascii: "-")) }
        append(integer: integer.magnitude)
    }

    /// All digits of a whole number.
    @inline(__always)
    mutating func append(integer: UInt64) {
        if integer < 10 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: integer))
            return
        }
        // UInt64 has at most 20 digits.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var (rest, place) = (integer, 20)
            while rest > 0 {
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                place -= 1
                digits[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
                rest = quotient
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[place...]))
        }
    }

    /// The shortest number that reads back as the same: `5`, `0.1`, `1e-07`, and as `+Inf`, `-Inf` and `NaN` what Swift
    /// would call otherwise.
    mutating func append(number: Double) {
        if let whole = Int64(exactly: number), whole.magnitude < 1 << 53 {
            // Int64 has no negative zero.
            if whole == 0, number.sign == .minus { bytes.append(UInt8(ascii: "-")) }
            append(integer: whole)
        } else if number.isFinite {
            append(string: number.description)
        } else {
            append(number.isNaN ? "NaN" : number < 0 ? "-Inf" : "+Inf")
        }
    }

    /// A number as it is in `le` and `quantile`, where its text is what counts: always with a point or an exponent,
    /// the exponent from a million on and below 0.0001 and with at least two digits (OpenMetrics 1.0, "Canonical
    /// Numbers": as Go's `%g`). So `1.0`, `100000.0`, `1e+06`, `1e-05`, `+Inf`.
    mutating func append(canonical number: Double) {
        guard number.isFinite else { return append(number: number) }
        if number.sign == .minus { bytes.append(UInt8(ascii: "-")) }
        let decimal = ShortestDecimal(number.magnitude)
        let (digits, point) = (decimal.digits, decimal.point)
        if point - 1 < -4 || point - 1 >= 6 {
            bytes.append(digits[0])
            if digits.count > 1 {
                bytes.append(UInt8(ascii: "."))
                bytes.append(contentsOf: digits.dropFirst())
            }
            append(point > 0 ? "e+" : "e-")
            let exponent = UInt64((point - 1).magnitude)
            if exponent < 10 { bytes.append(UInt8(ascii: "0")) }
            append(integer: exponent)
        } else if point <= 0 {
            append("0.")
            bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: -point))
            bytes.append(contentsOf: digits)
        } else {
            bytes.append(contentsOf: digits.prefix(point))
            let missing = max(0, point - digits.count)
            bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: missing))
            bytes.append(UInt8(ascii: "."))
            let fraction = digits.dropFirst(point)
            bytes.append(contentsOf: fraction.isEmpty ? [UInt8(ascii: "0")] : fraction)
        }
    }

    /// Milliseconds as seconds, exactly: `1700000000.123`.
    mutating func append(seconds milliseconds: Int64) {
        if milliseconds < 0 { bytes.append(UInt8(ascii: "-")) }
        let (whole, part) = milliseconds.magnitude.quotientAndRemainder(dividingBy: 1_000)
        append(integer: whole)
        bytes.append(UInt8(ascii: "."))
        for digit in [part / 100, part / 10 % 10, part % 10] { append(integer: digit) }
    }
}

/// The fewest decimal digits that tell a number from all others: 0.`digits` × 10^`point`.
private struct ShortestDecimal {
    /// In ASCII; the first is 0 only for zero, the last only for zero.
    private(set) var digits: [UInt8] = []
    /// Where the point stands: behind the first digit if it is 1.
    private(set) var point = 0

    /// Of a number that is finite and not negative.
    init(_ number: Double) {
        // Swift finds the digits, and arranges them in another way.
        var isInFraction = false
        var text = Array(number.description.utf8)[...]
        if let mark = text.firstIndex(of: UInt8(ascii: "e")) {
            point = Int(String(decoding: text[(mark + 1)...], as: UTF8.self)) ?? 0
            text = text[..<mark]
        }
        for byte in text {
            if byte == UInt8(ascii: ".") {
                isInFraction = true
            } else if digits.isEmpty, byte == UInt8(ascii: "0") {
                if isInFraction { point -= 1 }
            } else {
                digits.append(byte)
                if !isInFraction { point += 1 }
            }
        }
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        if digits.isEmpty { (digits, point) = ([UInt8(ascii: "0")], 1) }
    }
}
