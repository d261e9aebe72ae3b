// JSONFields.swift — reads the fields of a JSON object that others wrote, and says what is wrong with which.
// Next: Names.swift.

internal import NocturneCore

/// The fields of an object, read one by one; every error names the field by its path.
struct JSONFields {
    let path: String
    private let object: JSONObject

    /// The parameters of a strategy; none is as good as an empty object.
    init(parameters: JSONValue) throws(CoordinationError) {
        try self.init(parameters.isNull ? [:] : parameters, at: "parameters")
    }

    init(_ value: JSONValue, at path: String) throws(CoordinationError) {
        guard let object = value.object else {
            throw .malformed(path, expected: "an object", found: value.typeName)
        }
        (self.object, self.path) = (object, path)
    }

    /// The value of a key; `nil` if it is missing or null.
    subscript(key: String) -> JSONValue? {
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    func string(_ key: String) throws(CoordinationError) -> String {
        try read(key, "a string") { $0.string }
    }

    func string(ifAny key: String) throws(CoordinationError) -> String? {
        self[key] == nil ? nil : try string(key)
    }

    func integer(_ key: String) throws(CoordinationError) -> Int64? {
        self[key] == nil ? nil : try read(key, "an integer") { $0.int }
    }

    /// An integer that must be there and not below zero.
    func count(_ key: String) throws(CoordinationError) -> Int {
        try read(key, "an integer of at least 0") { value in
            value.int.flatMap { $0 >= 0 ? Int($0) : nil }
        }
    }

    func count(ifAny key: String) throws(CoordinationError) -> Int? {
        self[key] == nil ? nil : try count(key)
    }

    /// A finite number.
    func number(_ key: String) throws(CoordinationError) -> Double? {
        self[key] == nil ? nil : try read(key, "a number") { $0.double?.finite }
    }

    func flag(_ key: String) throws(CoordinationError) -> Bool? {
        self[key] == nil ? nil : try read(key, "true or false") { $0.bool }
    }

    /// Milliseconds from 0 to a hundred years.
    func duration(_ key: String) throws(CoordinationError) -> Duration? {
        guard self[key] != nil else { return nil }
        return try read(key, "milliseconds from 0 to 100 years") { value in
            guard let number = value.int, (0...Self.longestMilliseconds).contains(number) else {
                return nil
            }
            return .milliseconds(number)
        }
    }

    /// A hundred years: sums of some of them still fit into any clock.
    private static let longestMilliseconds: Int64 = 100 * 365 * 86_400_000

    /// The elements of an array; none if the key is missing.
    func list<T>(
        _ key: String, _ element: (JSONValue, String) throws(CoordinationError) -> T
    ) throws(CoordinationError) -> [T] {
        guard let value = self[key] else { return [] }
        guard let array = value.array else {
            throw .malformed("\(path).\(key)", expected: "an array", found: value.typeName)
        }
        var list: [T] = []
        list.reserveCapacity(array.count)
        for (index, value) in array.enumerated() {
            list.append(try element(value, "\(path).\(key)[\(index)]"))
        }
        return list
    }

    func strings(_ key: String) throws(CoordinationError) -> [String] {
        try list(key) { value, path throws(CoordinationError) in
            guard let text = value.string else {
                throw .malformed(path, expected: "a string", found: value.typeName)
            }
            return text
        }
    }

    /// One of some words; `usual` if the key is missing.
    func choice<T: RawRepresentable & CaseIterable>(
        _ key: String, _ usual: T
    ) throws(CoordinationError) -> T where T.RawValue == String {
        guard let text = try string(ifAny: key) else { return usual }
        guard let choice = T(rawValue: text) else {
            throw malformed(
                key, expected: "one of " + T.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }

    /// Refuses keys that mean nothing here: they are slips of the pen.
    func only(_ keys: String...) throws(CoordinationError) {
        for key in object.keys where !keys.contains(key) {
            throw .malformed(
                "\(path).\(key)", expected: "one of the keys " + keys.joined(separator: ", "),
                found: "another key")
        }
    }

    func agents(_ key: String) throws(CoordinationError) -> [AgentID] {
        var agents: [AgentID] = []
        for text in try strings(key) { agents.append(try AgentID(text)) }
        return agents
    }

    func agent(_ key: String) throws(CoordinationError) -> AgentID? {
        guard let text = try string(ifAny: key) else { return nil }
        return try AgentID(text)
    }

    func work(_ key: String = "work") throws(CoordinationError) -> WorkID {
        try WorkID(string(key))
    }

    /// An error about one field.
    func malformed(_ key: String, expected: String) -> CoordinationError {
        .malformed("\(path).\(key)", expected: expected, found: self[key].map(show) ?? "nothing")
    }

    private func read<T>(
        _ key: String, _ expected: String, _ read: (JSONValue) -> T?
    ) throws(CoordinationError) -> T {
        guard let value = self[key], let result = read(value) else {
            throw malformed(key, expected: expected)
        }
        return result
    }

    private func show(_ value: JSONValue) -> String {
        switch value {
        case .array, .object, .null: value.typeName
        case .bool, .number: "\(value)"
        case .string(let text): "\"\(text.prefix(64))\""
        }
    }
}

extension Double {
    fileprivate var finite: Double? { isFinite ? self : nil }
}

extension Duration {
    /// Whole milliseconds: the unit in which sessions write times.
    var json: JSONValue { JSONValue(wholeMilliseconds) }
}

extension JSONObject {
    /// Sets a key unless there is nothing to say.
    mutating func set(_ key: String, _ value: JSONValue?) {
        if let value { self[key] = value }
    }
}

extension Sequence where Element: CustomStringConvertible {
    /// The texts of all, as a JSON array.
    var jsonTexts: JSONValue { .array(map { .string($0.description) }) }
}
