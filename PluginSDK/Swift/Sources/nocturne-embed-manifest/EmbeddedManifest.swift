// EmbeddedManifest.swift — a manifest as it goes into the file: checked, with its runtime, as an ELF note.
// Next: Files.swift.

internal import NocturneJSON

/// Why a manifest cannot go into a plugin. The texts have the form that build systems link to the place.
enum EmbedError: Error, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    case unwritable(path: String, reason: String)
    case notJSON(path: String, JSONError)
    case notAnObject(path: String)
    case field(path: String, name: String, expected: String)
    case tooLong(path: String, bytes: Int)
    case noCompilerVersion(compiler: String, said: String)

    var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path):1:1: error: cannot read: \(reason)"
        case .unwritable(let path, let reason): "\(path):1:1: error: cannot write: \(reason)"
        case .notJSON(let path, let error):
            "\(path):\(error.line):\(error.column): error: not JSON: \(error.reason)"
        case .notAnObject(let path): "\(path):1:1: error: a manifest is a JSON object: { … }"
        case .field(let path, let name, let expected):
            "\(path):1:1: error: `\(name)` must be \(expected)"
        case .tooLong(let path, let bytes):
            "\(path):1:1: error: \(bytes) bytes without white space; a Swift plugin holds"
                + " \(EmbeddedManifest.bytesMaximum). Shorten descriptions or schemas"
        case .noCompilerVersion(let compiler, let said):
            "error: `\(compiler) --version` does not tell its version (\(said)): write"
                + " \"runtime\": \"swift-<version>\" into manifest.json yourself"
        }
    }
}

/// A manifest that can be embedded.
struct EmbeddedManifest {
    /// The longest array literal that a section constant may have, in words (Swift 6.3.1).
    static let wordsMaximum = 4096
    /// Name size, text size and type, 4 bytes each, then "Nocturne" and its NUL, padded to 12: a multiple
    /// of 8, so that readers find the text whether they align notes to 4 or to 8 bytes.
    static let headerBytes = 24
    static let bytesMaximum = wordsMaximum * 8 - headerBytes

    private let text: [UInt8]
    private let id: String, version: String

    /// - Parameter compilerVersion: Asked only when the manifest does not name its runtime.
    init(reading path: String, compilerVersion: () throws -> String) throws {
        let json: JSON
        do {
            json = try JSON(parsing: try readFile(path))
        } catch let error as JSONError {
            throw EmbedError.notJSON(path: path, error)
        }
        guard var manifest = json.object else { throw EmbedError.notAnObject(path: path) }
        func string(_ name: String) throws(EmbedError) -> String {
            guard let string = manifest[name]?.string else {
                throw .field(path: path, name: name, expected: "a string")
            }
            return string
        }
        (id, version) = (try string("id"), try string("version"))
        for name in ["name", "abi"] { _ = try string(name) }
        if manifest["runtime"] == nil {
            manifest["runtime"] = .string("swift-\(try compilerVersion())")
        }
        var text = JSON.object(manifest).bytes
        guard text.count <= Self.bytesMaximum else {
            throw EmbedError.tooLong(path: path, bytes: text.count)
        }
        // Spaces, which JSON allows at its end, fill the last word.
        text.append(contentsOf: [UInt8](repeating: 0x20, count: -text.count & 7))
        self.text = text
    }

    /// The note's bytes.
    private var note: [UInt8] {
        func word(_ value: Int) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
        return word(9) + word(text.count) + word(1) + Array("Nocturne\0\0\0\0".utf8) + text
    }

    /// Swift source of a string: whatever an id and a version do not consist of is escaped.
    private static func literal(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "+": String(scalar)
            default: "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return "\"\(scalars.joined())\""
    }

    /// The generated file.
    var swiftSource: String {
        let bytes = note
        let words = stride(from: 0, to: bytes.count, by: 8).map { start in
            let word = (0..<8).reduce(0 as UInt64) { $0 | UInt64(bytes[start + $1]) << ($1 * 8) }
            return "0x" + String(word, radix: 16)
        }
        let lines = stride(from: 0, to: words.count, by: 4).map { start in
            "    " + words[start..<min(start + 4, words.count)].joined(separator: ", ") + ",\n"
        }
        return """
            // Generated from manifest.json by EmbedManifest at every build. Do not edit.

            import NocturnePlugin

            /// The manifest as an ELF note, which the host reads without running the plugin.
            @section(".note.nocturne") @used
            let nocturneManifestNote: InlineArray<\(words.count), UInt64> = [
            \(lines.joined())]

            /// What the host calls. `plugin` is the constant of that name in the author's file.
            @c(nocturne_plugin_entry)
            public func nocturnePluginEntry(
                _ host: UnsafeRawPointer?, _ error: UnsafeMutableRawPointer?
            ) -> UnsafeRawPointer? {
                PluginEntry.enter(
                    plugin, identity: (id: \(Self.literal(id)), version: \(Self.literal(version))), host, error)
            }

            """
    }
}
