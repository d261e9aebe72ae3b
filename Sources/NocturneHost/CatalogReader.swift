// CatalogReader.swift — reads the plugins directory into catalog files: copies what changed, and says what it is.
// Blocks for the disk, so it runs on the files' thread. Next: Catalog.swift.

import CLinux
import NocturneCore

/// Reads plugin files through the object store.
struct CatalogReader: Sendable {
    let store: ObjectStore
    let directory: String

    /// The directory's files as they are now.
    ///
    /// - Parameters:
    ///   - known: what was found before; files whose identity has not changed are not read again.
    ///   - changed: names to read whatever their identity says, because an event named them.
    func scan(
        known: [String: CatalogFile], changed: Set<String>
    ) throws(DirectoryScanError) -> [String: CatalogFile] {
        var files: [String: CatalogFile] = known.filter { $0.value.isExternal }
        guard case .listed(let entries) = try DirectoryScan(of: directory) else { return files }
        for entry in entries {
            let before = known[entry.path]
            if let before, before.identity != nil, before.identity == entry.identity,
                !changed.contains(entry.name), !Self.mustRetry(before)
            {
                files[entry.path] = before
            } else {
                files[entry.path] = read(entry.path, identity: entry.identity, before: before)
            }
        }
        return files
    }

    private static func mustRetry(_ file: CatalogFile) -> Bool {
        if case .incomplete = file.content { return true }
        return false
    }

    /// One file, whatever was known of it.
    func read(_ path: String, identity: FileIdentity?, before: CatalogFile?) -> CatalogFile {
        var file = CatalogFile(
            path: path, identity: identity, content: .incomplete(Refusal("unread", "not read yet")))
        file.isExternal = before?.isExternal ?? false
        do throws(IngestError) {
            let object = try store.ingest(path)
            file.identity = object.sourceIdentity
            file.hash = object.hash
            if let before, before.hash == object.hash, case .build = before.content {
                return before.with(object)
            }
            file.content = content(of: object)
        } catch {
            let refusal = Refusal(Self.code(of: error), error.description)
            file.content =
                error.mayBeUnfinished
                ? .incomplete(refusal) : .refused(refusal, id: nil, version: nil)
        }
        if case .build = file.content { return file }
        file.lastGood = before?.offer
        file.incompleteSince = before?.incompleteSince ?? clinux_now()
        return file
    }

    private func content(of object: StoredObject) -> CatalogFile.Content {
        let plugin: PluginFile
        do throws(ManifestReaderError) {
            plugin = try ManifestReader.read(object: store.path(of: object.hash))
        } catch {
            return Self.content(error, object.sourcePath, nil)
        }
        let manifest = try? plugin.manifest.get()
        do throws(ManifestReaderError) {
            let manifest = try plugin.checked()
            if let refusal = Requirements.refusal(of: manifest) {
                return .refused(refusal, id: manifest.id, version: "\(manifest.version)")
            }
            do throws(Refusal) {
                return .build(try PluginBuild(hash: object.hash, manifest: manifest))
            } catch {
                return .refused(error, id: manifest.id, version: "\(manifest.version)")
            }
        } catch {
            return Self.content(error, object.sourcePath, manifest)
        }
    }

    private static func content(
        _ error: ManifestReaderError, _ path: String, _ manifest: Manifest?
    ) -> CatalogFile.Content {
        switch error {
        case .incomplete(let why): return .incomplete(Refusal("incomplete", "\(path): \(why)"))
        case .unreadable(let why):
            return .refused(Refusal(code(of: why), "\(why)"), id: nil, version: nil)
        case .refused(let why):
            return .refused(
                Refusal(code(of: why), "\(path): \(why)"), id: manifest?.id,
                version: manifest.map { "\($0.version)" })
        case .manifest(let why):
            return .refused(Refusal("manifest", "\(path): \(why)"), id: nil, version: nil)
        }
    }

    private static func code(of error: IngestError) -> String {
        switch error {
        case .vanished: "vanished"
        case .danglingLink: "danglingLink"
        case .notRegular: "notRegular"
        case .unreadable: "unreadable"
        case .empty: "empty"
        case .tooLarge: "tooLarge"
        case .changedWhileReading: "changing"
        case .store: "store"
        case .hashing: "hashing"
        }
    }

    private static func code(of error: ELFError) -> String {
        switch error {
        case .notELF: "notELF"
        case .truncated: "truncated"
        case .malformed: "malformed"
        case .wrongClass, .wrongArchitecture: "architecture"
        case .notSharedObject: "notSharedObject"
        case .executableStack: "executableStack"
        case .writableCode: "writableCode"
        case .noManifest: "noManifest"
        case .ambiguousManifest: "ambiguousManifest"
        case .manifestTooLarge: "manifestTooLarge"
        case .noEntry: "noEntry"
        }
    }
}

extension CatalogFile {
    /// The same content under a new identity.
    fileprivate func with(_ object: StoredObject) -> CatalogFile {
        var file = self
        file.identity = object.sourceIdentity
        file.incompleteSince = nil
        return file
    }
}
