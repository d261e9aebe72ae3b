// EmbedManifest.swift — at every build, turns a plugin's manifest.json into a Swift file of its target.

import Foundation
import PackagePlugin

/// Finds manifest.json in the target's folder or at the top of the package, and has it embedded.
@main
struct EmbedManifest: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folders = [target.directoryURL, context.package.directoryURL]
        let candidates = folders.map { $0.appending(path: "manifest.json") }
        guard let manifest = candidates.first(where: { isFile($0) }) else {
            Diagnostics.error(
                "\(target.name): no manifest.json at \(candidates[1].path), the top of the package")
            return []
        }
        let tool = try context.tool(named: "nocturne-embed-manifest")
        let compiler = try context.tool(named: "swiftc")
        let output = context.pluginWorkDirectoryURL.appending(path: "Manifest.swift")
        return [
            .buildCommand(
                displayName: "Embedding manifest.json into \(target.name)",
                executable: tool.url,
                arguments: [manifest.path, compiler.url.path, output.path],
                inputFiles: [manifest, compiler.url],
                outputFiles: [output])
        ]
    }

    private func isFile(_ url: URL) -> Bool {
        FileManager.default.fileExists(atPath: url.path)
    }
}
