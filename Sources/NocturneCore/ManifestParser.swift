// ManifestParser.swift — the top level of a manifest, field by field, in the order in which authors
// write it. Next: ManifestParser+Contributions.swift.

extension Manifest {
    /// Plugins one manifest may name in each of its four lists.
    public static let maximumRelations = 256

    private static let knownFields = [
        "id", "name", "version", "abi", "description", "author", "license", "host", "runtime",
        "arch", "dependencies", "optionalDependencies", "conflicts", "provides", "permissions",
        "limits", "contributes", "configuration", "reload",
    ]

    /// Checks JSON that was parsed already; see ``parse(_:source:)``.
    init(_ json: JSONValue, source: Source) throws(ManifestError) {
        guard case .object = json else {
            throw ManifestField(path: "the manifest", value: json).wrongType("an object")
        }
        let root = try ManifestField(path: "", value: json).object(known: Self.knownFields)
        let id = try root.required("id", PluginIDError.allowed).pluginID()
        self.id = id
        name = try root.required("name", "a string").prose(limit: 128)
        version = try root.required("version", "a version such as \"1.0.0\"").semanticVersion()
        abi = try root.required("abi", "a string such as \"1.0\"").abiVersion()
        description = try root.optional("description")?.prose(limit: 4096, multiline: true)
        author = try root.optional("author")?.prose(limit: 256)
        license = try root.optional("license")?.prose(limit: 256)
        host = try root.optional("host")?.versionRange()
        runtime = try root.optional("runtime")?.runtime() ?? .c
        architecture = try root.architecture(source: source)
        let required = try root.relations("dependencies", of: id)
        let optional = try root.relations("optionalDependencies", of: id)
        if let both = required.keys.filter({ optional[$0] != nil }).min() {
            throw .duplicate(
                field: "optionalDependencies.\(both)", first: "dependencies.\(both)",
                found: "a dependency on \(both)")
        }
        (dependencies, optionalDependencies) = (required, optional)
        conflicts = try root.relations("conflicts", of: id)
        provides = try root.provisions(of: id)
        permissions = try Permissions(root.optional("permissions"))
        limits = try Limits(root.optional("limits"))
        contributes = try Contributions(root.optional("contributes"))
        configuration = try root.optional("configuration")?.schema()
        reload = try Reload(root.optional("reload"))
        extensions = JSONObject(root.object.lazy.filter { $0.key.utf8.starts(with: "x-".utf8) })
        original = json
    }
}

extension ManifestObject {
    fileprivate func architecture(
        source: Manifest.Source
    ) throws(ManifestError) -> Manifest.Architecture? {
        guard let field = optional("arch") else { return nil }
        guard source == .bare else {
            throw .invalid(
                field: field.path, found: "an architecture",
                allowed: "none: it is read from the ELF file")
        }
        return try field.choice(Manifest.Architecture.self)
    }

    fileprivate func relations(
        _ key: String, of owner: PluginID
    ) throws(ManifestError) -> [PluginID: VersionRange] {
        var result: [PluginID: VersionRange] = [:]
        guard let list = try optional(key)?.dictionary(limit: Manifest.maximumRelations) else {
            return result
        }
        for (key, field) in list {
            result[try field.other(key, than: owner)] = try field.versionRange()
        }
        return result
    }

    fileprivate func provisions(
        of owner: PluginID
    ) throws(ManifestError) -> [PluginID: SemanticVersion] {
        var result: [PluginID: SemanticVersion] = [:]
        let list = try optional("provides")?.dictionary(limit: Manifest.maximumRelations)
        for (key, field) in list ?? [] {
            result[try field.other(key, than: owner)] = try field.partialVersion()
        }
        return result
    }
}

extension ManifestField {
    /// The key of this field as an identity other than the plugin's own.
    fileprivate func other(
        _ key: String, than owner: PluginID
    ) throws(ManifestError) -> PluginID {
        let id = try ManifestField(path: path, value: .string(key)).pluginID()
        guard id != owner else {
            throw invalid("the plugin's own id", "the id of another plugin")
        }
        return id
    }

