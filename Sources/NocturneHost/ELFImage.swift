// ELFImage.swift — what an ELF file says about itself, learned without loading it. Reading is apart
// from judging: a file for another machine, or a hostile one, still shows its manifest. How it is
// read: ELFImageParser.swift. Next: ManifestReader.swift.

/// A processor, its word and its byte order.
package struct ELFArchitecture: Hashable, Sendable, CustomStringConvertible {
    /// e_machine of the processors that Nocturne knows by name (gABI, "Machine Information").
    package static let x86_64: UInt16 = 62, aarch64: UInt16 = 183

    /// Bits of a machine word, 32 or 64.
    package let bits: Int
    /// Whether the high byte comes first.
    package let isBigEndian: Bool
    /// The ELF header's e_machine.
    package let machine: UInt16

    package init(bits: Int, isBigEndian: Bool, machine: UInt16) {
        (self.bits, self.isBigEndian, self.machine) = (bits, isBigEndian, machine)
    }

    /// What this program was built for.
    package static var host: ELFArchitecture {
        #if arch(x86_64)
            ELFArchitecture(bits: 64, isBigEndian: false, machine: x86_64)
        #elseif arch(arm64)
            ELFArchitecture(bits: 64, isBigEndian: false, machine: aarch64)
        #else
            #error("name this machine's e_machine here")
        #endif
    }

    /// `x86_64` or `aarch64`, others by number; what differs from the usual is added.
    package var description: String {
        let name =
            switch machine {
            case Self.x86_64: "x86_64"
            case Self.aarch64: "aarch64"
            default: "ELF machine \(machine)"
            }
        return name + (bits == 64 ? "" : ", \(bits)-bit") + (isBigEndian ? ", big-endian" : "")
    }
}

/// What sort of ELF file it is.
package enum ELFFileKind: Equatable, Sendable, CustomStringConvertible {
    case sharedObject
    /// Position-independent or not: it has an interpreter, says it is a program, or is ET_EXEC.
    case program
    /// The output of `cc -c`.
    case objectFile
    case coreDump
    /// Another e_type.
    case other(UInt16)

    package var description: String {
        switch self {
        case .sharedObject: "a shared object"
        case .program: "a program"
        case .objectFile: "an object file"
        case .coreDump: "a core dump"
        case .other(let type): "an ELF file of type \(type)"
        }
    }
}

/// The facts that loading, listing and inspecting a plugin need from its ELF file.
package struct ELFImage: Equatable, Sendable {
    /// Bounds what is copied out of the file. What a manifest may have is ``Manifest``'s to say,
    /// and is less.
    package static let largestManifestBytes = 1 << 20
    /// The one symbol that a plugin exports.
    package static let entrySymbol = "nocturne_plugin_entry"

    /// What PT_GNU_STACK says.
    package enum Stack: Sendable { case data, executable, unstated }

    package let architecture: ELFArchitecture
    package internal(set) var kind: ELFFileKind
    package internal(set) var stack: Stack = .unstated
    /// The first reason why code would be writable.
    package internal(set) var writableCode: ELFWritableCode?
    /// Sonames of the libraries it needs (DT_NEEDED), in the file's order. Not trusted to be
    /// printable.
    package internal(set) var needed: [String] = []
    /// Whether ``entrySymbol`` is defined; `nil` when the file's tables do not tell.
    package internal(set) var definesEntry: Bool?
    /// The manifest's bytes without trailing NULs, which C string literals leave and JSON cannot
    /// hold.
    package internal(set) var manifest: [UInt8]?
    /// What is wrong with the manifest note itself; `nil` if and only if there is a ``manifest``.
    package internal(set) var manifestError: ELFError? = .noManifest
    /// What is missing or contradictory elsewhere. Facts of the parts concerned are then
    /// incomplete.
    package internal(set) var flaws: [ELFError] = []

    /// Reads the facts from a whole file. Never traps and takes bounded time, whatever the bytes.
    ///
    /// - Throws: only when the file header itself cannot be read; the rest goes to ``flaws``.
    package init(parsing bytes: UnsafeRawBufferPointer) throws(ELFError) {
        var parser = try ELFImageParser(bytes)
        parser.readAll()
        self = parser.image
    }

    init(architecture: ELFArchitecture, kind: ELFFileKind) {
        (self.architecture, self.kind) = (architecture, kind)
    }

    /// Why this file must not be loaded on `host`, the most telling reason first; empty if it may.
    ///
    /// An incomplete file comes before all else, because the rest of what it says may be an
    /// accident of where it ends.
    package func refusals(on host: ELFArchitecture = .host) -> [ELFError] {
        var reasons = flaws.filter(\.mayBeUnfinished)
        if architecture.bits != host.bits {
            reasons.append(.wrongClass(found: architecture.bits, host: host.bits))
        } else if architecture != host {
            reasons.append(.wrongArchitecture(found: architecture, host: host))
        }
        if kind != .sharedObject { reasons.append(.notSharedObject(found: kind)) }
        reasons += flaws.filter { !$0.mayBeUnfinished }
        // An object file has no program headers, so silence about the stack says nothing there.
        if kind == .sharedObject, stack != .data {
            reasons.append(.executableStack(stated: stack == .executable))
        }
        if let writableCode { reasons.append(.writableCode(writableCode)) }
        if let manifestError { reasons.append(manifestError) }
        if definesEntry == false { reasons.append(.noEntry(symbol: Self.entrySymbol)) }
        return reasons
    }
}
