// StableHash.swift — a hash that is the same in every process, for choices that must be repeatable.
// Next: Allocator.swift.

internal import Glibc

/// A hash that is the same in every process, unlike Swift's own.
enum StableHash {
    /// 64-bit FNV-1a (Fowler, Noll, Vo) of the seed's bytes and the text's, mixed once more so that all bits depend on
    /// all.
    static func of(_ text: String, seed: UInt64) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for shift in stride(from: 0, to: 64, by: 8) {
            hash = (hash ^ ((seed >> UInt64(shift)) & 0xFF)) &* 0x0000_0100_0000_01B3
        }
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        return hash ^ (hash >> 33)
    }
}

/// The natural logarithm.
func logarithm(_ value: Double) -> Double { log(value) }
