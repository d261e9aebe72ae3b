// ContentHash.swift — the SHA-256 by which the object store names and compares plugin files.
// Next: ObjectStore.swift.

internal import CCrypto

/// The SHA-256 of a file's bytes: what a plugin *is*, whatever its path says.
///
/// Held as four big-endian words, so that it is compared, hashed and ordered like a number and
/// needs no allocation.
package struct ContentHash: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Bytes of a SHA-256 digest (FIPS 180-4 §1).
    package static let byteCount = 32
    /// Characters of ``description``: two for each byte.
    package static let hexCount = byteCount * 2

    private let first: UInt64, second: UInt64, third: UInt64, fourth: UInt64

    /// Takes over a digest; `nil` unless `bytes` are exactly ``byteCount``.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for byte in bytes {
            // A 256-bit shift by one byte: each word takes the top byte of the word after it.
            words.0 = words.0 << 8 | words.1 >> 56
            words.1 = words.1 << 8 | words.2 >> 56
            words.2 = words.2 << 8 | words.3 >> 56
            words.3 = words.3 << 8 | UInt64(byte)
        }
        (first, second, third, fourth) = words
    }

    /// Reads back a ``description``: exactly 64 lower-case hexadecimal digits, else `nil`.
    ///
    /// Upper case is refused so that one object has one file name.
    package init?(hex: some StringProtocol) {
        guard hex.utf8.count == Self.hexCount else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        var high: UInt8?
        for character in hex.utf8 {
            let digit: UInt8
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        self.init(bytes: bytes)
    }

    /// The digest's 32 bytes, as `sha256sum` orders them.
    package var bytes: [UInt8] {
        [first, second, third, fourth].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
        }
    }

    /// 64 lower-case hexadecimal digits, as `sha256sum` prints them.
    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: Self.hexCount) { text in
            for (index, byte) in bytes.enumerated() {
                text[2 * index] = digits[Int(byte >> 4)]
                text[2 * index + 1] = digits[Int(byte & 15)]
            }
            return Self.hexCount
        }
    }

    /// Byte by byte, which is also the order of the descriptions.
    package static func < (left: ContentHash, right: ContentHash) -> Bool {
        (left.first, left.second, left.third, left.fourth)
            < (right.first, right.second, right.third, right.fourth)
    }

    /// The hash of bytes that are in memory already.
    package init(of bytes: [UInt8]) throws(ContentHashError) {
        var hasher = ContentHasher()
        bytes.withUnsafeBytes { hasher.update($0) }
        self = try hasher.finish()
    }
}

/// libcrypto would not hash. It happens when memory is out or when the system's OpenSSL
/// configuration leaves out SHA-256.
package enum ContentHashError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The named libcrypto function reported failure.
    case refused(function: String)

    /// What failed and what to do.
    package var description: String {
        switch self {
        case .refused(let function):
            "libcrypto's \(function) failed for SHA-256; free some memory, and check that "
                + "`openssl dgst -sha256` works on this machine"
        }
    }
}

/// A SHA-256 that is fed piece by piece. One owner, one thread at a time.
///
/// A failure of libcrypto's is kept until ``finish()``, so that a loop over a file has one kind of
/// error to handle, the file's.
package struct ContentHasher: ~Copyable {
    private let context: OpaquePointer?
    private var failure: ContentHashError?

    package init() {
        context = EVP_MD_CTX_new()
        if context == nil {
            failure = .refused(function: "EVP_MD_CTX_new")
        } else if EVP_DigestInit_ex(context, EVP_sha256(), nil) != 1 {
            failure = .refused(function: "EVP_DigestInit_ex")
        }
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Adds the next bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard failure == nil else { return }
        if EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) != 1 {
            failure = .refused(function: "EVP_DigestUpdate")
        }
    }

    /// The hash of everything that was added; the hasher is used up.
    package consuming func finish() throws(ContentHashError) -> ContentHash {
        if let failure { throw failure }
        var digest: [UInt8] = .init(repeating: 0, count: ContentHash.byteCount)
        guard EVP_DigestFinal_ex(context, &digest, nil) == 1,
            let hash = ContentHash(bytes: digest)
        else {
            throw .refused(function: "EVP_DigestFinal_ex")
        }
        return hash
    }
}
