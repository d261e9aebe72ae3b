// ManifestContributions.swift — what a plugin adds to the host, kind by kind, as its manifest
// declares it. Next: ManifestError.swift.

extension Manifest {
    /// What a plugin adds to the host. Names are unique within a kind.
    public struct Contributions: Sendable, Hashable {
        /// Contributions of one kind a plugin may have.
        public static let maximumPerKind = 256

        /// Called by agents, people and other plugins.
        public let tools: [Callable]
        /// Called by people; names may hold `:`, as `notes:export`.
        public let commands: [Callable]
        /// Handlers of background tasks.
        public let tasks: [Callable]
        /// Coordination strategies: pure steps.
        public let strategies: [Named]
        /// Exporters of metrics.
        public let exporters: [Exporter]
        /// Agents.
        public let agents: [Agent]
        /// Events the plugin wants.
        public let listens: [EventPattern]
        /// Plain C functions, called by signature.
        public let functions: [Function]

        /// Whether there is nothing at all.
        public var isEmpty: Bool {
            tools.isEmpty && commands.isEmpty && tasks.isEmpty && strategies.isEmpty
                && exporters.isEmpty && agents.isEmpty && listens.isEmpty && functions.isEmpty
        }
    }

    /// A tool, a command or a task handler: JSON in, JSON out.
    public struct Callable: Sendable, Hashable {
        /// `[A-Za-z][A-Za-z0-9_.:-]{0,127}`.
        public let name: String
        /// For people and for agents that choose a tool.
        public let description: String?
        /// The JSON Schema that arguments must match; `nil` means any JSON.
        public let input: JSONValue?
        /// The JSON Schema that results must match; `nil` means any JSON.
        public let output: JSONValue?
        /// Whether a call that was cut off may be made again. Default `false`.
        public let isIdempotent: Bool
    }

    /// A contribution of which only the name is known to the host.
    public struct Named: Sendable, Hashable {
        /// `[A-Za-z][A-Za-z0-9_.:-]{0,127}`.
        public let name: String
        /// For people.
        public let description: String?
    }

    /// An exporter of metrics.
    public struct Exporter: Sendable, Hashable {
        /// `[A-Za-z][A-Za-z0-9_.:-]{0,127}`.
        public let name: String
        /// For people.
        public let description: String?
        /// The media type of what it makes, such as `text/csv`; `nil` means bytes.
        public let contentType: String?
        /// Whether it is called with each sample of the metrics. Default `false`.
        public let isPush: Bool
    }

    /// An agent.
    public struct Agent: Sendable, Hashable {
        /// Capabilities one agent may claim.
        public static let maximumCapabilities = 64

        /// `[A-Za-z][A-Za-z0-9_.:-]{0,127}`.
        public let name: String
        /// For people and for coordinators that choose an agent.
        public let description: String?
        /// What it is good at, in names like its own.
        public let capabilities: [String]
    }

    /// A plain C function that the worker calls through its signature.
    public struct Function: Sendable, Hashable {
        /// `[A-Za-z][A-Za-z0-9_.:-]{0,127}`.
        public let name: String
        /// For people.
        public let description: String?
        /// The symbol in the library: a C identifier. Default: the name.
        public let symbol: String
        /// Such as `u64 (u64, bytes)`. Printable ASCII; read by whoever calls the function.
        public let signature: String
        /// Whether a call that was cut off may be made again. Default `false`.
        public let isIdempotent: Bool
    }

    /// Which events a plugin wants: `task:completed`, `plugin:*` or `*`.
    public struct EventPattern: Sendable, Hashable, CustomStringConvertible {
        /// As written.
        public let description: String

        /// Whether an event of this name is wanted.
        public func matches(_ event: String) -> Bool {
            guard description.utf8.last == UInt8(ascii: "*") else {
                return event.utf8.elementsEqual(description.utf8)
            }
            return event.utf8.starts(with: description.utf8.dropLast())
        }
    }
}
