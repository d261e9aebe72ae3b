// AlertRuleJSON.swift — alert rules as JSON: in the configuration file, over the control API, in the alerts' own file.
// Next: AlertState.swift.

public import NocturneCore

extension AlertRule {
    /// Reads a rule.
    ///
    /// `name`, `metricName`, `condition` and `threshold` must be there, the last two not with an absence. Durations are
    /// milliseconds, or texts such as `"1m"`. `source` is `"value"`, `{"rate": "5m"}`,
    /// `{"percentile": 0.99, "window": "5m"}` or `{"absence": "5m"}`.
    ///
    /// - Throws: ``MetricsError/invalidAlert(_:_:)``, which names the field, what was found and what is allowed. A key
    ///   that is not known is refused.
    public init(json: JSONValue) throws(MetricsError) {
        let fields = try AlertFields(json, knowing: Self.keys)
        let source = try Self.source(fields)
        var isAbsence = false
        if case .absence = source { isAbsence = true }
        if isAbsence, let key = ["condition", "threshold"].first(where: { fields.has($0) }) {
            throw fields.wrong(key, "nothing with an absence")
        }
        self.init(
            name: try fields.required("name", "a text", \.string),
            metricName: try fields.required("metricName", "a text", \.string),
            condition: isAbsence
                ? .gte
                : try fields.required("condition", Self.choices(Condition.self)) {
                    $0.string.flatMap(Condition.init)
                },
            threshold: isAbsence ? 1 : try fields.required("threshold", "a number", \.double),
            duration: try fields.duration("duration") ?? .zero,
            enabled: try fields.optional("enabled", "true or false", \.bool) ?? true,
            source: source,
            labels: Labels(try fields.texts("labels")),
            by: try fields.optional("by", "an array of texts") { $0.texts } ?? [],
            keepFiringFor: try fields.duration("keepFiringFor") ?? .zero,
            clearThreshold: try fields.optional("clearThreshold", "a number", \.double),
            noData: try fields.optional("noData", Self.choices(NoDataPolicy.self)) {
                $0.string.flatMap(NoDataPolicy.init)
            } ?? .ok,
            message: try fields.optional("message", "a text", \.string),
            severity: try fields.optional("severity", "a text", \.string),
            annotations: try fields.texts("annotations"))
        try check()
    }

    /// Reads the rules of a configuration file: an array, in which each name is there once.
    ///
    /// - Throws: ``MetricsError/invalidAlert(_:_:)`` for the first that is wrong, ``MetricsError/alertExists(_:)`` for
    ///   a name that is there twice.
    public static func list(json: JSONValue) throws(MetricsError) -> [AlertRule] {
        guard let elements = json.array else {
            throw .invalidOption("\"alerts\"", "an array of alerts")
        }
        var rules: [AlertRule] = []
        for element in elements.prefix(AlertBook.ruleLimit + 1) {
            rules.append(try AlertRule(json: element))
        }
        _ = try AlertBook.names(of: rules)
        return rules
    }

    /// The rule as it is read: what is as by default is left out, but for the seed's six fields.
    public var json: JSONValue {
        var object: JSONObject = ["name": .string(name), "metricName": .string(metricName)]
        if case .absence = source {
        } else {
            object["condition"] = .string(condition.rawValue)
            object["threshold"] = JSONValue(threshold)
        }
        object["duration"] = JSONValue(duration.wholeMilliseconds)
        object["enabled"] = .bool(enabled)
        switch source {
        case .value: break
        case .rate(let window):
            object["source"] = ["rate": JSONValue(window.wholeMilliseconds)]
        case .percentile(let part, let window):
            object["source"] = [
                "percentile": JSONValue(part) ?? .null,
                "window": JSONValue(window.wholeMilliseconds),
            ]
        case .absence(let window):
            object["source"] = ["absence": JSONValue(window.wholeMilliseconds)]
        }
        if !labels.isEmpty { object["labels"] = labels.jsonObject }
        if !by.isEmpty { object["by"] = .array(by.map { .string($0) }) }
        if keepFiringFor > .zero {
            object["keepFiringFor"] = JSONValue(keepFiringFor.wholeMilliseconds)
        }
        if let clearThreshold { object["clearThreshold"] = JSONValue(clearThreshold) }
        if noData != .ok { object["noData"] = .string(noData.rawValue) }
        if let message { object["message"] = .string(message) }
        if let severity { object["severity"] = .string(severity) }
        if !annotations.isEmpty { object["annotations"] = Labels(annotations).jsonObject }
        return .object(object)
    }

