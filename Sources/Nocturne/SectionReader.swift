// SectionReader.swift — takes typed values out of one section of a configuration file. Next:
// DaemonConfiguration.swift.

internal import NocturneCore

/// Reads one JSON object of a configuration file; every mistake names the file, the key and what
/// would be right.
struct SectionReader {
    private let file: String
    private let place: String
    private let json: JSONValue

    init(file: String, place: String, _ json: JSONValue) {
        (self.file, self.place, self.json) = (file, place, json)
    }

    /// The object, if all its keys are in `known`.
    func object(knowing known: [String]) throws(ConfigurationError) -> JSONObject {
        guard let object = json.object else {
            throw .wrongValue(
                file: file, key: place.isEmpty ? "the whole file" : place, found: show(json),
                expected: "an object with the keys \(known.joined(separator: ", "))")
        }
        for key in object.keys where !known.contains(key) {
            throw .unknownKey(file: file, place: place, key: key, known: known)
        }
        return object
    }

    func text(_ key: String, in section: JSONObject) throws(ConfigurationError) -> String? {
        guard let value = section[key] else { return nil }
        guard let text = value.string, !text.isEmpty, !text.utf8.contains(0) else {
            throw wrong(key, value, expected: "a string that is not empty")
        }
        return text
    }

    func flag(_ key: String, in section: JSONObject) throws(ConfigurationError) -> Bool? {
        guard let value = section[key] else { return nil }
        guard let flag = value.bool else { throw wrong(key, value, expected: "true or false") }
        return flag
    }

    func count(
        _ key: String, in range: ClosedRange<Int64>, of section: JSONObject
    ) throws(ConfigurationError) -> Int64? {
        guard let value = section[key] else { return nil }
        guard let count = value.int, range.contains(count) else {
            let bound = range.upperBound == .max ? "" : " and at most \(range.upperBound)"
            throw wrong(
                key, value, expected: "a whole number, at least \(range.lowerBound)\(bound)")
        }
        return count
    }

    func duration(_ key: String, in section: JSONObject) throws(ConfigurationError) -> Duration? {
        guard let value = section[key] else { return nil }
        if let milliseconds = value.int, milliseconds >= 0 { return .milliseconds(milliseconds) }
        if let text = value.string, let duration = try? DurationText.parse(text) { return duration }
        throw wrong(
            key, value,
            expected:
                "milliseconds as a whole number, or a string such as \"250ms\", \"10s\" or \"1h\"")
    }

    func list(_ key: String, in section: JSONObject) throws(ConfigurationError) -> [JSONValue] {
        guard let value = section[key] else { return [] }
        guard let list = value.array else { throw wrong(key, value, expected: "an array") }
        return list
    }

    /// What is wrong with a part of a value, in the words of whoever knows it.
    func invalid(_ key: String, _ problem: String) -> ConfigurationError {
        .invalidPart(
            file: file, key: place.isEmpty ? key : "\(place).\(key)", problem: problem)
    }

    private func wrong(_ key: String, _ value: JSONValue, expected: String) -> ConfigurationError {
        .wrongValue(
            file: file, key: place.isEmpty ? key : "\(place).\(key)", found: show(value),
            expected: expected)
    }

    private func show(_ value: JSONValue) -> String {
        switch value {
        case .array: "an array"
        case .object: "an object"
        case .string(let text): quoted(text)
        case .null, .bool, .number: "\(value)"
        }
    }
}
