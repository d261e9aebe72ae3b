// Repository.swift — the files of this checkout as the tidy tests read them, and what a test says of them.
// Next: SourceText.swift.

import Glibc
import Testing

/// All tidy tests. One after the other: each keeps a thread busy, and other suites' tests wait for their turn.
@Suite(.serialized) struct Tidiness {}

/// One text file.
struct SourceFile: Sendable {
    /// From the top of the checkout: `Sources/NocturneCore/PluginID.swift`.
    let path: String
    let lines: [Substring]
    /// The lines without what is in comments and in strings: see ``SourceText``. Empty for other languages.
    let code: [Substring]
    let text: String

    init(_ path: String, _ text: String) {
        self.path = path
        self.text = text
        lines = Self.split(text)
        let isCode = path.hasSuffix(".swift") || path.hasSuffix(".c") || path.hasSuffix(".h")
        let language = path.hasSuffix(".swift") ? SourceText.Language.swift : .c
        code = isCode ? Self.split(SourceText.code(of: text, language)) : []
    }

    var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    var isSwift: Bool { path.hasSuffix(".swift") }

    /// Its first two folders: `Sources/NocturneCore`.
    var folder: String { path.split(separator: "/").dropLast().prefix(2).joined(separator: "/") }

    /// Whether one of `words` is anywhere in it: quick, to spare most files a search by lines.
    func mentions(_ words: [String]) -> Bool { words.contains { strstr(text, $0) != nil } }

    /// A finding for each line of which `why` has something to say.
    func findings(in lines: [Substring], _ why: (Substring) -> String?) -> [Finding] {
        lines.enumerated().compactMap { index, line in
            why(line).map { Finding(self, index + 1, $0) }
        }
    }

    /// By bytes: cutting by characters would be ten times slower.
    private static func split(_ text: String) -> [Substring] {
        var lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { Substring($0) }
    }
}

/// A place in a file that breaks a rule: `Sources/X.swift:12: why`.
struct Finding: CustomStringConvertible {
    let line: Int
    let description: String

    init(_ file: SourceFile, _ line: Int, _ why: String) {
        self.line = line
        description = "\(file.path):\(line): \(why)"
    }
}

/// Fails for each finding of `rule` in `files`, and if it does not find what is wrong in `seeded`: a rule that can no
/// longer fail is worse than none.
func expect(
    _ files: [SourceFile], keep rule: (SourceFile) -> [Finding], seeded: SourceFile, at line: Int,
    location: SourceLocation = #_sourceLocation
) {
    let list = files.flatMap(rule).map { "\n\($0)" }.joined()
    #expect(list.isEmpty, "\(list)", sourceLocation: location)
    #expect(rule(seeded).map(\.line) == [line], "the seeded mistake", sourceLocation: location)
}

/// The checkout that these tests were compiled from.
enum Repository {
    /// Its top: three above this file.
    static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    /// All text files but hidden ones and build products, sorted.
    static let files = paths(in: "").compactMap { path in
        read(path).map { SourceFile(path, $0) }
    }
    static let swift = files.filter(\.isSwift)
    static let code = files.filter { !$0.code.isEmpty }
    static let documents = files.filter { $0.path.hasSuffix(".md") }

    static func file(_ path: String) throws -> SourceFile {
        try #require(files.first { $0.path == path })
    }

    static func exists(_ path: String) -> Bool { access("\(root)/\(path)", F_OK) == 0 }

    private static let suffixes = [
        ".swift", ".c", ".h", ".md", ".sh", ".json", ".modulemap", ".map",
    ]

    private static func paths(in folder: String) -> [String] {
        guard let stream = opendir("\(root)/\(folder)") else { return [] }
        defer { closedir(stream) }
        var found: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name == ".ci" || !name.hasPrefix("."), name != "Package.resolved" else {
                continue
            }
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            if entry.pointee.d_type == UInt8(DT_DIR) {
                found += paths(in: path)
            } else if folder == "Scripts" || folder == ".ci"
                || suffixes.contains(where: name.hasSuffix)
            {
                found.append(path)
            }
        }
        return found.sorted()
    }

    private static func read(_ path: String) -> String? {
        guard let file = fopen("\(root)/\(path)", "re") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            bytes += buffer[..<count]
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
