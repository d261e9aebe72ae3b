// DirectoryResolution.swift — which plugins of a directory go together, in which order they start and why not the
// rest, told without a host: `resolve DIR`. Next: DirectoryResolutionText.swift.

package import NocturneCore
import NocturneResolver

/// What a host would load from a directory, and why not the rest.
package struct DirectoryResolution: Sendable {
    /// Absolute, without a slash at the end.
    let directory: String
    let environment: HostEnvironment
    let resolution: Resolution
    /// In the order of their names' bytes.
    let invalid: [InvalidFile]
    let notes: [String]

    /// Reads the plugins (`*.so`) and bare manifests (`*.json`) of a directory and chooses. Nothing is executed and
    /// nothing is changed. Equal directories have equal answers.
    ///
    /// - Parameters:
    ///   - hostVersion: of the host to choose for; `nil`: this one.
    ///   - architecture: of its machine; `nil`: this one.
    /// - Throws: ``PluginError`` `directory` if it cannot be listed. What is wrong with a file is in the answer.
    package static func resolve(
        _ path: String, hostVersion: SemanticVersion? = nil,
        architecture: Manifest.Architecture? = nil
    ) throws(PluginError) -> DirectoryResolution {
        let directory = PluginManager.absolute(path)
        let entries = try entries(of: directory)
        let names = Set(entries.map(\.name))
        var candidates: [Candidate] = []
        var invalid: [InvalidFile] = []
        var notes: [String] = []
        for entry in entries {
            if let library = OfferedFile.library(ofSidecar: entry.name), names.contains(library) {
                notes.append(
                    "\(entry.name) was not read: it belongs to \(library), and this version reads no "
                        + "manifest beside a library, only the one inside")
                continue
            }
            do throws(InvalidFile) {
                candidates.append(try OfferedFile.read(entry))
            } catch {
                invalid.append(error)
            }
        }
        let environment = HostEnvironment(
            version: hostVersion ?? HostVersion.semantic, abi: HostVersion.abi,
            architecture: architecture ?? .host)
        let resolution = Resolver.resolve(ResolveRequest(candidates, for: environment))
        return DirectoryResolution(
            directory: directory, environment: environment, resolution: resolution,
            invalid: invalid, notes: resolution.notes + notes)
    }

    private static func entries(
        of directory: String
    ) throws(PluginError) -> [DirectoryScan.Entry] {
        let scan: DirectoryScan
        do throws(DirectoryScanError) {
            scan = try DirectoryScan(of: directory, where: OfferedFile.isOffer)
        } catch {
            throw PluginError("directory", nil, error.description)
        }
        guard case .listed(let entries) = scan else {
            throw PluginError(
                "directory", nil, "\(directory): there is no such directory; check the name")
        }
        return entries
    }

    /// Whether a file is no plugin for any host.
    package var hasInvalidFiles: Bool { !invalid.isEmpty }

    // MARK: - For programs

    /// `{"chosen": [{"id", "version", "file"}], "rejected": [{"id", "version", "file", "reason"}], "order": [id]}`,
    /// which scripts rely on, and beside it `{"layers": [[id]], "leftOut": [{"id", "code", "change"}],
    /// "invalid": [file], "notes": [text]}`.
    package var json: JSONValue {
        [
            "chosen": .array(
                resolution.chosen.map { choice in
                    [
                        "id": .string("\(choice.id)"), "version": .string("\(choice.version)"),
                        "file": .string(path(choice.label)),
                    ]
                }),
            "rejected": .array(rejected),
            "order": .array(resolution.order.flatMap { $0.map { .string("\($0)") } }),
            "layers": .array(
                resolution.order.map { layer in .array(layer.map { .string("\($0)") }) }),
            "leftOut": .array(
                resolution.leftOut.map { one in
                    [
                        "id": .string("\(one.id)"), "code": .string("\(one.reason)"),
                        "change": JSONValue(one.change),
                    ]
                }),
            "invalid": JSONValue(invalid.map { path($0.name) }), "notes": JSONValue(notes),
        ]
    }

    private var rejected: [JSONValue] {
        let leftOut = Dictionary(uniqueKeysWithValues: resolution.leftOut.map { ($0.id, $0) })
        let known = resolution.rejected.map { one -> JSONValue in
            var reason = one.text
            // Of a version that has a reason of its own the change says nothing.
            if let id = leftOut[one.id], id.text == one.text {
                reason = CatalogReasons.refusal(id).description
            }
            return [
                "id": .string("\(one.id)"), "version": .string("\(one.version)"),
                "file": .string(path(one.label)), "reason": .string(reason),
            ]
        }
        return known
            + invalid.map { file in
                [
                    "id": JSONValue(file.id?.description),
                    "version": JSONValue(file.version?.description),
                    "file": .string(path(file.name)), "reason": .string(file.reason),
                ]
            }
    }

    private func path(_ name: String) -> String {
        directory == "/" ? "/\(name)" : "\(directory)/\(name)"
    }
}
