// PluginBuild.swift — one verified object: its hash, its manifest and its schemas, compiled once. Next:
// Generation.swift.

import CWire
import NocturneCore

/// What a contribution of any kind is to the host: a name that calls can be routed to.
///
/// A new kind adds a case here and, in ``PluginBuild``, the line that reads it from the manifest.
enum ContributionKind: String, Sendable, Hashable, CaseIterable {
    case tool, command, listener, task, exporter, strategy, agent

    /// The wire's number of a call of this kind.
    var wireKind: UInt32 {
        switch self {
        case .tool: WIRE_CALL_TOOL
        case .command: WIRE_CALL_COMMAND
        case .listener: WIRE_CALL_LISTENER
        case .task: WIRE_CALL_TASK
        case .exporter: WIRE_CALL_EXPORTER
        case .strategy: WIRE_CALL_STRATEGY
        case .agent: WIRE_CALL_AGENT
        }
    }

    /// Whether two plugins may not both have one of the same name.
    var isExclusive: Bool { self != .listener }
}

/// One contribution of a build. A class, so that the call path hands on one reference and no copies.
final class Contribution: Sendable {
    let kind: ContributionKind
    let name: String
    /// Its index on the wire.
    let index: UInt32
    let description: String?
    let isIdempotent: Bool
    let input: JSONSchema?
    let output: JSONSchema?
    /// The schemas as the manifest has them, for those who list tools.
    let inputJSON: JSONValue?
    let outputJSON: JSONValue?

    init(
        kind: ContributionKind, name: String, index: UInt32, description: String? = nil,
        isIdempotent: Bool = false, input: JSONSchema? = nil, output: JSONSchema? = nil,
        inputJSON: JSONValue? = nil, outputJSON: JSONValue? = nil
    ) {
        self.kind = kind
        self.name = name
        self.index = index
        self.description = description
        self.isIdempotent = isIdempotent
        self.input = input
        self.output = output
        self.inputJSON = inputJSON
        self.outputJSON = outputJSON
    }
}

/// A name within a kind.
struct ContributionName: Hashable, Sendable {
    let kind: ContributionKind
    let name: String
}

/// A verified object that can be started. It holds no process. Immutable; a class, because a manifest is hundreds of
/// bytes and many tables refer to it.
final class PluginBuild: Sendable {
    let hash: ContentHash
    let manifest: Manifest
    let contributions: [Contribution]
    let settingsSchema: JSONSchema?
    /// Declared contributions of kinds that this host has no engine for, as `kind: name`.
    let inactive: [String]

    var id: PluginID { manifest.id }

    /// Compiles the schemas.
    ///
    /// - Throws: a sentence that names the schema and what is wrong in it.
    init(hash: ContentHash, manifest: Manifest) throws(Refusal) {
        self.hash = hash
        self.manifest = manifest
        contributions = try Self.contributions(of: manifest)
        settingsSchema = try Self.settingsSchema(of: manifest)
        inactive = manifest.contributes.functions.map { "function: \($0.name)" }
    }

    /// Compiles the schemas of a manifest and keeps nothing: for those who only look at a file.
    ///
    /// - Throws: a sentence that names the schema and what is wrong in it.
    static func checkSchemas(of manifest: Manifest) throws(Refusal) {
        _ = try contributions(of: manifest)
        _ = try settingsSchema(of: manifest)
    }

    private static func contributions(of manifest: Manifest) throws(Refusal) -> [Contribution] {
        var contributions: [Contribution] = []
        func add(_ kind: ContributionKind, _ callable: Manifest.Callable) throws(Refusal) {
            contributions.append(
                Contribution(
                    kind: kind, name: callable.name, index: UInt32(contributions.count),
                    description: callable.description, isIdempotent: callable.isIdempotent,
                    input: try Self.compile(
                        callable.input, "input schema of \(kind) \(callable.name)"),
                    output: try Self.compile(
                        callable.output, "output schema of \(kind) \(callable.name)"),
                    inputJSON: callable.input, outputJSON: callable.output))
        }
        for tool in manifest.contributes.tools { try add(.tool, tool) }
        for command in manifest.contributes.commands { try add(.command, command) }
        for task in manifest.contributes.tasks { try add(.task, task) }
        for pattern in manifest.contributes.listens {
            contributions.append(
                Contribution(
                    kind: .listener, name: pattern.description, index: UInt32(contributions.count)))
        }
        func add(_ kind: ContributionKind, _ name: String, _ description: String?) {
            contributions.append(
                Contribution(
                    kind: kind, name: name, index: UInt32(contributions.count),
                    description: description))
        }
        let contributes = manifest.contributes
        for exporter in contributes.exporters {
            add(.exporter, exporter.name, exporter.description)
        }
        for strategy in contributes.strategies {
            add(.strategy, strategy.name, strategy.description)
        }
        for agent in contributes.agents { add(.agent, agent.name, agent.description) }
        return contributions
    }

    private static func settingsSchema(of manifest: Manifest) throws(Refusal) -> JSONSchema? {
        try compile(manifest.configuration, "configuration schema")
    }

    /// The settings with the schema's defaults filled in, if they match it.
    func settings(_ given: JSONObject) throws(Refusal) -> JSONValue {
        guard let settingsSchema else { return .object(given) }
        let filled = settingsSchema.defaults(applyingTo: .object(given))
        do throws(JSONSchemaViolation) {
            try settingsSchema.validate(filled)
        } catch {
            throw Refusal("settings", "its settings do not match its schema: \(error)")
        }
        return filled
    }

    private static func compile(
        _ schema: JSONValue?, _ what: String
    ) throws(Refusal) -> JSONSchema? {
        guard let schema else { return nil }
        if case .object(let object) = schema, object.isEmpty { return nil }
        do throws(JSONSchemaError) {
            return try JSONSchema(compiling: schema)
        } catch {
            throw Refusal("schema", "the \(what) cannot be used: \(error)")
        }
    }

    /// What a worker of it is started with, when it came in `file`.
    func spec(from file: String) -> WorkerSpec {
        WorkerSpec(
            plugin: id, version: manifest.version, file: file, object: "\(hash).so",
            memoryBytes: UInt64(clamping: manifest.limits.memory.bytes),
            concurrency: manifest.limits.concurrency, threads: manifest.limits.threads ?? 0,
            contributions: contributions.map { ($0.kind.wireKind, $0.name) })
    }
}

/// Why a file or a plugin is left out: a stable code and a sentence.
struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
    let code: String
    let description: String

    init(_ code: String, _ description: String) {
        self.code = code
        self.description = description
    }
}
