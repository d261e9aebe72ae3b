// VersionNumber.swift — a natural number of any size: SemVer sets no bound, and published versions
// have 23 digits. Next: SemanticVersionCore.swift.

/// One number of a version, without bound. Almost all fit in 64 bits and cost no allocation.
public struct VersionNumber: Sendable, Hashable, Comparable, CustomStringConvertible,
    ExpressibleByIntegerLiteral
{
    private enum Storage: Hashable {
        case small(UInt64)
        /// Decimal digits of a number above `UInt64.max`, without leading zeros.
        case large(String)
    }

    private let storage: Storage

    /// A number of 64 bits.
    public init(_ value: UInt64) {
        storage = .small(value)
    }

    /// A number in source text.
    public init(integerLiteral value: UInt64) {
        storage = .small(value)
    }

    /// Digits that were checked: 0...9 only, no leading zeros, not empty.
    init(digits: ArraySlice<UInt8>) {
        var value: UInt64 = 0
        for digit in digits {
            let (product, first) = value.multipliedReportingOverflow(by: 10)
            let (sum, second) = product.addingReportingOverflow(
                UInt64(digit - UInt8(ascii: "0")))
            if first || second {
                storage = .large(String(decoding: digits, as: UTF8.self))
                return
            }
            value = sum
        }
        storage = .small(value)
    }

    /// The number, or `nil` above `UInt64.max`.
    public var uint64: UInt64? {
        if case .small(let value) = storage { value } else { nil }
    }

    /// The next larger number.
    public var successor: VersionNumber {
        if case .small(let value) = storage, value < .max { return VersionNumber(value + 1) }
        var digits = Array(description.utf8)
        var place = digits.count - 1
        while place >= 0, digits[place] == UInt8(ascii: "9") {
            digits[place] = UInt8(ascii: "0")
            place -= 1
        }
        if place >= 0 { digits[place] += 1 } else { digits.insert(UInt8(ascii: "1"), at: 0) }
        return VersionNumber(digits: digits[...])
    }

    /// Decimal digits.
    public var description: String {
        switch storage {
        case .small(let value): String(value)
        case .large(let digits): digits
        }
    }

    /// Numeric order: of two large numbers the longer one is larger, then the digits decide.
    public static func < (left: VersionNumber, right: VersionNumber) -> Bool {
        switch (left.storage, right.storage) {
        case (.small(let left), .small(let right)): left < right
        case (.small, .large): true
        case (.large, .small): false
        case (.large(let left), .large(let right)):
            left.utf8.count == right.utf8.count
                ? left < right : left.utf8.count < right.utf8.count
        }
    }
}
