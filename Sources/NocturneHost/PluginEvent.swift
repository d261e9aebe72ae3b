// PluginEvent.swift — what happens to plugins, typed. On the wire it is an Event with the seed's names and fields.

public import NocturneCore

/// Something that happened to a plugin.
public enum PluginEvent: Sendable, Hashable {
    /// Verified and ready to serve. `plugin:loaded {pluginId, version, file}`
    case loaded(PluginID, version: String, file: String)
    /// It serves. `plugin:enabled {pluginId, version, generation}`
    case enabled(PluginID, version: String, generation: Int)
    /// It serves no more, because an operator said so. `plugin:disabled {pluginId}`
    case disabled(PluginID)
    /// Another generation serves. `plugin:reloaded {pluginId, version, previousVersion, generation,
    /// duration, parked}`; milliseconds, from the start of the new process to the switch, and for how long of that new
    /// calls had to wait, which is 0 where no state is carried over.
    case reloaded(
        PluginID, version: String, previousVersion: String, generation: Int, milliseconds: Double,
        parkedMilliseconds: Double)
    /// Nothing of it is left. `plugin:unloaded {pluginId}`
    case unloaded(PluginID)
    /// It could not be started, or something went wrong with it. `plugin:error {pluginId, code, message}`
    case error(PluginID, code: String, message: String)
    /// Its process ended on its own or was killed. `plugin:crashed {pluginId, code, message, restartIn}`; milliseconds.
    case crashed(PluginID, code: String, message: String, restartMilliseconds: Int?)
    /// A file was left out. `plugin:refused {file, pluginId, code, message}`
    case refused(file: String, PluginID?, code: String, message: String)
    /// It logged something. `plugin:log {pluginId, time, level, message, fields, stream}`; the time in
    /// milliseconds since 1970-01-01 UTC.
    case log(PluginID, LogRecord)

    /// The kinds, by the seed's names.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A build was verified.
        case loaded = "plugin:loaded"
        /// A plugin serves.
        case enabled = "plugin:enabled"
        /// An operator took it out of service.
        case disabled = "plugin:disabled"
        /// Another generation of it serves.
        case reloaded = "plugin:reloaded"
        /// Nothing of it is left.
        case unloaded = "plugin:unloaded"
        /// It could not be started, or something went wrong with it.
        case error = "plugin:error"
        /// Its process ended on its own or was killed.
        case crashed = "plugin:crashed"
        /// A file was left out.
        case refused = "plugin:refused"
        /// It logged something.
        case log = "plugin:log"
    }

    /// The kind of this event.
    public var kind: Kind {
        switch self {
        case .loaded: .loaded
        case .enabled: .enabled
        case .disabled: .disabled
        case .reloaded: .reloaded
        case .unloaded: .unloaded
        case .error: .error
        case .crashed: .crashed
        case .refused: .refused
        case .log: .log
        }
    }

    /// The plugin it is about; `nil` for a file without a readable id.
    public var plugin: PluginID? {
        switch self {
        case .loaded(let id, _, _), .enabled(let id, _, _), .disabled(let id),
            .reloaded(let id, _, _, _, _, _), .unloaded(let id), .error(let id, _, _),
            .crashed(let id, _, _, _), .log(let id, _):
            id
        case .refused(_, let id, _, _): id
        }
    }

    /// The payload on the wire.
    public var payload: JSONObject {
        var payload: JSONObject = ["pluginId": JSONValue(plugin?.description)]
        switch self {
        case .loaded(_, let version, let file):
            payload["version"] = .string(version)
            payload["file"] = .string(file)
        case .enabled(_, let version, let generation):
            payload["version"] = .string(version)
            payload["generation"] = JSONValue(generation)
        case .reloaded(_, let version, let previous, let generation, let milliseconds, let parked):
            payload["version"] = .string(version)
            payload["previousVersion"] = .string(previous)
            payload["generation"] = JSONValue(generation)
            payload["duration"] = JSONValue(milliseconds) ?? .null
            payload["parked"] = JSONValue(parked) ?? .null
        case .error(_, let code, let message):
            payload["code"] = .string(code)
            payload["message"] = .string(message)
        case .crashed(_, let code, let message, let restart):
            payload["code"] = .string(code)
            payload["message"] = .string(message)
            payload["restartIn"] = restart.map { JSONValue($0) } ?? .null
        case .refused(let file, _, let code, let message):
            payload["file"] = .string(file)
            payload["code"] = .string(code)
            payload["message"] = .string(message)
        case .log(_, let record):
            payload["time"] = JSONValue(record.timeMilliseconds)
            payload["level"] = .string(record.level)
            payload["message"] = .string(record.message)
            payload["fields"] = .object(record.fields)
            payload["stream"] = .string(record.stream)
        case .disabled, .unloaded: break
        }
        return payload
    }
}

/// What ``PluginManager/pluginEvents`` delivers.
public enum PluginEventDelivery: Sendable, Hashable {
    /// Something happened to a plugin; in the order in which it happened.
    case event(PluginEvent)
    /// The listener was too slow: so many events were dropped for it.
    case gap(missed: Int)
}
