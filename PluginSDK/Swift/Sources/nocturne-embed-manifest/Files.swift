// Files.swift — files and the compiler's version through C, because Foundation would double the build.
// Start reading at main.swift.

internal import Glibc

/// The whole content of a file.
func readFile(_ path: String) throws(EmbedError) -> [UInt8] {
    guard let file = fopen(path, "rbe") else {
        throw .unreadable(path: path, reason: String(cString: strerror(errno)))
    }
    defer { fclose(file) }
    return try readAll(file, path)
}

private func readAll(_ file: UnsafeMutablePointer<FILE>, _ path: String) throws(EmbedError)
    -> [UInt8]
{
    var content: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = fread(&part, 1, part.count, file)
        content.append(contentsOf: part.prefix(count))
        if count < part.count {
            guard ferror(file) == 0 else {
                throw .unreadable(path: path, reason: String(cString: strerror(errno)))
            }
            return content
        }
    }
}

/// Writes a file, but leaves it alone if it has that content already: nothing is then rebuilt.
func writeFile(_ path: String, _ text: String) throws(EmbedError) {
    let bytes = Array(text.utf8)
    if let old = try? readFile(path), old == bytes { return }
    guard let file = fopen(path, "wbe") else {
        throw .unwritable(path: path, reason: String(cString: strerror(errno)))
    }
    let written = fwrite(bytes, 1, bytes.count, file)
    guard fclose(file) == 0, written == bytes.count else {
        throw .unwritable(path: path, reason: String(cString: strerror(errno)))
    }
}

/// The version of a Swift compiler, "6.3.1", as `--version` tells it.
func compilerVersion(of compiler: String) throws(EmbedError) -> String {
    let quoted =
        "'"
        + compiler.split(separator: "'", omittingEmptySubsequences: false)
        .joined(separator: "'\\''") + "'"
    guard let pipe = popen("\(quoted) --version 2>/dev/null", "re") else {
        throw .noCompilerVersion(compiler: compiler, said: String(cString: strerror(errno)))
    }
    let said: [UInt8]
    do {
        said = try readAll(pipe, compiler)
    } catch {
        pclose(pipe)
        throw error
    }
    let text = String(decoding: said, as: UTF8.self)
    guard pclose(pipe) == 0, let version = version(in: text) else {
        throw .noCompilerVersion(compiler: compiler, said: text)
    }
    return version
}

/// The word after "Swift version", if it is numbers and points, as the host expects it.
private func version(in text: String) -> String? {
    let words = text.split { $0 == " " || $0 == "\n" }
    for (index, word) in words.enumerated().dropFirst(2)
    where words[index - 2] == "Swift" && words[index - 1] == "version" {
        return word.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2e }
            ? String(word) : nil
    }
    return nil
}