    private static let keys = [
        "name", "metricName", "condition", "threshold", "duration", "enabled", "source", "labels",
        "by", "keepFiringFor", "clearThreshold", "noData", "message", "severity", "annotations",
    ]

    private static func source(_ fields: AlertFields) throws(MetricsError) -> Source {
        guard let json = fields.value("source"), json.string != "value" else { return .value }
        let expected =
            "\"value\", {\"rate\": WINDOW}, {\"percentile\": PART, \"window\": WINDOW} or "
            + "{\"absence\": WINDOW}, where a window is milliseconds or a text such as \"5m\""
        let keys = json.object?.keys.sorted() ?? []
        let window = json[keys.last ?? ""].flatMap(AlertFields.duration)
        switch (keys, window) {
        case (["rate"], let window?): return .rate(window: window)
        case (["absence"], let window?): return .absence(window: window)
        case (["percentile", "window"], let window?):
            guard let part = json["percentile"]?.double else { break }
            return .percentile(part, window: window)
        default: break
        }
        throw fields.wrong("source", expected)
    }

    private static func choices<Value: RawRepresentable<String> & CaseIterable>(
        _ type: Value.Type
    ) -> String {
        "one of " + type.allCases.map(\.rawValue).joined(separator: ", ")
    }
}

extension Labels {
    /// `{"name": "value"}`, in the order of the names' bytes.
    var jsonObject: JSONValue {
        .object(JSONObject(sorted.map { ($0.name, .string($0.value)) }))
    }
}

/// The fields of one rule. Each mistake names the field, what was found and what would be right.
private struct AlertFields {
    private let object: JSONObject
    /// For errors: which alert it is, as far as that is known.
    private let name: String

    init(_ json: JSONValue, knowing known: [String]) throws(MetricsError) {
        guard let object = json.object else {
            throw .invalidAlert("", "found \(json.shown); expected an object")
        }
        (self.object, name) = (object, object["name"]?.string ?? "")
        for key in object.keys where !known.contains(key) {
            throw .invalidAlert(
                name, "unknown key \(quoted(key)); known are \(known.joined(separator: ", "))")
        }
    }

    /// `null` is as good as nothing.
    func value(_ key: String) -> JSONValue? {
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    func has(_ key: String) -> Bool { value(key) != nil }

    func wrong(_ key: String, _ expected: String) -> MetricsError {
        let found = object[key].map(\.shown) ?? "absent"
        return .invalidAlert(name, "\"\(key)\" is \(found); expected \(expected)")
    }

    func optional<Value>(
        _ key: String, _ expected: String, _ read: (JSONValue) -> Value?
    ) throws(MetricsError) -> Value? {
        guard let json = value(key) else { return nil }
        guard let value = read(json) else { throw wrong(key, expected) }
        return value
    }

    func required<Value>(
        _ key: String, _ expected: String, _ read: (JSONValue) -> Value?
    ) throws(MetricsError) -> Value {
        guard let value = try optional(key, expected, read) else { throw wrong(key, expected) }
        return value
    }

    func duration(_ key: String) throws(MetricsError) -> Duration? {
        try optional(
            key, "milliseconds as a whole number, or a text such as \"250ms\", \"10s\" or \"1h\"",
            Self.duration)
    }

    func texts(_ key: String) throws(MetricsError) -> [String: String] {
        guard let json = value(key) else { return [:] }
        let expected = "an object whose values are texts"
        guard let object = json.object else { throw wrong(key, expected) }
        var texts: [String: String] = [:]
        for (name, value) in object {
            guard let text = value.string else { throw wrong(key, expected) }
            texts[name] = text
        }
        return texts
    }

    static func duration(_ json: JSONValue) -> Duration? {
        if let milliseconds = json.int { return .milliseconds(milliseconds) }
        return json.string.flatMap { try? DurationText.parse($0) }
    }
}

extension JSONValue {
    /// The elements of an array of texts.
    fileprivate var texts: [String]? {
        guard let array else { return nil }
        let texts = array.compactMap(\.string)
        return texts.count == array.count ? texts : nil
    }

    /// For errors.
    fileprivate var shown: String {
        switch self {
        case .array: "an array"
        case .object: "an object"
        case .string(let text): quoted(text)
        case .null, .bool, .number: "\(self)"
        }
    }
}
