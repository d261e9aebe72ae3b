// JSONSerializer.swift — JSONValue to bytes: compact for the wire, indented for people, sorted for
// hashes. Keeps its own stack, so that no nesting a program builds can overflow the thread's.
// Next: JSONSchema.swift.

extension JSONValue: CustomStringConvertible {
    /// The value as JSON text in UTF-8; parsing it gives an equal value, numbers digit for digit.
    ///
    /// - Parameters:
    ///   - pretty: two spaces of indentation for each level, a line feed between elements, none at
    ///     the end.
    ///   - sortedKeys: keys in the order of their UTF-8 bytes instead of the order they were
    ///     written.
    public func serialized(pretty: Bool = false, sortedKeys: Bool = false) -> [UInt8] {
        var serializer = JSONSerializer(pretty: pretty, sortedKeys: sortedKeys)
        serializer.write(self)
        return serializer.output
    }

    /// Compact JSON text.
    public var description: String {
        String(decoding: serialized(), as: UTF8.self)
    }
}

private struct JSONSerializer {
    private enum Frame {
        case array(IndexingIterator<[JSONValue]>)
        case pairs(IndexingIterator<[(key: String, value: JSONValue)]>)
        case object(JSONObject.Iterator)
    }

    private(set) var output: [UInt8] = []
    private let pretty: Bool
    private let sortedKeys: Bool
    private var stack: [Frame] = []

    init(pretty: Bool, sortedKeys: Bool) {
        self.pretty = pretty
        self.sortedKeys = sortedKeys
        output.reserveCapacity(256)
    }

    mutating func write(_ value: JSONValue) {
        open(value)
        var isFirst = true
        while let frame = stack.popLast() {
            let depth = stack.count
            if continueWriting(frame, isFirst: isFirst) {
                // A container that was just opened stands above the frame it belongs to.
                isFirst = stack.count > depth + 1
            } else {
                isFirst = false
            }
        }
    }

    /// Writes the next element of `frame` and keeps the frame, or closes it.
    private mutating func continueWriting(_ frame: Frame, isFirst: Bool) -> Bool {
        switch frame {
        case .array(var iterator):
            guard let element = iterator.next() else { return close("]", isEmpty: isFirst) }
            stack.append(.array(iterator))
            separate(isFirst: isFirst)
            open(element)
        case .pairs(var iterator):
            guard let (key, value) = iterator.next() else { return close("}", isEmpty: isFirst) }
            stack.append(.pairs(iterator))
            separate(isFirst: isFirst)
            pair(key, value)
        case .object(var iterator):
            guard let (key, value) = iterator.next() else { return close("}", isEmpty: isFirst) }
            stack.append(.object(iterator))
            separate(isFirst: isFirst)
            pair(key, value)
        }
        return true
    }

    private mutating func pair(_ key: String, _ value: JSONValue) {
        string(key)
        output.append(UInt8(ascii: ":"))
        if pretty { output.append(0x20) }
        open(value)
    }

    private mutating func separate(isFirst: Bool) {
        if !isFirst { output.append(UInt8(ascii: ",")) }
        if pretty { newLine() }
    }

    private mutating func close(_ bracket: Unicode.Scalar, isEmpty: Bool) -> Bool {
        if pretty, !isEmpty { newLine() }
        output.append(UInt8(ascii: bracket))
        return false
    }

    private mutating func newLine() {
        output.append(0x0A)
        output.append(contentsOf: repeatElement(0x20, count: 2 * stack.count))
    }

    /// Writes a scalar whole and of a container the opening bracket.
    private mutating func open(_ value: JSONValue) {
        switch value {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let number): output.append(contentsOf: number.literal.utf8)
        case .string(let text): string(text)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            stack.append(.array(elements.makeIterator()))
        case .object(let object):
            output.append(UInt8(ascii: "{"))
            if sortedKeys {
                let pairs = object.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                stack.append(.pairs(pairs.makeIterator()))
            } else {
                stack.append(.object(object.makeIterator()))
            }
        }
    }

    /// Writes `text` in quotes; escapes what RFC 8259 §7 says must be, and nothing else.
    private mutating func string(_ text: String) {
        output.append(UInt8(ascii: "\""))
        let needsEscape = { (byte: UInt8) in
            byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
        }
        if !text.utf8.contains(where: needsEscape) {
            output.append(contentsOf: text.utf8)
        } else {
            for byte in text.utf8 {
                if needsEscape(byte) { escape(byte) } else { output.append(byte) }
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: output.append(UInt8(ascii: "b"))
        case 0x09: output.append(UInt8(ascii: "t"))
        case 0x0A: output.append(UInt8(ascii: "n"))
        case 0x0C: output.append(UInt8(ascii: "f"))
        case 0x0D: output.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
        default: output.append(contentsOf: "u00\(hexadecimal(byte))".utf8)
        }
    }
}
