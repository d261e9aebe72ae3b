// AgentCommand.swift — the programs that agents may be: those that the operator listed. Next: SubprocessAgent.swift.

public import NocturneCore
internal import Glibc

/// A program that is an agent, as the operator wrote it down. Nobody who uses a session can name another one.
public struct AgentCommand: Sendable, Hashable {
    /// Variables that every program gets if the host has them: what programs need to find themselves and to speak the
    /// right language, and no secret.
    public static let usualVariables = [
        "HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER",
    ]

    /// The absolute path of the program.
    public let executable: String
    /// What it is started with.
    public let arguments: [String]
    /// Variables of the host that it gets besides the usual ones.
    public let passes: [String]
    /// Variables that it gets with these values.
    public let variables: [String: String]

    /// A program.
    ///
    /// - Throws: ``AgentCommandError/invalid(_:)`` for a path that is not absolute and for names that are none.
    public init(
        _ executable: String, _ arguments: [String] = [], passing passes: [String] = [],
        variables: [String: String] = [:]
    ) throws(AgentCommandError) {
        guard executable.hasPrefix("/") else {
            throw .invalid("\(quoted(executable)) is no absolute path of a program")
        }
        if let name = (passes + variables.keys.sorted()).first(where: {
            $0.isEmpty || $0.contains("=")
        }) {
            throw .invalid("\(quoted(name)) is no name of a variable")
        }
        let texts = [executable] + arguments + passes + variables.flatMap { [$0.key, $0.value] }
        guard !texts.contains(where: { $0.utf8.contains(0) }) else {
            throw .invalid("a zero byte is in the command of \(executable)")
        }
        (self.executable, self.arguments) = (executable, arguments)
        (self.passes, self.variables) = (passes, variables)
    }

    /// Reads `{"command": ["/usr/bin/python3", "agent.py"], "pass": ["API_KEY"], "environment": {"MODE": "fast"}}`.
    public init(json: JSONValue) throws(AgentCommandError) {
        func strings(_ key: String) throws(AgentCommandError) -> [String] {
            guard let value = json[key] else { return [] }
            let strings = value.array?.compactMap(\.string)
            guard let strings, strings.count == value.array?.count else {
                throw .invalid("`\(key)` must be a list of texts")
            }
            return strings
        }
        let words = try strings("command")
        guard let executable = words.first else {
            throw .invalid("`command` must be a list of the program's path and its arguments")
        }
        var variables: [String: String] = [:]
        if let environment = json["environment"] {
            guard let object = environment.object else {
                throw .invalid("`environment` must be an object of texts")
            }
            for (name, value) in object {
                guard let value = value.string else {
                    throw .invalid("`environment.\(name)` must be a text")
                }
                variables[name] = value
            }
        }
        try self.init(
            executable, Array(words.dropFirst()), passing: try strings("pass"), variables: variables
        )
    }

    /// All that it gets to know of the host's environment, as `NAME=value`.
    var environment: [String] {
        let passed = (Self.usualVariables + passes).compactMap { name -> String? in
            guard variables[name] == nil, let value = getenv(name) else { return nil }
            return "\(name)=\(String(cString: value))"
        }
        return passed
            + variables.keys.sorted().compactMap { name in
                variables[name].map { "\(name)=\($0)" }
            }
    }
}

/// The programs that the operator listed, by name.
public struct AgentCommands: Sendable {
    private let commands: [String: AgentCommand]

    /// A list.
    public init(_ commands: [String: AgentCommand] = [:]) { self.commands = commands }

    /// The names, in order.
    public var names: [String] { commands.keys.sorted() }

    /// The program of that name.
    ///
    /// - Throws: ``AgentCommandError/unknown(_:known:)`` if the operator listed none.
    public func command(_ name: String) throws(AgentCommandError) -> AgentCommand {
        guard let command = commands[name] else { throw .unknown(name, known: names) }
        return command
    }
}

/// Why a program cannot be an agent.
public enum AgentCommandError: ReportableError, Hashable {
    /// The operator listed no such command.
    case unknown(String, known: [String])
    /// A command that makes no sense.
    case invalid(String)
    /// It cannot be started.
    case cannotStart(String, _ why: String)

    /// What is wrong with which, and what to do.
    public var description: String {
        switch self {
        case .unknown(let name, let known):
            "there is no agent command \(quoted(name)); the operator listed "
                + (known.isEmpty ? "none" : known.joined(separator: ", "))
        case .invalid(let why): "an agent command makes no sense: \(why)"
        case .cannotStart(let program, let why): "\(program) cannot be started: \(why)"
        }
    }

    /// Stable name of the kind.
    public var code: String {
        switch self {
        case .unknown: "unknownCommand"
        case .invalid: "invalidCommand"
        case .cannotStart: "cannotStart"
        }
    }

    /// None: a session is nobody's.
    public var plugin: PluginID? { nil }

    /// Whether the same request may succeed later with nothing changed.
    public var isRetryable: Bool { if case .cannotStart = self { true } else { false } }

    /// 65: what was asked for cannot be. 69: the program is not there.
    public var exitStatus: Int32 { isRetryable ? 69 : 65 }
}
