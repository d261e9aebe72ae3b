// ManifestParser+Permissions.swift — what a plugin asks to reach, in forms that kernel rules can be
// made of. Next: ManifestJSON.swift.

extension Manifest.Permissions {
    private static let knownFields = ["read", "write", "connect", "environment"]

    init(_ field: ManifestField?) throws(ManifestError) {
        let object = try field?.object(known: Self.knownFields)
        read = try Self.list(object, "read") { field throws(ManifestError) in
            try field.absolutePath()
        }
        write = try Self.list(object, "write") { field throws(ManifestError) in
            try field.absolutePath()
        }
        connect = try Self.list(object, "connect") { field throws(ManifestError) in
            try field.endpoint()
        }
        environment = try Self.list(object, "environment") { field throws(ManifestError) in
            try field.variable()
        }
    }

    /// Reads one list and refuses what it says twice.
    private static func list<Item: CustomStringConvertible>(
        _ object: ManifestObject?, _ key: String,
        _ read: (ManifestField) throws(ManifestError) -> Item
    ) throws(ManifestError) -> [Item] {
        var seen = Uniqueness()
        var items: [Item] = []
        for element in try object?.optional(key)?.elements(limit: maximumEntries) ?? [] {
            let item = try read(element)
            try seen.insert(item.description, at: element.path)
            items.append(item)
        }
        return items
    }
}

extension ManifestField {
    /// An absolute path in its shortest form; one slash at the end is dropped. Not resolved: the
    /// host does that when it grants, since links may change until then.
    fileprivate func absolutePath() throws(ManifestError) -> String {
        let allowed =
            "an absolute path of at most \(Manifest.Permissions.maximumPathBytes) bytes "
            + "without \".\", \"..\", \"//\" or control characters"
        let text = try string(allowed)
        let bytes = text.utf8
        guard bytes.first == UInt8(ascii: "/"),
            bytes.count <= Manifest.Permissions.maximumPathBytes,
            !bytes.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else { throw invalid(quoted(text), allowed) }
        var parts = bytes.dropFirst().split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if parts.last?.isEmpty == true { parts.removeLast() }
        let isShortest = parts.allSatisfy { part in
            !part.isEmpty && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8)
        }
        guard isShortest else { throw invalid(quoted(text), allowed) }
        return "/" + parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
    }

    /// `host:port` or `[address]:port`.
    fileprivate func endpoint() throws(ManifestError) -> Manifest.Endpoint {
        let allowed =
            "\"host:port\" with a DNS name, an IPv4 or a bracketed IPv6 address, and a port "
            + "from 1 to 65535"
        let text = try string(allowed)
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else {
            throw invalid(quoted(text), allowed)
        }
        let digits = text.utf8[text.utf8.index(after: colon)...]
        guard digits.allSatisfy(isDigit), digits.first != UInt8(ascii: "0"),
            let port = UInt16(String(decoding: digits, as: UTF8.self))
        else { throw invalid(quoted(text), allowed) }
        let host = text.utf8[..<colon]
        if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") {
            let address = host.dropFirst().dropLast()
            // The longest IPv6 text with an IPv4 tail has 45 bytes (RFC 4291 §2.2).
            let isAddress =
                (2...45).contains(address.count)
                && address.contains(UInt8(ascii: ":"))
                && address.allSatisfy { isHexadecimalDigit($0) || ".:".utf8.contains($0) }
            guard isAddress else { throw invalid(quoted(text), allowed) }
            return .init(host: String(decoding: address, as: UTF8.self), port: port)
        }
        // At most 253 bytes in labels of at most 63 (RFC 1035 §2.3.4); underscores occur in service
        // names.
        let labels = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isName =
            host.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.count)
                    && label.allSatisfy { isLetter($0) || isDigit($0) || "-_".utf8.contains($0) }
            }
        guard isName else { throw invalid(quoted(text), allowed) }
        return .init(host: String(decoding: host, as: UTF8.self), port: port)
    }

    /// The name of an environment variable.
    fileprivate func variable() throws(ManifestError) -> String {
        try word(
            "a variable: a letter or _, then up to 127 letters, digits and _", limit: 128
        ) { byte, offset in
            isLetter(byte) || byte == UInt8(ascii: "_") || offset > 0 && isDigit(byte)
        }
    }

    private func isHexadecimalDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 6
    }
}
