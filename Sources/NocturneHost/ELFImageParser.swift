// ELFImageParser.swift — walks headers, segments and sections of an ELF file (System V gABI,
// "Object Files"; both classes and byte orders, so that a file for any machine can be inspected).
// Next: ELFImageNotes.swift, ELFImageSymbols.swift.

/// Reads one file part by part. A part that is broken adds a flaw and does not stop the others.
struct ELFImageParser {
    /// Real shared objects have about ten segments; ld.so puts the table on its stack.
    static let mostSegments = 256
    /// 16 bits' worth. Real shared objects have about forty sections.
    static let mostSections = 1 << 16
    /// Real shared objects have about thirty entries; each library adds one.
    static let mostDynamicEntries = 1 << 14
    /// More libraries than any plugin can mean.
    static let mostNeeded = 1_024
    /// PATH_MAX of Linux (limits.h): no library with a longer name could be opened.
    static let longestNameBytes: UInt64 = 4_096

    struct Segment {
        var index = 0
        var type: UInt32 = 0, flags: UInt32 = 0
        var offset: UInt64 = 0, address: UInt64 = 0
        var fileSize: UInt64 = 0, memorySize: UInt64 = 0, alignment: UInt64 = 0
    }

    struct Section {
        var name: UInt64 = 0
        var type: UInt32 = 0, link: UInt32 = 0, info: UInt32 = 0
        var offset: UInt64 = 0, size: UInt64 = 0, alignment: UInt64 = 0, entrySize: UInt64 = 0
    }

    let bytes: ELFImageBytes
    var image: ELFImage
    var segments: [Segment] = []
    var sections: [Section] = []
    var sectionNames: Range<UInt64>?

