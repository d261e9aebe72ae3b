// EmbeddingExample.swift — the README's program that embeds the host. README shows these very lines; TidyTests
// compares.

import Nocturne

/// Serves the plugins of a folder, calls one, and ends.
func embeddingExample(pluginsPath: String, statePath: String) async throws -> JSONValue {
    let host = try PluginManager(
        configuration: .init(pluginsPath: pluginsPath, statePath: statePath))
    let token = host.on(.crashed) { event in print(event) }  // until the token goes
    defer { token.cancel() }

    try await host.start()  // returns when what is in the folder serves
    do {
        let reply = try await host.call("echo", ["hello": 1])
        await host.shutdown()
        return reply
    } catch {  // a CallError: which plugin, what happened, what to do
        await host.shutdown()
        throw error
    }
}
