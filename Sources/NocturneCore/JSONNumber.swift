// JSONNumber.swift — a JSON number as it was written, so that integers beyond 2^53 survive,
// compared by value. All arithmetic is on decimal digits and bounded by the length of the literal.
// Next: JSONObject.swift.

/// A JSON number. Keeps its literal exactly and prints it back; equality, order and hash are those
/// of the mathematical value (`1.0 == 1`, `1e2 == 100`, `-0 == 0`), without rounding.
///
/// No operation costs more than the length of the two literals, however large the exponents.
public struct JSONNumber: Sendable, CustomStringConvertible {
    /// Digits an exponent may have, leading zeros apart: below 10^18, so that the position of a
    /// number's first digit fits in `Int` exactly. RFC 8259 §9 lets an implementation set a limit.
    public static let maximumExponentDigits = 18

    /// The number as written: always valid JSON.
    public let literal: String

    /// An integer of any width, exactly.
    public init(_ value: some FixedWidthInteger) {
        literal = String(value)
    }

    /// The shortest literal that reads back as `value`; `nil` for NaN and the infinities.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        literal = value.description
    }

    /// Takes `literal` if it is exactly one JSON number (no spaces, no leading `+` or zeros).
    public init?(literal: String) {
        guard let value = try? JSONParser.parse(Array(literal.utf8)),
            case .number(let number) = value,
            number.literal.utf8.elementsEqual(literal.utf8)
        else { return nil }
        self = number
    }

    /// For the parser, which has checked the literal.
    init(validated literal: String) {
        self.literal = literal
    }

    /// The literal.
    public var description: String { literal }

    /// The value if it is an integer within `Int64` (`1.0` and `1e2` are), else `nil`.
    public var int64: Int64? {
        if let value = Int64(literal) { return value }
        return decimal.int64
    }

    /// The nearest `Double`; ±infinity beyond its range (about 1.8e308).
    public var double: Double {
        // The standard library accepts every JSON number, so the default is never used.
        Double(literal) ?? .nan
    }

    /// Whether the value has no fraction, whatever its size: what JSON Schema calls `integer`.
    public var isInteger: Bool {
        decimal.exponent >= 0
    }

    /// The value in its only normalized form.
    package var decimal: ExactDecimal {
        ExactDecimal(literal: literal)
    }
}

extension JSONNumber: Hashable, Comparable {
    /// Whether both have the same mathematical value.
    public static func == (left: JSONNumber, right: JSONNumber) -> Bool {
        left.literal == right.literal || left.decimal == right.decimal
    }

    /// Whether the mathematical value of `left` is the smaller.
    public static func < (left: JSONNumber, right: JSONNumber) -> Bool {
        if let left = Int64(left.literal), let right = Int64(right.literal) { return left < right }
        return left.decimal < right.decimal
    }

    /// Feeds the mathematical value.
    public func hash(into hasher: inout Hasher) {
        if let value = int64 {
            hasher.combine(value)
        } else {
            hasher.combine(decimal)
        }
    }
}

/// A decimal number of any size: ±`digits` × 10^`exponent`, with neither leading nor trailing
/// zeros, so that equal numbers have equal fields. Zero is no digits, exponent 0, not negative.
package struct ExactDecimal: Sendable, Hashable, Comparable {
    /// Whether the value is below zero.
    package private(set) var isNegative = false
    /// Decimal digits, each 0...9, most significant first.
    package private(set) var digits: [UInt8] = []
    /// The power of ten of the last digit. Negative exactly when there is a fraction.
    package private(set) var exponent = 0

    /// Reads a literal that is valid JSON with an exponent of at most
    /// ``JSONNumber/maximumExponentDigits`` digits.
    init(literal: String) {
        var written = 0
        var isExponentNegative = false
        var isInFraction = false
        var isInExponent = false
        digits.reserveCapacity(literal.utf8.count)
        for byte in literal.utf8 {
            switch byte {
            case UInt8(ascii: "."):
                isInFraction = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                isInExponent = true
            case UInt8(ascii: "-"):
                if isInExponent { isExponentNegative = true } else { isNegative = true }
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let digit = byte - UInt8(ascii: "0")
                if isInExponent {
                    written = written * 10 + Int(digit)
                } else {
                    if !(digits.isEmpty && digit == 0) { digits.append(digit) }
                    if isInFraction { exponent -= 1 }
                }
            default:
                break  // The sign "+" of an exponent.
            }
        }
        exponent += isExponentNegative ? -written : written
        while digits.last == 0 {
            digits.removeLast()
            exponent += 1
        }
        if digits.isEmpty { (isNegative, exponent) = (false, 0) }
    }

    /// The value if it is an integer within `Int64`.
    package var int64: Int64? {
        // 19 digits hold every Int64; the bound also keeps the loop of zeros short.
        guard exponent >= 0, exponent <= 19, digits.count + exponent <= 19 else { return nil }
        var magnitude: UInt64 = 0
        for digit in digits { magnitude = magnitude * 10 + UInt64(digit) }
        for _ in 0..<exponent { magnitude *= 10 }
        if isNegative {
            return magnitude <= Int64.min.magnitude
                ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
        }
        return Int64(exactly: magnitude)
    }

    package static func < (left: ExactDecimal, right: ExactDecimal) -> Bool {
        if left.isNegative != right.isNegative { return left.isNegative }
        return left.isNegative
            ? right.isMagnitudeBelow(left) : left.isMagnitudeBelow(right)
    }

    private func isMagnitudeBelow(_ other: ExactDecimal) -> Bool {
        if digits.isEmpty || other.digits.isEmpty { return digits.isEmpty && !other.digits.isEmpty }
        let (ownPlace, otherPlace) = (digits.count + exponent, other.digits.count + other.exponent)
        if ownPlace != otherPlace { return ownPlace < otherPlace }
        return digits.lexicographicallyPrecedes(other.digits)
    }

    /// Whether this is `divisor` times an integer, exactly.
    ///
    /// - Returns: `nil` if the divisor is zero or its digits do not fit in 64 bits (more than 19 of
    ///   them): dividing by such a number would cost the product of both lengths.
    package func isMultiple(of divisor: ExactDecimal) -> Bool? {
        var modulus: UInt64 = 0
        for digit in divisor.digits {
            let (product, first) = modulus.multipliedReportingOverflow(by: 10)
            let (sum, second) = product.addingReportingOverflow(UInt64(digit))
            if first || second { return nil }
            modulus = sum
        }
        guard modulus != 0 else { return nil }
        if digits.isEmpty { return true }
        // Our digits do not end in zero, so no division by a further power of ten is exact.
        guard exponent >= divisor.exponent else { return false }
        var remainder: UInt64 = 0
        for digit in digits {
            remainder = Self.multiply(remainder, 10, plus: UInt64(digit), modulo: modulus)
        }
        // The remainder of 10^power by squaring: at most 61 steps, since exponents stay below 2^61.
        var power = exponent - divisor.exponent
        var base = 10 % modulus
        while power > 0 {
            if power & 1 == 1 {
                remainder = Self.multiply(remainder, base, plus: 0, modulo: modulus)
            }
            base = Self.multiply(base, base, plus: 0, modulo: modulus)
            power >>= 1
        }
        return remainder == 0
    }

    private static func multiply(
        _ left: UInt64, _ right: UInt64, plus addend: UInt64, modulo modulus: UInt64
    ) -> UInt64 {
        let product = UInt128(left) * UInt128(right) + UInt128(addend)
        return UInt64(product % UInt128(modulus))
    }
}
