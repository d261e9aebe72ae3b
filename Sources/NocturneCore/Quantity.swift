// Quantity.swift — amounts as people write them, "64MiB" and "250ms", and as programs do, plain
// integers. Next: Manifest.swift.

/// An amount of memory or data in bytes.
public struct ByteCount: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Bytes, never negative.
    public let bytes: Int64

    private static let units: [(name: String, size: Int64)] = [
        ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
    ]

    /// A number of bytes, at least 0.
    public init(bytes: Int64) {
        precondition(bytes >= 0, "a byte count of \(bytes)")
        self.bytes = bytes
    }

    /// A number of MiB (2^20 bytes), for source text.
    public static func mebibytes(_ count: Int64) -> ByteCount { ByteCount(bytes: count << 20) }

    /// Reads a whole number and a unit without a space: `512B`, `4KiB`, `64MiB`, `2GiB`, `1TiB`.
    ///
    /// - Throws: ``QuantityError``, which says what was found and which units there are.
    public init(_ text: String) throws(QuantityError) {
        bytes = try readQuantity(text, units: Self.units)
    }

    /// With the largest unit that gives a whole number; reads back as an equal amount.
    public var description: String { printQuantity(bytes, units: Self.units) }

    /// Numeric order.
    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
}

/// Time as text in manifests, settings and messages. Milliseconds are the finest unit there.
public enum DurationText {
    private static let units: [(name: String, size: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// Reads a whole number and a unit without a space: `250ms`, `5s`, `2m`, `1h`, `7d`.
    ///
    /// - Throws: ``QuantityError``, which says what was found and which units there are.
    public static func parse(_ text: String) throws(QuantityError) -> Duration {
        .milliseconds(try readQuantity(text, units: units))
    }

    /// With the largest unit that gives a whole number; a fraction of a millisecond is cut off.
    public static func describe(_ duration: Duration) -> String {
        printQuantity(duration.wholeMilliseconds, units: units)
    }
}

extension Duration {
    /// Milliseconds, rounded towards zero; the nearest `Int64` beyond its range.
    package var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let (sum, second) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        return overflow || second ? (seconds < 0 ? .min : .max) : sum
    }
}

/// Why a text is no quantity.
public enum QuantityError: Error, Sendable, Hashable, CustomStringConvertible {
    /// No whole number stands at the start, or it has leading zeros.
    case noNumber(_ text: String, units: [String])
    /// The unit is missing or unknown.
    case unknownUnit(_ unit: String, in: String, units: [String])
    /// More than 2^63 − 1 of the smallest unit.
    case tooLarge(_ text: String, units: [String])

    /// What is wrong and what would be right.
    public var description: String {
        switch self {
        case .noNumber(let text, let units):
            "invalid quantity \(quoted(text)): expected a whole number without leading zeros, "
                + "then one of \(units.joined(separator: ", "))"
        case .unknownUnit(let unit, let text, let units):
            "invalid quantity \(quoted(text)): found "
                + (unit.isEmpty ? "no unit" : "the unit \(quoted(unit))")
                + ", expected one of \(units.joined(separator: ", "))"
        case .tooLarge(let text, let units):
            "invalid quantity \(quoted(text)): more than \(Int64.max)\(units.first ?? "")"
        }
    }
}

private func readQuantity(
    _ text: String, units: [(name: String, size: Int64)]
) throws(QuantityError) -> Int64 {
    let names = units.map(\.name)
    let digits = text.utf8.prefix { $0 &- UInt8(ascii: "0") < 10 }
    guard !digits.isEmpty, digits.count == 1 || digits.first != UInt8(ascii: "0") else {
        throw .noNumber(text, units: names)
    }
    let name = text.utf8.dropFirst(digits.count)
    guard let unit = units.first(where: { $0.name.utf8.elementsEqual(name) }) else {
        throw .unknownUnit(String(decoding: name, as: UTF8.self), in: text, units: names)
    }
    guard let number = Int64(String(decoding: digits, as: UTF8.self)) else {
        throw .tooLarge(text, units: names)
    }
    let (result, overflow) = number.multipliedReportingOverflow(by: unit.size)
    guard !overflow else { throw .tooLarge(text, units: names) }
    return result
}

private func printQuantity(_ value: Int64, units: [(name: String, size: Int64)]) -> String {
    let unit = units.last { value != 0 && value % $0.size == 0 } ?? units[0]
    return "\(value / unit.size)\(unit.name)"
}
