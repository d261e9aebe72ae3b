// PluginInspection.swift — what a file says of itself, without running it and without a host: `inspect FILE`.

import Glibc
public import NocturneCore

/// A plugin file as it is, also one that this host would refuse: hostile, broken, or of another architecture.
public struct PluginInspection: Sendable {
    private let path: String
    private let file: PluginFile
    private let reasons: [String]

    /// Reads a file. Nothing of it is executed and nothing is changed.
    ///
    /// - Throws: ``PluginError`` `file` if it cannot be read, or is not even an ELF file.
    public static func inspect(_ path: String) throws(PluginError) -> PluginInspection {
        let path = PluginManager.absolute(path)
        let file: PluginFile
        do throws(ManifestReaderError) {
            file = try ManifestReader.inspect(path)
        } catch {
            let text = error.description
            throw PluginError(
                "file", nil, text.hasPrefix(path) ? text : "\(path): \(text)",
                exit: isDenied(error) ? 77 : 65)
        }
        var reasons = file.refusals().map(\.description)
        if case .success(let manifest) = file.manifest {
            if let refusal = Requirements.refusal(of: manifest) {
                reasons.append(refusal.description)
            }
            do throws(Refusal) {
                try PluginBuild.checkSchemas(of: manifest)
            } catch {
                reasons.append(error.description)
            }
        }
        // What a file of another machine needs is not looked for on this one.
        if reasons.isEmpty { reasons = missing(for: file) }
        return PluginInspection(path: path, file: file, reasons: reasons)
    }

    private static func isDenied(_ error: ManifestReaderError) -> Bool {
        guard case .unreadable(.unreadable(_, let code)) = error else { return false }
        return code == EACCES || code == EPERM
    }

    /// What the file needs and this machine does not have.
    private static func missing(for file: PluginFile) -> [String] {
        var folder: String?
        if case .success(let manifest) = file.manifest, case .swift(let version) = manifest.runtime
        {
            let worker = HostResources.ownDirectory() + "/nocturne-worker"
            let runtimes = SwiftRuntime.available(worker: worker)
            guard let runtime = runtimes.first(where: { $0.version == version }) else {
                let error = StartError.runtime(
                    wanted: "\(manifest.runtime)", found: runtimes.map { "swift-\($0.version)" })
                return [error.description]
            }
            folder = runtime.directory
        }
        let libraries = SystemLibraries()
        return file.image.needed.filter { !libraries.contain($0, or: folder) }.map {
            "it needs \($0), which is not among this system's libraries; link that library statically: "
                + "what lies beside a plugin is not searched"
        }
    }

    /// Whether this host would load it, as far as can be told without running it.
    public var isLoadableHere: Bool { reasons.isEmpty }

    private var manifest: Manifest? { try? file.manifest.get() }

    /// `{"file", "architecture", "kind", "needed", "loadable", "reasons", "manifest"}`
    public var json: JSONValue {
        [
            "file": .string(path), "architecture": .string("\(file.image.architecture)"),
            "kind": .string("\(file.image.kind)"),
            "needed": JSONValue(file.image.needed), "loadable": .bool(isLoadableHere),
            "reasons": JSONValue(reasons), "manifest": manifest?.json ?? .null,
        ]
    }

    /// The same for people, some lines.
    public var text: String {
        var lines = ["\(path)", "  \(file.image.kind), \(file.image.architecture)"]
        if let manifest {
            lines.append("  \(manifest.id) \(manifest.version): \(manifest.name)")
            lines.append("  ABI \(manifest.abi), runtime \(manifest.runtime)")
            let contributes = manifest.contributes
            let names: [(String, [String])] = [
                ("tools", contributes.tools.map(\.name)),
                ("commands", contributes.commands.map(\.name)),
                ("tasks", contributes.tasks.map(\.name)),
                ("listens", contributes.listens.map(\.description)),
            ]
            for (kind, names) in names where !names.isEmpty {
                lines.append("  \(kind): \(names.joined(separator: ", "))")
            }
        }
        if !file.image.needed.isEmpty {
            lines.append("  needs: \(file.image.needed.joined(separator: ", "))")
        }
        lines += reasons.map { "  refused: \($0)" }
        if isLoadableHere { lines.append("  nothing in it keeps this host from loading it") }
        return lines.joined(separator: "\n")
    }
}
