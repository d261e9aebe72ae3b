// DirectoryScan.swift — what a plugins directory holds at one moment, file by file, and opens
// none of it. Next: DirectoryWatcher.swift, which says when to look again.

internal import Glibc

/// Why a plugins directory could not be listed.
package enum DirectoryScanError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The path leads to something else, or the system refuses to list it.
    case unreadable(path: String, errno: Int32)
    /// More entries of any kind than ``DirectoryScan/mostEntries``.
    case tooManyEntries(path: String, limit: Int)

    /// What failed, on which directory, and what to do.
    package var description: String {
        switch self {
        case .unreadable(let path, let code):
            "\(path): the plugins directory cannot be listed: \(errnoText(code)); "
                + "it must be a directory that the host's user may read and enter"
        case .tooManyEntries(let path, let limit):
            "\(path): more than \(limit) entries; keep other files out of a plugins directory"
        }
    }
}

/// A plugins directory as it was found.
package enum DirectoryScan: Equatable, Sendable {
    /// There is no such directory now; the plugins in it are gone, and it may come back.
    case missing
    /// Its entries whose names say plugin, in the order of their names' bytes.
    case listed([Entry])

    /// Something called `*.so`. What is no regular file is here too, so that it is refused by name.
    package struct Entry: Hashable, Sendable {
        /// The name in the directory. If it is not UTF-8, a repaired copy, fit only to be shown.
        package let name: String
        /// The directory's path and the name.
        package let path: String
        /// What it is, links followed.
        package let kind: FileKind
        /// Whether the entry itself is a symbolic link.
        package let isSymbolicLink: Bool
        /// The file behind the name, links followed; `nil` when there is none or stat(2) is
        /// refused.
        package let identity: FileIdentity?
    }

    /// Bounds the memory and time of one scan: 100,000 calls of stat(2) take about 0.1 s.
    package static let mostEntries = 100_000

    /// Lists the plugins directory at `path`, links followed. Blocks for the file system.
    package init(of path: String) throws(DirectoryScanError) {
        try self.init(of: path, where: Self.isPlugin)
    }

    /// Lists what has a name that `isWanted` in the directory at `path`.
    init(
        of path: String, where isWanted: (ArraySlice<UInt8>) -> Bool
    ) throws(DirectoryScanError) {
        let names: [[UInt8]]
        do {
            names = try DirectoryListing.rawNames(
                in: path, atMost: Self.mostEntries, where: isWanted)
        } catch {
            switch error {
            case .system(ENOENT):
                self = .missing
                return
            case .system(let code): throw .unreadable(path: path, errno: code)
            case .tooMany: throw .tooManyEntries(path: path, limit: Self.mostEntries)
            }
        }
        let sorted = names.sorted { $0.lexicographicallyPrecedes($1) }
        self = .listed(sorted.compactMap { Self.entry($0, in: path) })
    }

    /// Whether a name in the plugins directory says plugin: `*.so`, not hidden, not an editor's
    /// backup.
    package static func isPlugin(name: String) -> Bool {
        isPlugin(name: Array(name.utf8)[...])
    }

    static func isPlugin(name: ArraySlice<UInt8>) -> Bool {
        // A name that ends in `.so` cannot end in the backup's `~`.
        name.count > suffix.count && name.first != UInt8(ascii: ".")
            && name.suffix(3) == suffix[...]
    }

    private static let suffix = Array(".so".utf8)

    /// `nil` when the name vanished since it was listed.
    private static func entry(_ bytes: [UInt8], in directory: String) -> Entry? {
        guard let name = String(validating: bytes, as: UTF8.self) else {
            let shown = String(decoding: bytes, as: UTF8.self)
            return Entry(
                name: shown, path: "\(directory)/\(shown)", kind: .unnameable,
                isSymbolicLink: false, identity: nil)
        }
        let path = "\(directory)/\(name)"
        var status = stat()
        guard lstat(path, &status) == 0 else {
            guard errno != ENOENT else { return nil }
            return Entry(
                name: name, path: path, kind: .unknown, isSymbolicLink: false, identity: nil)
        }
        let isLink = status.st_mode & S_IFMT == S_IFLNK
        if isLink, stat(path, &status) != 0 {
            return Entry(
                name: name, path: path, kind: errno == ENOENT ? .danglingLink : .unknown,
                isSymbolicLink: true, identity: nil)
        }
        return Entry(
            name: name, path: path, kind: FileKind(mode: status.st_mode), isSymbolicLink: isLink,
            identity: FileIdentity(status))
    }
}

/// The names in any directory of ours or an operator's.
enum DirectoryListing {
    enum Failure: Error {
        case system(Int32), tooMany

        var errno: Int32 {
            switch self {
            case .system(let code): code
            case .tooMany: EOVERFLOW
            }
        }
    }

    /// Every name that is UTF-8. Ours are; what else is in the directory is not ours.
    static func names(in path: String) throws(Failure) -> [String] {
        try rawNames(in: path, atMost: .max) { _ in true }
            .compactMap { String(validating: $0, as: UTF8.self) }
    }

    /// The names that `isWanted`; all entries, wanted or not, count towards `limit`.
    static func rawNames(
        in path: String, atMost limit: Int, where isWanted: (ArraySlice<UInt8>) -> Bool
    ) throws(Failure) -> [[UInt8]] {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK
        let descriptor = retrying { open(path, flags) }
        guard descriptor >= 0 else { throw .system(errno) }
        guard let stream = fdopendir(descriptor) else {
            let code = errno
            close(descriptor)
            throw .system(code)
        }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        var count = 0
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw .system(errno) }
                return names
            }
            let name = name(of: entry)
            if name == dot || name == dotDot { continue }
            count += 1
            guard count <= limit else { throw .tooMany }
            if isWanted(name[...]) { names.append(name) }
        }
    }

    private static let dot = Array(".".utf8), dotDot = Array("..".utf8)

    /// Copies `d_name` out. It is read in place: the record the kernel gave ends with the name, so
    /// a copy of the whole `dirent` could read past the buffer.
    private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return [] }
        let length = Int(entry.pointee.d_reclen) - offset
        let bytes = UnsafeRawBufferPointer(
            start: UnsafeRawPointer(entry) + offset, count: max(0, length))
        return Array(bytes.prefix { $0 != 0 })
    }
}
