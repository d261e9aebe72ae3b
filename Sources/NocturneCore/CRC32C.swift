// CRC32C.swift — tells a whole record of a file from one that was cut off or damaged.

/// The checksum of iSCSI, with Castagnoli's polynomial (RFC 3720, §12.1 and appendix B.4).
package enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { sum, _ in sum >> 1 ^ (sum & 1 == 0 ? 0 : 0x82F6_3B78) }
    }

    package static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        let table = table
        var sum = UInt32.max
        for byte in bytes { sum = sum >> 8 ^ table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] }
        return ~sum
    }
}
