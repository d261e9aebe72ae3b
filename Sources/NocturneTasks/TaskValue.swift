// TaskValue.swift — the bounds of the JSON that tasks take, save and return. Next: TaskError.swift.

internal import NocturneCore

extension NewTask {
    /// Bytes of an input, a checkpoint or a result. Larger data belong into a file that the task names.
    public static let largestValueBytes = 1 << 20
    /// Arrays and objects within each other, of an input, a checkpoint or a result: nobody could read more back.
    public static let deepestValue = JSONParser.Options.maximumDepth

    /// Looks whether a text, which is JSON, may be kept.
    package static func check(value: String, of what: @autoclosure () -> String) throws(TaskError) {
        let bytes = value.utf8.count
        guard bytes <= largestValueBytes else {
            throw .tooLarge(what() + ", in bytes,", bytes, largestValueBytes)
        }
        // Each level takes two bytes, so most values need no look.
        guard bytes > 2 * deepestValue else { return }
        let depth = depth(of: value)
        guard depth <= deepestValue else {
            throw .tooLarge(what() + ", in levels of nesting,", depth, deepestValue)
        }
    }

    /// How many arrays and objects are within each other.
    private static func depth(of json: String) -> Int {
        var depth = 0, deepest = 0, isInString = false, isEscaped = false
        for byte in json.utf8 {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                deepest = max(deepest, depth)
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
        }
        return deepest
    }
}
