// ZoneDirectory.swift — the files of the time zone database: one read, or all names when one is not there.
// Next: ZoneFile.swift.

internal import Glibc
internal import NocturneCore

struct ZoneDirectory {
    private let directories: [String]

    init(_ directories: [String]) {
        self.directories = directories
    }

    /// The bytes of a file; `nil` if there is no such file.
    static func read(_ path: String) throws(ZoneError) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .unreadable(path: path, errno: errno)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .unreadable(path: path, errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        guard status.st_size <= ZoneFile.maximumSize else {
            throw .malformed(path: path, reason: "it has \(status.st_size) bytes")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var count = 0
        while count < bytes.count {
            let got = bytes[count...].withUnsafeMutableBytes {
                Glibc.read(file, $0.baseAddress, $0.count)
            }
            if got == 0 { break }
            if got < 0 {
                if errno == EINTR { continue }
                throw .unreadable(path: path, errno: errno)
            }
            count += got
        }
        return Array(bytes[..<count])
    }

    /// Says that there is no zone `name`, and which one may have been meant.
    func unknown(_ name: String) -> ZoneError {
        let names = directories.lazy.map(names).first { !$0.isEmpty } ?? []
        if names.isEmpty { return .noDatabase(directories: directories) }
        let wanted = name.lowercased().replacing(" ", with: "_")
        let suggestion =
            names.first { $0.lowercased() == wanted }
            // Berlin is a city in Europe.
            ?? names.first { $0.lowercased().hasSuffix("/\(wanted)") }
            ?? Spelling.closest(to: name, of: names, within: min(2, name.utf8.count / 4))
        return .unknown(name: name, suggestion: suggestion)
    }

    /// All names below a directory, sorted; without the doubles in `posix` and `right`.
    private func names(in directory: String) -> [String] {
        var found: [String] = []
        var folders = [""]
        while let folder = folders.popLast(), found.count < Self.maximumNames {
            guard let stream = opendir("\(directory)/\(folder)") else { continue }
            defer { closedir(stream) }
            while let entry = readdir(stream) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                guard name.first?.isUppercase ?? false else { continue }
                if entry.pointee.d_type == UInt8(DT_DIR) {
                    folders.append("\(folder)\(name)/")
                } else {
                    found.append(folder + name)
                }
            }
        }
        return found.sorted()
    }

    /// The database has about 600; more is some other directory.
    private static let maximumNames = 2_000
}
