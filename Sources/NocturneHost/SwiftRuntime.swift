// SwiftRuntime.swift — where Swift's libraries are, and of which version. Swift has no stable ABI on Linux, so a plugin
// runs only with the runtime that it was built with (DESIGN §4, *Runtime*). Next: ZygotePool.swift.

import Glibc

/// A folder with a Swift runtime.
struct SwiftRuntime: Sendable, Hashable {
    /// For example `6.3.1`.
    let version: String
    let directory: String

    /// All that this host can offer: `../lib/nocturne/swift-<version>/` beside the worker's executable, and the
    /// toolchain whose runtime this very process uses, as in a source build.
    static func available(worker: String) -> [SwiftRuntime] {
        var found: [SwiftRuntime] = []
        let bin = worker.lastIndex(of: "/").map { String(worker[..<$0]) } ?? "."
        let installed = "\(bin)/../lib/nocturne"
        for name in names(in: installed) where name.hasPrefix("swift-") {
            let directory = "\(installed)/\(name)"
            if isRuntime(directory) {
                found.append(
                    SwiftRuntime(version: String(name.dropFirst(6)), directory: directory))
            }
        }
        if let directory = ownDirectory(), let version = version(ofToolchain: directory),
            !found.contains(where: { $0.version == version })
        {
            found.append(SwiftRuntime(version: version, directory: directory))
        }
        return found.sorted { $0.version < $1.version }
    }

    private static func isRuntime(_ directory: String) -> Bool {
        access("\(directory)/libswiftCore.so", R_OK) == 0
    }

    /// The folder of the libswiftCore.so that is mapped into this process; `nil` in a statically linked one.
    private static func ownDirectory() -> String? {
        guard let file = fopen("/proc/self/maps", "re") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 4_352)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(
                decoding: line.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)),
                as: UTF8.self)
            guard text.hasSuffix("/libswiftCore.so"), let start = text.firstIndex(of: "/") else {
                continue
            }
            return String(text[start...].dropLast("/libswiftCore.so".count))
        }
        return nil
    }

    /// A toolchain's interface of the standard library says which compiler made it:
    /// `// swift-compiler-version: Swift version 6.3.1 (swift-6.3.1-RELEASE)`
    private static func version(ofToolchain directory: String) -> String? {
        let module = "\(directory)/Swift.swiftmodule"
        guard let name = names(in: module).first(where: { $0.hasSuffix("-gnu.swiftinterface") }),
            let file = fopen("\(module)/\(name)", "re")
        else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 1_024)
        for _ in 0..<8 where fgets(&line, Int32(line.count), file) != nil {
            let text = String(
                decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            let words = text.split(whereSeparator: { $0 == " " || $0 == "\n" })
            if let at = words.firstIndex(of: "version"), at + 1 < words.count {
                return String(words[at + 1])
            }
        }
        return nil
    }

    private static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return names.sorted()
    }
}
