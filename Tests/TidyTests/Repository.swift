// Repository.swift — the files of this checkout, as the tidy tests read them. Next: SourceText.swift.

import Glibc
import Testing

/// One text file.
struct SourceFile: Sendable, CustomTestStringConvertible {
    /// From the top of the checkout: `Sources/NocturneCore/PluginID.swift`.
    let path: String
    let text: String

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    var name: String { path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path }
    var isSwift: Bool { path.hasSuffix(".swift") }
    var isC: Bool { path.hasSuffix(".c") || path.hasSuffix(".h") }
    var testDescription: String { path }

    /// The text without what is in comments and in strings: see ``SourceText``.
    var code: String { SourceText.code(of: text, isSwift ? .swift : .c) }
}

/// The checkout that these tests were compiled from.
enum Repository {
    /// Its top: three above this file.
    static let root: String = {
        var path = realPath(#filePath)
        for _ in 0..<3 { path = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? path }
        return path
    }()

    /// All text files but what git ignores, sorted.
    static let files: [SourceFile] = paths(in: "").compactMap { path in
        guard isText(path), let text = read("\(root)/\(path)") else { return nil }
        return SourceFile(path: path, text: text)
    }

    static let swift = files.filter(\.isSwift)
    static let code = files.filter { $0.isSwift || $0.isC }
    static let documents = files.filter { $0.path.hasSuffix(".md") }

    static func file(_ path: String) -> SourceFile? { files.first { $0.path == path } }

    static func exists(_ path: String) -> Bool { access("\(root)/\(path)", F_OK) == 0 }

    /// The folder of the running test program, where SwiftPM puts all programs that it builds.
    static let products: String = {
        let path = realPath("/proc/self/exe")
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }()

    // MARK: - Reading

    private static let textSuffixes = [".swift", ".c", ".h", ".md", ".sh", ".json", ".yml", ".modulemap", ".map"]
    private static let scriptFolders = ["Scripts/", ".ci/"]

    private static func isText(_ path: String) -> Bool {
        textSuffixes.contains(where: path.hasSuffix) || scriptFolders.contains(where: path.hasPrefix)
    }

    /// Hidden files and folders are build products or git's own, but for these.
    private static let hiddenOnes: Set<String> = [".ci", ".github", ".swift-format"]

    private static func paths(in folder: String) -> [String] {
        guard let stream = opendir("\(root)/\(folder)") else { return [] }
        defer { closedir(stream) }
        var found: [String] = []
        while let entry = readdir(stream) {
            let kind = entry.pointee.d_type
            let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            let name = String(
                cString: UnsafeRawPointer(entry).advanced(by: offset)
                    .assumingMemoryBound(to: CChar.self))
            guard !name.hasPrefix(".") || hiddenOnes.contains(name), name != "Package.resolved" else {
                continue
            }
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            if kind == UInt8(DT_DIR) { found += paths(in: path) }
            if kind == UInt8(DT_REG) { found.append(path) }
        }
        return found.sorted()
    }

    /// A file as text; `nil` if it cannot be read or is not UTF-8.
    static func read(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            bytes += buffer[..<count]
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func realPath(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

/// A place in a file that breaks a rule: `Sources/X.swift:12: why`.
struct Finding: CustomStringConvertible {
    let description: String

    init(_ file: SourceFile, line: Int, _ why: String) { description = "\(file.path):\(line): \(why)" }
}

/// Fails with one line for each finding.
func expectNone(_ findings: [Finding], location: SourceLocation = #_sourceLocation) {
    let list = findings.map(\.description).joined(separator: "\n")
    #expect(findings.isEmpty, "\n\(list)", sourceLocation: location)
}
