// ManifestParser+Contributions.swift — the contributions of a manifest, each kind with its own
// fields. Next: ManifestParser+Permissions.swift.

extension Manifest.Contributions {
    private static let knownFields = [
        "tools", "commands", "tasks", "strategies", "exporters", "agents", "listens", "functions",
    ]

    init(_ field: ManifestField?) throws(ManifestError) {
        let kinds = try field?.object(known: Self.knownFields)
        tools = try Self.read(kinds, "tools", \.name, Manifest.Callable.init)
        commands = try Self.read(kinds, "commands", \.name, Manifest.Callable.init)
        tasks = try Self.read(kinds, "tasks", \.name, Manifest.Callable.init)
        strategies = try Self.read(kinds, "strategies", \.name, Manifest.Named.init)
        exporters = try Self.read(kinds, "exporters", \.name, Manifest.Exporter.init)
        agents = try Self.read(kinds, "agents", \.name, Manifest.Agent.init)
        functions = try Self.read(kinds, "functions", \.name, Manifest.Function.init)
        var seen = Uniqueness()
        var patterns: [Manifest.EventPattern] = []
        for element in try kinds?.optional("listens")?.elements(limit: Self.maximumPerKind) ?? [] {
            let pattern = try Manifest.EventPattern(element)
            try seen.insert(pattern.description, at: element.path)
            patterns.append(pattern)
        }
        listens = patterns
    }

    /// Reads one kind and refuses a second contribution of the same name.
    private static func read<Item>(
        _ kinds: ManifestObject?, _ kind: String, _ name: KeyPath<Item, String>,
        _ make: (ManifestField) throws(ManifestError) -> Item
    ) throws(ManifestError) -> [Item] {
        var seen = Uniqueness()
        var items: [Item] = []
        for element in try kinds?.optional(kind)?.elements(limit: maximumPerKind) ?? [] {
            let item = try make(element)
            try seen.insert(item[keyPath: name], at: element.path + ".name")
            items.append(item)
        }
        return items
    }
}

/// Remembers where a text was seen first.
struct Uniqueness {
    private var paths: [ExactString: String] = [:]

    mutating func insert(_ text: String, at path: String) throws(ManifestError) {
        if let first = paths.updateValue(path, forKey: ExactString(text)) {
            throw .duplicate(field: path, first: first, found: quoted(text))
        }
    }
}

extension ManifestObject {
    fileprivate func contributionName() throws(ManifestError) -> String {
        try required("name", "a string").name()
    }

    fileprivate func prose() throws(ManifestError) -> String? {
        try optional("description")?.prose(limit: 4096, multiline: true)
    }
}

extension Manifest.Callable {
    fileprivate init(_ field: ManifestField) throws(ManifestError) {
        let object = try field.object(
            known: ["name", "description", "input", "output", "idempotent"])
        name = try object.contributionName()
        description = try object.prose()
        input = try object.optional("input")?.schema()
        output = try object.optional("output")?.schema()
        isIdempotent = try object.optional("idempotent")?.flag() ?? false
    }
}

extension Manifest.Named {
    fileprivate init(_ field: ManifestField) throws(ManifestError) {
        let object = try field.object(known: ["name", "description"])
        name = try object.contributionName()
        description = try object.prose()
    }
}

extension Manifest.Exporter {
    fileprivate init(_ field: ManifestField) throws(ManifestError) {
        let object = try field.object(known: ["name", "description", "contentType", "push"])
        name = try object.contributionName()
        description = try object.prose()
        contentType = try object.optional("contentType")?.printable(
            "a media type such as \"text/csv\"", limit: 128)
        isPush = try object.optional("push")?.flag() ?? false
    }
}

extension Manifest.Agent {
    fileprivate init(_ field: ManifestField) throws(ManifestError) {
        let object = try field.object(known: ["name", "description", "capabilities"])
        name = try object.contributionName()
        description = try object.prose()
        var seen = Uniqueness()
        var names: [String] = []
        let list = try object.optional("capabilities")?.elements(limit: Self.maximumCapabilities)
        for element in list ?? [] {
            names.append(try element.name())
            try seen.insert(try element.name(), at: element.path)
        }
        capabilities = names
    }
}

extension Manifest.Function {
    fileprivate init(_ field: ManifestField) throws(ManifestError) {
        let object = try field.object(
            known: ["name", "description", "symbol", "signature", "idempotent"])
        name = try object.contributionName()
        description = try object.prose()
        let symbol =
            object.optional("symbol")
            ?? ManifestField(
                path: field.path + ".symbol", value: .string(name))
        self.symbol = try symbol.word(
            "a C identifier of at most 255 bytes (absent: the same as name)", limit: 255
        ) { byte, offset in
            isLetter(byte) || byte == UInt8(ascii: "_") || offset > 0 && isDigit(byte)
        }
        signature = try object.required("signature", "a signature such as \"u64 (u64, bytes)\"")
            .printable("a signature such as \"u64 (u64, bytes)\"", limit: 1024)
        isIdempotent = try object.optional("idempotent")?.flag() ?? false
    }
}

extension Manifest.EventPattern {
    fileprivate init(_ field: ManifestField) throws(ManifestError) {
        let allowed =
            "an event such as \"task:completed\", a prefix such as \"plugin:*\", or \"*\""
        let text = try field.string(allowed)
        var parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        if parts.last?.elementsEqual("*".utf8) == true { parts.removeLast() }
        let isPattern =
            !text.isEmpty && text.utf8.count <= ManifestObject.maximumNameLength
            && parts.allSatisfy { part in
                part.first.map(isLetter) == true
                    && part.allSatisfy { isLetter($0) || isDigit($0) || "_.-".utf8.contains($0) }
            }
        guard isPattern else { throw field.invalid(quoted(text), allowed) }
        description = text
    }
}

extension ManifestField {
    /// Printable ASCII, 1 to `limit` bytes.
    fileprivate func printable(_ allowed: String, limit: Int) throws(ManifestError) -> String {
        try word("\(allowed), 1 to \(limit) bytes of printable ASCII", limit: limit) { byte, _ in
            (0x20...0x7E).contains(byte)
        }
    }
}