    /// A value that is written as a string.
    private func parsed<Value, Failure: Error>(
        _ allowed: String, _ parse: (String) throws(Failure) -> Value
    ) throws(ManifestError) -> Value {
        let text = try string(allowed)
        do throws(Failure) {
            return try parse(text)
        } catch {
            throw invalid("\(error)", allowed)
        }
    }

    fileprivate func pluginID() throws(ManifestError) -> PluginID {
        let text = try string(PluginIDError.allowed)
        do throws(PluginIDError) {
            return try PluginID(text)
        } catch {
            throw invalid(quoted(text), PluginIDError.allowed)
        }
    }

    fileprivate func semanticVersion() throws(ManifestError) -> SemanticVersion {
        try parsed("a semantic version such as \"1.0.0\"") { text throws(SemanticVersionError) in
            try SemanticVersion(text)
        }
    }

    fileprivate func partialVersion() throws(ManifestError) -> SemanticVersion {
        try parsed("a version such as \"2.1\" or \"2.1.0\"") { text throws(SemanticVersionError) in
            var scanner = try VersionScanner(text)
            let version = try scanner.partialVersion()
            try scanner.end()
            return version
        }
    }

    fileprivate func versionRange() throws(ManifestError) -> VersionRange {
        try parsed("a version range such as \"^1.4\"") { text throws(VersionRangeError) in
            try VersionRange(text)
        }
    }

    fileprivate func abiVersion() throws(ManifestError) -> ABIVersion {
        let allowed = "\"M.m\", two numbers up to 65535 without leading zeros, such as \"1.0\""
        let text = try string(allowed)
        guard let version = ABIVersion(text) else { throw invalid(quoted(text), allowed) }
        return version
    }

    fileprivate func runtime() throws(ManifestError) -> Manifest.Runtime {
        let allowed = "\"c\" or \"swift-\" and a version such as \"swift-6.3.1\""
        let text = try string(allowed)
        if text == "c" { return .c }
        guard text.utf8.starts(with: "swift-".utf8) else { throw invalid(quoted(text), allowed) }
        let version = text.dropFirst("swift-".count)
        let parts = version.utf8.split(
            separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        // Three digits a part are more than Swift has needed so far, and keep the text a safe
        // directory name.
        let isVersion =
            (2...3).contains(parts.count)
            && parts.allSatisfy { part in
                (1...3).contains(part.count) && part.allSatisfy(isDigit)
                    && (part.count == 1 || part.first != UInt8(ascii: "0"))
            }
        guard isVersion else { throw invalid(quoted(text), allowed) }
        return .swift(version: String(version))
    }
}

extension Manifest.Limits {
    private static let knownFields = ["memory", "threads", "deadline", "concurrency", "queue"]

    init(_ field: ManifestField?) throws(ManifestError) {
        let object = try field?.object(known: Self.knownFields)
        memory = try object?.optional("memory")?.memory(in: Self.memoryRange) ?? .mebibytes(64)
        threads = try object?.optional("threads")?.integer(in: Self.threadsRange)
        deadline = try object?.optional("deadline")?.duration(in: Self.deadlineRange) ?? .seconds(5)
        concurrency = try object?.optional("concurrency")?.integer(in: Self.concurrencyRange) ?? 1
        queue = try object?.optional("queue")?.integer(in: Self.queueRange) ?? 256
    }
}

extension Manifest.Reload {
    private static let knownFields = ["state", "drain", "onDependencyChange"]

    init(_ field: ManifestField?) throws(ManifestError) {
        let object = try field?.object(known: Self.knownFields)
        state = try object?.optional("state")?.flag() ?? false
        drain = try object?.optional("drain")?.duration(in: Self.drainRange) ?? .seconds(2)
        onDependencyChange =
            try object?.optional("onDependencyChange")?.choice(OnDependencyChange.self) ?? .rebind
    }
}
