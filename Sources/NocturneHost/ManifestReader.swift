// ManifestReader.swift — from a file to its manifest, without running a byte of it. Reading is
// apart from judging, so that `inspect` can show a file that this host would never load.
// Next: PluginManager.swift, which decides what becomes of the plugin.

package import NocturneCore

/// Why a file cannot be loaded as a plugin.
package enum ManifestReaderError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file itself cannot be had.
    case unreadable(IngestError)
    /// It ends too early; perhaps it is still being written. Worth another try at its next event.
    case incomplete(ELFError)
    /// It is whole, and not a plugin for this host.
    case refused(ELFError)
    /// The manifest in it is not valid.
    case manifest(ManifestError)

    /// Sorts an ELF error by whether waiting can help.
    init(_ error: ELFError) {
        self = error.mayBeUnfinished ? .incomplete(error) : .refused(error)
    }

    /// What is wrong and what to do next. The caller adds the file's name.
    package var description: String {
        switch self {
        case .unreadable(let error): error.description
        case .incomplete(let error), .refused(let error): error.description
        case .manifest(let error): error.description
        }
    }
}

/// A file that was read as a plugin, for this host or not.
package struct PluginFile: Sendable {
    /// What its ELF headers say.
    package let image: ELFImage
    /// Its manifest, or why there is none.
    package let manifest: Result<Manifest, ManifestReaderError>

    /// Everything that keeps the file from being loaded on `host`, the most telling reason first.
    package func refusals(on host: ELFArchitecture = .host) -> [ManifestReaderError] {
        var reasons = image.refusals(on: host).map(ManifestReaderError.init)
        if case .failure(let error) = manifest, !reasons.contains(error) { reasons.append(error) }
        return reasons
    }

    /// The manifest, if the file may be loaded on `host`; else the first of ``refusals(on:)``.
    package func checked(
        on host: ELFArchitecture = .host
    ) throws(ManifestReaderError) -> Manifest {
        if let reason = refusals(on: host).first { throw reason }
        return try manifest.get()
    }
}

/// Reads plugin files. Any thread; blocks for the disk.
package enum ManifestReader {
    /// Reads an object of the store, by mapping it.
    ///
    /// The path must lead into an ``ObjectStore``: a mapped file that somebody truncates would end
    /// this process with SIGBUS.
    ///
    /// - Throws: when not even the ELF header can be read; all else is in the result.
    package static func read(object path: String) throws(ManifestReaderError) -> PluginFile {
        try read(try mapping { () throws(IngestError) in try FileMapping.map(path) })
    }

    /// Reads any file, from a private copy in memory, so that its owner may do with it what he
    /// likes.
    ///
    /// - Throws: when not even the ELF header can be read; all else is in the result.
    package static func inspect(_ path: String) throws(ManifestReaderError) -> PluginFile {
        try read(try mapping { () throws(IngestError) in try FileMapping.copy(path) })
    }

    private static func mapping(
        _ make: () throws(IngestError) -> FileMapping
    ) throws(ManifestReaderError) -> FileMapping {
        do {
            return try make()
        } catch {
            throw .unreadable(error)
        }
    }

    private static func read(
        _ file: borrowing FileMapping
    ) throws(ManifestReaderError) -> PluginFile {
        do throws(ELFError) {
            let image = try ELFImage(parsing: file.bytes)
            return PluginFile(image: image, manifest: manifest(of: image))
        } catch {
            throw ManifestReaderError(error)
        }
    }

    private static func manifest(of image: ELFImage) -> Result<Manifest, ManifestReaderError> {
        guard let bytes = image.manifest else {
            return .failure(ManifestReaderError(image.manifestError ?? .noManifest))
        }
        do throws(ManifestError) {
            return .success(try Manifest.parse(bytes))
        } catch {
            return .failure(.manifest(error))
        }
    }
}