    /// Reads the file header up to e_machine; without that much, nothing can be said.
    init(_ buffer: UnsafeRawBufferPointer) throws(ELFError) {
        let magic: [UInt8] = [0x7f, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F")]
        guard buffer.prefix(4).elementsEqual(magic.prefix(buffer.count)) else {
            throw .notELF(found: Array(buffer.prefix(8)))
        }
        // e_ident is 16 bytes, e_type and e_machine follow in both classes.
        guard buffer.count >= 20 else {
            throw .truncated(.header, offset: 0, needed: 20, have: UInt64(buffer.count))
        }
        let (fileClass, order, version) = (buffer[4], buffer[5], buffer[6])
        guard fileClass == 1 || fileClass == 2 else {
            throw .malformed(.header, reason: "names class \(fileClass), neither 32 nor 64 bits")
        }
        guard order == 1 || order == 2 else {
            throw .malformed(.header, reason: "names byte order \(order), neither of the two")
        }
        guard version == 1 else {
            throw .malformed(.header, reason: "names ELF version \(version); there is only 1")
        }
        bytes = ELFImageBytes(buffer, is64: fileClass == 2, isBigEndian: order == 2)
        let type = try bytes.half(.header, at: 16)
        let architecture = ELFArchitecture(
            bits: bytes.is64 ? 64 : 32, isBigEndian: bytes.isBigEndian,
            machine: try bytes.half(.header, at: 18))
        let kinds: [UInt16: ELFFileKind] = [
            1: .objectFile, 2: .program, 3: .sharedObject, 4: .coreDump,
        ]
        image = ELFImage(architecture: architecture, kind: kinds[type] ?? .other(type))
    }

    mutating func readAll() {
        attempt { parser throws(ELFError) in
            _ = try parser.bytes.range(.header, at: 0, size: parser.bytes.is64 ? 64 : 52)
        }
        attempt { parser throws(ELFError) in try parser.readSegments() }
        attempt { parser throws(ELFError) in try parser.readSections() }
        readManifest()
        attempt { parser throws(ELFError) in try parser.readDynamic() }
    }

    private mutating func attempt(_ step: (inout Self) throws(ELFError) -> Void) {
        do throws(ELFError) {
            try step(&self)
        } catch {
            image.flaws.append(error)
        }
    }

    // MARK: Segments

    private mutating func readSegments() throws(ELFError) {
        let is64 = bytes.is64
        let table = try bytes.native(.header, at: is64 ? 32 : 28)
        let entrySize = UInt64(try bytes.half(.header, at: is64 ? 54 : 42))
        let count = Int(try bytes.half(.header, at: is64 ? 56 : 44))
        guard count > 0 else {
            if image.kind == .sharedObject {
                throw .malformed(.programHeaders, reason: "is empty, so nothing can be loaded")
            }
            return
        }
        guard entrySize == (is64 ? 56 : 32) else {
            throw .malformed(.programHeaders, reason: "has entries of \(entrySize) bytes")
        }
        guard count <= Self.mostSegments else {
            throw .malformed(
                .programHeaders, reason: "has \(count) entries; at most \(Self.mostSegments) may be"
            )
        }
        _ = try bytes.range(.programHeaders, at: table, size: UInt64(count) * entrySize)
        for index in 0..<count {
            segments.append(try segment(index, at: table + UInt64(index) * entrySize))
        }
        for segment in segments { note(segment) }
        try checkLoads()
        for segment in segments where segment.type != ELFSegmentType.null {
            _ = try bytes.range(.segment, at: segment.offset, size: segment.fileSize)
        }
    }

    private func segment(_ index: Int, at start: UInt64) throws(ELFError) -> Segment {
        let part = ELFPart.programHeaders
        let wide = bytes.is64
        return Segment(
            index: index,
            type: try bytes.word(part, at: start),
            flags: try bytes.word(part, at: start + (wide ? 4 : 24)),
            offset: try bytes.native(part, at: start + (wide ? 8 : 4)),
            address: try bytes.native(part, at: start + (wide ? 16 : 8)),
            fileSize: try bytes.native(part, at: start + (wide ? 32 : 16)),
            memorySize: try bytes.native(part, at: start + (wide ? 40 : 20)),
            alignment: try bytes.native(part, at: start + (wide ? 48 : 28)))
    }

    private mutating func note(_ segment: Segment) {
        let isExecutable = segment.flags & 1 != 0, isWritable = segment.flags & 2 != 0
        switch segment.type {
        case ELFSegmentType.load where isExecutable && isWritable && image.writableCode == nil:
            image.writableCode = .segment(index: segment.index)
        case ELFSegmentType.interpreter where image.kind == .sharedObject:
            image.kind = .program
        // ld.so lets the last one decide; one that asks for it is enough for us.
        case ELFSegmentType.stack where image.stack != .executable:
            image.stack = isExecutable ? .executable : .data
        default: break
        }
    }

    /// What ld.so relies on without asking.
    private func checkLoads() throws(ELFError) {
        let loads = segments.filter { $0.type == ELFSegmentType.load }
        guard !loads.isEmpty || image.kind != .sharedObject else {
            throw .malformed(.programHeaders, reason: "has no PT_LOAD, so nothing can be loaded")
        }
        var end: UInt64 = 0
        for load in loads {
            let (next, overflow) = load.address.addingReportingOverflow(load.memorySize)
            guard !overflow, load.fileSize <= load.memorySize else {
                throw .malformed(
                    .segment,
                    reason: "\(load.index) has \(load.fileSize) bytes in the file and "
                        + "\(load.memorySize) in memory at address \(load.address)")
            }
            guard load.address >= end else {
                throw .malformed(.segment, reason: "\(load.index) overlaps or is out of order")
            }
            end = next
        }
    }

    // MARK: Sections

    /// A loader needs no sections, so a file without any is whole; one that names some must hold
    /// them.
    private mutating func readSections() throws(ELFError) {
        let is64 = bytes.is64
        let table = try bytes.native(.header, at: is64 ? 40 : 32)
        let entrySize = UInt64(try bytes.half(.header, at: is64 ? 58 : 46))
        var count = UInt64(try bytes.half(.header, at: is64 ? 60 : 48))
        var namesIndex = UInt64(try bytes.half(.header, at: is64 ? 62 : 50))
        guard table > 0 else { return }
        guard entrySize == (is64 ? 64 : 40) else {
            throw .malformed(.sectionHeaders, reason: "has entries of \(entrySize) bytes")
        }
        // Numbers that do not fit into 16 bits are in the first entry (gABI, "ELF Header").
        _ = try bytes.range(.sectionHeaders, at: table, size: entrySize)
        let first = try section(at: table)
        if count == 0 { count = first.size }
        if namesIndex == 0xffff { namesIndex = UInt64(first.link) }
        guard count <= UInt64(Self.mostSections) else {
            throw .malformed(
                .sectionHeaders, reason: "has \(count) entries; at most \(Self.mostSections) may be"
            )
        }
        _ = try bytes.range(.sectionHeaders, at: table, size: count * entrySize)
        for index in 0..<count { sections.append(try section(at: table + index * entrySize)) }
        if namesIndex > 0, namesIndex < count {
            let names = sections[Int(namesIndex)]
            sectionNames = try bytes.range(.section, at: names.offset, size: names.size)
        }
        for section in sections where section.hasBytes {
            _ = try bytes.range(.section, at: section.offset, size: section.size)
        }
    }

    private func section(at start: UInt64) throws(ELFError) -> Section {
        let part = ELFPart.sectionHeaders
        let wide = bytes.is64
        return Section(
            name: UInt64(try bytes.word(part, at: start)),
            type: try bytes.word(part, at: start + 4),
            link: try bytes.word(part, at: start + (wide ? 40 : 24)),
            info: try bytes.word(part, at: start + (wide ? 44 : 28)),
            offset: try bytes.native(part, at: start + (wide ? 24 : 16)),
            size: try bytes.native(part, at: start + (wide ? 32 : 20)),
            alignment: try bytes.native(part, at: start + (wide ? 48 : 32)),
            entrySize: try bytes.native(part, at: start + (wide ? 56 : 36)))
    }
}

extension ELFImageParser.Section {
    /// SHT_NULL and SHT_NOBITS (`.bss`) name sizes that are not in the file.
    var hasBytes: Bool { type != ELFSectionType.null && type != ELFSectionType.noBits }
}

/// p_type (gABI "Program Header"; PT_GNU_STACK: Linux Standard Base, "Program Header").
enum ELFSegmentType {
    static let null: UInt32 = 0, load: UInt32 = 1, dynamic: UInt32 = 2, interpreter: UInt32 = 3,
        note: UInt32 = 4
    static let stack: UInt32 = 0x6474_e551
}

/// sh_type (gABI "Sections").
enum ELFSectionType {
    static let null: UInt32 = 0, note: UInt32 = 7, noBits: UInt32 = 8, dynamicSymbols: UInt32 = 11
}
