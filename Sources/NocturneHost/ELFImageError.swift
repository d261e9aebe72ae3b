// ELFImageError.swift — why an ELF file is refused, in words its author can act on.
// Next: ELFImage.swift.

/// The parts of an ELF file that errors speak of.
package enum ELFPart: String, Sendable {
    case header = "file header"
    case programHeaders = "program header table"
    case segment = "segment"
    case sectionHeaders = "section header table"
    case section = "section"
    case notes = "notes"
    case manifestNote = "manifest note"
    case dynamic = "dynamic section"
    case stringTable = "dynamic string table"
    case symbolTable = "dynamic symbol table"
}

/// Why bytes are not a plugin that can be loaded.
package enum ELFError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another kind of file; `found` is its first bytes, at most eight.
    case notELF(found: [UInt8])
    /// The file ends too early: it is *incomplete*, perhaps still being written.
    case truncated(ELFPart, offset: UInt64, needed: UInt64, have: UInt64)
    /// The bytes contradict themselves, the format, or a named limit of ours.
    case malformed(ELFPart, reason: String)
    /// Not for a machine word of this many bits.
    case wrongClass(found: Int, host: Int)
    /// For another processor or byte order.
    case wrongArchitecture(found: ELFArchitecture, host: ELFArchitecture)
    /// An object file, a program or a core dump.
    case notSharedObject(found: ELFFileKind)
    /// It would make the stack executable: it says so, or says nothing, which means the same.
    case executableStack(stated: Bool)
    /// Its code could be written to while it runs.
    case writableCode(ELFWritableCode)
    /// No note named "Nocturne" of type 1.
    case noManifest
    /// Several such notes, with different contents.
    case ambiguousManifest(count: Int)
    /// The manifest is larger than ``ELFImage/largestManifestBytes``.
    case manifestTooLarge(bytes: Int, limit: Int)
    /// The one symbol of the ABI is not exported.
    case noEntry(symbol: String)

    /// Whether the writer may simply not be done: worth another try at the file's next event.
    package var mayBeUnfinished: Bool {
        if case .truncated = self { true } else { false }
    }

    /// What is wrong, by how much, and what to do next. The caller adds the file's name.
    package var description: String {
        switch self {
        case .notELF(let found):
            "not an ELF file: it begins with \(Self.shown(found)) where an ELF file has "
                + "7f 45 4c 46; put a shared object there, built with `cc -shared -fPIC`"
        case .truncated(let part, let offset, let needed, let have):
            "incomplete: the \(part.rawValue) at byte \(offset) takes \(needed) bytes, but the "
                + "file ends at byte \(have); it is tried again when it changes. If nobody is "
                + "writing it, copy it again"
        case .malformed(let part, let reason):
            "damaged: the \(part.rawValue) \(reason); build or copy the plugin again"
        case .wrongClass(let found, let host):
            "built for \(found)-bit machines, and this host is a \(host)-bit one; rebuild it for "
                + "\(ELFArchitecture.host)"
        case .wrongArchitecture(let found, let host):
            "built for \(found), and this host is \(host); rebuild it for \(host)"
        case .notSharedObject(let found):
            "\(found), and a plugin is a shared object; link it with `cc -shared`"
        case .executableStack(let stated):
            (stated
                ? "it asks for an executable stack"
                : "it has no PT_GNU_STACK header, which means an executable stack")
                + "; link it with `-z noexecstack`, and give assembly files a "
                + "`.note.GNU-stack` section"
        case .writableCode(let how):
            "\(how); a plugin's code must never be writable while it runs"
        case .noManifest:
            "it has no manifest (no ELF note of type 1 named \"Nocturne\"); embed one with the "
                + "plugin SDK's manifest macro or build tool"
        case .ambiguousManifest(let count):
            "it has \(count) different manifests; embed exactly one"
        case .manifestTooLarge(let bytes, let limit):
            "its manifest has \(bytes) bytes, \(bytes - limit) more than the \(limit) allowed"
        case .noEntry(let symbol):
            "it does not export `\(symbol)`; define it with C linkage and default visibility"
        }
    }

    private static func shown(_ bytes: [UInt8]) -> String {
        let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            .joined(separator: " ")
        let text = bytes.map { (32..<127).contains($0) ? String(UnicodeScalar($0)) : "." }.joined()
        return "\(digits) (\(text.debugDescription))"
    }
}

/// How code of a file would be writable.
package enum ELFWritableCode: Equatable, Sendable, CustomStringConvertible {
    /// A segment that is loaded both writable and executable.
    case segment(index: Int)
    /// Relocations in read-only segments (DT_TEXTREL), for which the loader makes code writable.
    case textRelocations

    /// What was found and how to be rid of it.
    package var description: String {
        switch self {
        case .segment(let index):
            "segment \(index) is both writable and executable (link without `-N` or `--omagic`)"
        case .textRelocations:
            "it has text relocations (compile all of it, and its static libraries, with `-fPIC`)"
        }
    }
}
