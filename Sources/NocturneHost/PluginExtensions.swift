// PluginExtensions.swift — what a worker says of the plugin that it loaded: its extensions, and who its code says it
// is. Next: Generation.swift.

import CWire
import NocturneCore

/// Extensions that the plugin has.
struct PluginExtensions: OptionSet, Sendable {
    let rawValue: UInt32
    static let health = PluginExtensions(rawValue: WIRE_EXTENSION_HEALTH)
    static let state = PluginExtensions(rawValue: WIRE_EXTENSION_STATE)
    static let settings = PluginExtensions(rawValue: WIRE_EXTENSION_SETTINGS)
    static let cancel = PluginExtensions(rawValue: WIRE_EXTENSION_CANCEL)
    static let identity = PluginExtensions(rawValue: WIRE_EXTENSION_IDENTITY)
}

extension PluginExtensions {
    /// Takes a worker's word for what its plugin has, but not for who it is.
    ///
    /// The comparison is here because manifest and file are at hand for the error. Neither side could prove anything:
    /// a plugin that lies about agreeing with its manifest is where one without the extension is.
    ///
    /// - Throws: ``StartError/identity(file:field:manifest:code:)`` if the code states another identity than the
    ///   manifest.
    init(_ message: wire_loaded, of spec: WorkerSpec) throws(StartError) {
        self.init(rawValue: message.extensions)
        guard contains(.identity) else { return }
        var message = message
        let id = withUnsafeBytes(of: &message.id) { Zygote.text($0) }
        let version = withUnsafeBytes(of: &message.version) { Zygote.text($0) }
        for (field, manifest, code) in [
            ("id", "\(spec.plugin)", id), ("version", "\(spec.version)", version),
        ] where !manifest.utf8.elementsEqual(code.utf8) {  // == takes a Kelvin sign for a K
            throw .identity(file: spec.file, field: field, manifest: manifest, code: code)
        }
    }
}
