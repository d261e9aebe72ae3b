// SystemLibraries.swift — whether a worker would find a library that a plugin needs: searched for as ld.so(8) does, but
// never loaded. Next: PluginInspection.swift.

import Glibc

/// The libraries of this system.
struct SystemLibraries {
    /// Where the C library looks in any case; the last two on Debian and its like.
    private static let folders = [
        "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/lib/\(ELFArchitecture.host)-linux-gnu",
        "/usr/lib/\(ELFArchitecture.host)-linux-gnu",
    ]
    /// As much of the cache as is read: some hundred times what a large system has. 16 MiB.
    private static let cacheLimit = 16 << 20

    /// Paths that ldconfig(8) has noted.
    private let cached: Set<Substring>

    init() {
        var bytes: [UInt8] = []
        if let file = fopen("/etc/ld.so.cache", "re") {
            defer { fclose(file) }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while bytes.count < Self.cacheLimit,
                case let count = fread(&buffer, 1, buffer.count, file), count > 0
            {
                bytes += buffer[..<count]
            }
        }
        // Names and paths are strings that end in NUL, behind a table that holds no strings.
        cached = Set(
            bytes.split(separator: 0).filter { $0.first == UInt8(ascii: "/") }.map {
                Substring(decoding: $0, as: UTF8.self)
            })
    }

    /// Whether there is a library of this name, here or in `folder`.
    func contain(_ name: String, or folder: String? = nil) -> Bool {
        guard !name.isEmpty, !name.contains("/") else { return false }
        let paths = (Self.folders + [folder].compactMap(\.self)).map { "\($0)/\(name)" }
        return paths.contains { access($0, R_OK) == 0 }
            || cached.contains { $0.hasSuffix("/\(name)") && access(String($0), R_OK) == 0 }
    }
}
