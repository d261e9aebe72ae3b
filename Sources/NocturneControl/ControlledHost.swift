// ControlledHost.swift — what the control API needs of a host. The plugin manager is one; tests
// bring their own. Next: Endpoint.swift.

package import NocturneCore
package import NocturneHost

/// A host as the control API sees it. Every method may be called from any thread.
package protocol ControlledHost: Sendable {
    /// The host itself, as `GET /v1/host` shows it.
    var status: JSONValue { get }
    /// The tools of enabled plugins, as JSON.
    var toolList: [JSONValue] { get }
    /// The commands of enabled plugins, as JSON.
    var commandList: [JSONValue] { get }
    /// What happens in the host.
    var events: EventBus { get }

    func plugins(where filter: PluginFilter) async -> [PluginInfo]
    func plugin(_ id: PluginID) async -> PluginInfo?
    func graph() async -> PluginGraph
    func load(
        _ id: PluginID?, from path: String, cascade: Bool
    ) async throws(PluginError) -> PluginInfo
    func unload(_ id: PluginID, cascade: Bool) async throws(PluginError)
    func enable(_ id: PluginID) async throws(PluginError) -> PluginInfo
    func disable(_ id: PluginID, cascade: Bool) async throws(PluginError) -> PluginInfo
    func reload(_ id: PluginID, cascade: Bool) async throws(PluginError) -> PluginInfo
    func rollback(_ id: PluginID, cascade: Bool) async throws(PluginError) -> PluginInfo
    func planReload(_ id: PluginID) async throws(PluginError) -> ChangePlan
    func planUnload(_ id: PluginID) async throws(PluginError) -> ChangePlan
    func configure(
        _ id: PluginID, _ settings: JSONObject, replacing: Bool
    ) async throws(PluginError) -> PluginInfo
    func rescan() async

    func call(
        _ tool: String, _ input: JSONValue, options: CallOptions
    ) async throws(CallError) -> JSONValue
    func command(
        _ name: String, _ input: JSONValue, options: CallOptions
    ) async throws(CallError) -> JSONValue

    /// The latest `last` records of a plugin's log, oldest first, as JSON.
    func logRecords(of id: PluginID, last: Int) async throws(PluginError) -> [JSONValue]
}

extension PluginManager: ControlledHost {
    /// The tools of enabled plugins, as JSON.
    package nonisolated var toolList: [JSONValue] { tools.map(\.json) }

    /// The commands of enabled plugins, as JSON.
    package nonisolated var commandList: [JSONValue] { commands.map(\.json) }

    /// The latest `last` records of a plugin's log, oldest first, as JSON.
    package func logRecords(
        of id: PluginID, last: Int
    ) async throws(PluginError) -> [JSONValue] {
        try await logs(of: id, last: last).map(\.json)
    }
}
