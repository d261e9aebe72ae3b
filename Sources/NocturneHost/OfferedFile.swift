// OfferedFile.swift — one file of a directory as the resolver wants it: a candidate, or why it is none. Nothing is
// executed, copied or changed. Next: DirectoryResolution.swift.

import NocturneCore
import NocturneResolver

/// A file that is no plugin for any host.
struct InvalidFile: Error {
    /// Its name in the directory.
    let name: String
    /// As far as they could be read.
    var id: PluginID?
    var version: SemanticVersion?
    /// For people: the file, the field and the value.
    let reason: String

    /// - Parameters:
    ///   - manifest: the manifest as it is written, however wrong; `nil`: there is none.
    init(_ entry: DirectoryScan.Entry, _ problem: String, manifest: [UInt8]? = nil) {
        name = entry.name
        // Some errors name the path themselves.
        let prefix = "\(entry.path): "
        reason =
            "\(Self.shown(name)): "
            + (problem.hasPrefix(prefix) ? String(problem.dropFirst(prefix.count)) : problem)
        guard let manifest, manifest.count <= Manifest.maximumBytes,
            let json = try? JSONParser.parse(manifest)
        else { return }
        id = json["id"]?.string.flatMap { try? PluginID($0) }
        version = json["version"]?.string.flatMap { try? SemanticVersion($0) }
    }

    /// A name that cannot pretend to be another line.
    static func shown(_ name: String) -> String {
        name.unicodeScalars.contains(where: \.isUnsafeToShow) ? quoted(name) : name
    }
}

/// Reads what files offer.
enum OfferedFile {
    private static let librarySuffix = ".so", manifestSuffix = ".json"
    private static let sidecarSuffix = ".nocturne.json"

    /// Whether a name says plugin or manifest: `*.so`, `*.json`, not hidden.
    static func isOffer(name: ArraySlice<UInt8>) -> Bool {
        DirectoryScan.isPlugin(name: name)
            || name.count > manifestSuffix.utf8.count && name.first != UInt8(ascii: ".")
                && name.suffix(manifestSuffix.utf8.count).elementsEqual(manifestSuffix.utf8)
    }

    /// The library beside which a file of this name would be its manifest; `nil` if it is none in any case.
    static func library(ofSidecar name: String) -> String? {
        guard name.hasSuffix(sidecarSuffix) else { return nil }
        return name.dropLast(sidecarSuffix.count) + librarySuffix
    }

    /// What `entry` offers to any host; whether it suits one is the resolver's to say.
    static func read(_ entry: DirectoryScan.Entry) throws(InvalidFile) -> Candidate {
        // A name that no path can say.
        guard entry.kind != .unnameable else {
            throw InvalidFile(
                entry, IngestError.notRegular(path: entry.path, kind: entry.kind).description)
        }
        return entry.name.hasSuffix(librarySuffix)
            ? try readLibrary(entry) : try readManifest(entry)
    }

    private static func readLibrary(
        _ entry: DirectoryScan.Entry
    ) throws(InvalidFile) -> Candidate {
        let file: PluginFile
        do throws(ManifestReaderError) {
            file = try ManifestReader.inspect(entry.path)
        } catch {
            throw InvalidFile(entry, error.description)
        }
        let manifest: Manifest
        do throws(ManifestReaderError) {
            // Another machine's plugin is a valid file.
            manifest = try file.checked(on: file.image.architecture)
        } catch {
            throw InvalidFile(entry, error.description, manifest: file.image.manifest)
        }
        var candidate = try candidate(entry, manifest, file.image.manifest ?? [])
        candidate.architecture = Manifest.Architecture(file.image.architecture)
        if candidate.architecture == nil {
            let error = ELFError.wrongArchitecture(found: file.image.architecture, host: .host)
            candidate.refusals.insert(.init("architecture", "it was \(error)"), at: 0)
        }
        return candidate
    }

    private static func readManifest(
        _ entry: DirectoryScan.Entry
    ) throws(InvalidFile) -> Candidate {
        let bytes: [UInt8]
        do throws(IngestError) {
            bytes = contents(of: try FileMapping.copy(entry.path))
        } catch .empty {
            throw InvalidFile(entry, "the file is empty; write a manifest into it, or remove it")
        } catch {
            throw InvalidFile(entry, error.description)
        }
        let manifest: Manifest
        do throws(ManifestError) {
            manifest = try Manifest.parse(bytes, source: .bare)
        } catch {
            throw InvalidFile(entry, error.description, manifest: bytes)
        }
        return try candidate(entry, manifest, bytes)
    }

    /// The memory must outlive the copying, so it is borrowed.
    private static func contents(of file: borrowing FileMapping) -> [UInt8] { Array(file.bytes) }

    private static func candidate(
        _ entry: DirectoryScan.Entry, _ manifest: Manifest, _ bytes: [UInt8]
    ) throws(InvalidFile) -> Candidate {
        do throws(Refusal) {
            try PluginBuild.checkSchemas(of: manifest)
        } catch {
            throw InvalidFile(entry, error.description, manifest: bytes)
        }
        let denied = Requirements.missingPermission(manifest)
        return Candidate(
            manifest, label: entry.name,
            refusals: denied.map { [.init($0.code, $0.description)] } ?? [])
    }
}

extension Manifest.Architecture {
    /// `nil` for one that no manifest can name.
    init?(_ architecture: ELFArchitecture) {
        let found = Self.allCases.first { $0.rawValue == architecture.description }
        guard let found else { return nil }
        self = found
    }

    /// This machine's.
    static var host: Manifest.Architecture? { Manifest.Architecture(.host) }
}
