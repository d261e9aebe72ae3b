// PluginAgents.swift — strategies and agents of plugins, as those know them who let agents work together.
// Next: PluginCaller.swift.

/// A coordination strategy that a plugin contributes.
package struct PluginStrategy: Sendable, Hashable {
    /// No other enabled plugin has one of this name.
    package let name: String
    package let plugin: PluginID

    package init(name: String, plugin: PluginID) { (self.name, self.plugin) = (name, plugin) }
}

/// An agent that a plugin contributes.
package struct PluginAgent: Sendable, Hashable {
    /// No other enabled plugin has one of this name.
    package let name: String
    package let plugin: PluginID
    package let description: String?
    /// What it is good at.
    package let capabilities: [String]
    /// Calls of any kind that its plugin handles at once.
    package let concurrency: Int

    package init(
        name: String, plugin: PluginID, description: String?, capabilities: [String],
        concurrency: Int
    ) {
        (self.name, self.plugin, self.description) = (name, plugin, description)
        (self.capabilities, self.concurrency) = (capabilities, concurrency)
    }
}
