// ELFImageSymbols.swift — what the dynamic section tells: needed libraries, text relocations, and
// whether the entry symbol is exported, asked of the file's own hash table as ld.so asks it.
// Next: ManifestReader.swift.

/// d_tag (gABI "Dynamic Section"; DT_GNU_HASH, DT_FLAGS_1 and their flags: glibc's elf.h).
private enum DynamicTag {
    static let end: UInt64 = 0, needed: UInt64 = 1, hash: UInt64 = 4, strings: UInt64 = 5
    static let symbols: UInt64 = 6, stringBytes: UInt64 = 10, textRelocations: UInt64 = 22
    static let flags: UInt64 = 30, flags1: UInt64 = 0x6fff_fffb, gnuHash: UInt64 = 0x6fff_fef5
    /// In DT_FLAGS: the same as DT_TEXTREL.
    static let textRelocationsFlag: UInt64 = 4
    /// In DT_FLAGS_1: a program, which dlopen refuses.
    static let programFlag: UInt64 = 0x0800_0000
}

/// Where the dynamic symbols and their names are.
private struct DynamicTables {
    var strings: Range<UInt64>
    /// From the first symbol on, as far as its segment goes.
    var symbols: Range<UInt64>
}

extension ELFImageParser {
    /// Bounds the symbols looked at one by one when there is no hash table to ask.
    private static let mostSymbols: UInt64 = 1 << 20
    private static let entryName = Array((ELFImage.entrySymbol + "\0").utf8)

    mutating func readDynamic() throws(ELFError) {
        guard let dynamic = segments.first(where: { $0.type == ELFSegmentType.dynamic }) else {
            if image.kind == .sharedObject, !segments.isEmpty {
                throw .malformed(.dynamic, reason: "is missing, so it cannot be loaded")
            }
            return
        }
        let table = try bytes.range(.dynamic, at: dynamic.offset, size: dynamic.fileSize)
        let entries = try dynamicEntries(in: table)
        var values: [UInt64: UInt64] = [:]
        for entry in entries where values[entry.tag] == nil { values[entry.tag] = entry.value }

        let flags = values[DynamicTag.flags] ?? 0
        let relocatesText =
            values[DynamicTag.textRelocations] != nil || flags & DynamicTag.textRelocationsFlag != 0
        if relocatesText, image.writableCode == nil { image.writableCode = .textRelocations }
        let isProgram = (values[DynamicTag.flags1] ?? 0) & DynamicTag.programFlag != 0
        if isProgram, image.kind == .sharedObject { image.kind = .program }

        guard let address = values[DynamicTag.strings] else {
            throw .malformed(.dynamic, reason: "names no string table")
        }
        let strings = try bytes.range(
            .stringTable, at: 0, size: values[DynamicTag.stringBytes] ?? 0,
            within: try loaded(.stringTable, from: address))
        let needed = entries.filter { $0.tag == DynamicTag.needed }
        guard needed.count <= Self.mostNeeded else {
            throw .malformed(
                .dynamic,
                reason: "needs \(needed.count) libraries; at most \(Self.mostNeeded) may be")
        }
        for entry in needed {
            guard
                let name = bytes.string(in: strings, at: entry.value, limit: Self.longestNameBytes)
            else {
                throw .malformed(.stringTable, reason: "has no name at byte \(entry.value)")
            }
            image.needed.append(String(decoding: name, as: UTF8.self))
        }
        image.definesEntry = definesEntry(values, strings: strings)
    }

    private func dynamicEntries(
        in table: Range<UInt64>
    ) throws(ELFError) -> [(tag: UInt64, value: UInt64)] {
        let half: UInt64 = bytes.is64 ? 8 : 4
        var entries: [(tag: UInt64, value: UInt64)] = []
        var start = table.lowerBound
        while table.upperBound - start >= 2 * half {
            let tag = try bytes.native(.dynamic, at: start)
            if tag == DynamicTag.end { return entries }
            guard entries.count < Self.mostDynamicEntries else {
                throw .malformed(
                    .dynamic, reason: "has more than the \(Self.mostDynamicEntries) entries allowed"
                )
            }
            entries.append((tag, try bytes.native(.dynamic, at: start + half)))
            start += 2 * half
        }
        throw .malformed(.dynamic, reason: "has no DT_NULL at its end")
    }

    /// The bytes of the file that are loaded from `address` on, to the end of their segment.
    private func loaded(_ part: ELFPart, from address: UInt64) throws(ELFError) -> Range<UInt64> {
        for segment in segments
        where segment.type == ELFSegmentType.load && address >= segment.address
            && address - segment.address < segment.fileSize
        {
            let whole = try bytes.range(part, at: segment.offset, size: segment.fileSize)
            return (whole.lowerBound + (address - segment.address))..<whole.upperBound
        }
        throw .malformed(part, reason: "is at address \(address), which no PT_LOAD holds")
    }

    // MARK: The entry symbol

    /// `nil` where the tables are missing or broken: the worker's dlsym then has the last word.
    private func definesEntry(_ values: [UInt64: UInt64], strings: Range<UInt64>) -> Bool? {
        do throws(ELFError) {
            guard let address = values[DynamicTag.symbols] else { return nil }
            let tables = DynamicTables(
                strings: strings, symbols: try loaded(.symbolTable, from: address))
            if let hash = values[DynamicTag.gnuHash] {
                return try gnuHashHasEntry(try loaded(.symbolTable, from: hash), tables)
            }
            // Alpha and s390x have 64-bit words here; those two are left to their sections.
            let isNamed = [ELFArchitecture.x86_64, ELFArchitecture.aarch64]
                .contains(image.architecture.machine)
            if let hash = values[DynamicTag.hash], isNamed {
                let table = try loaded(.symbolTable, from: hash)
                let words = try bytes.range(.symbolTable, at: 0, size: 8, within: table)
                let count = UInt64(try bytes.word(.symbolTable, at: words.lowerBound + 4))
                return try hasEntry(amongFirst: count, tables)
            }
            let section = sections.first { $0.type == ELFSectionType.dynamicSymbols }
            guard let section else { return nil }
            return try hasEntry(amongFirst: section.size / symbolBytes, tables)
        } catch {
            // Only this one fact is lost; a broken table that matters to loading stops dlopen.
            return nil
        }
    }

    private var symbolBytes: UInt64 { bytes.is64 ? 24 : 16 }

    private func hasEntry(
        amongFirst count: UInt64, _ tables: DynamicTables
    ) throws(ELFError) -> Bool? {
        guard count <= Self.mostSymbols else { return nil }
        for index in 0..<count where try isEntry(index, tables) { return true }
        return false
    }

    /// Looks the symbol up in a DT_GNU_HASH table: header of four words, Bloom filter of native
    /// words, buckets, then chains of hashes whose lowest bit marks a chain's end.
    private func gnuHashHasEntry(
        _ table: Range<UInt64>, _ tables: DynamicTables
    ) throws(ELFError) -> Bool? {
        let part = ELFPart.symbolTable
        let header = try bytes.range(part, at: 0, size: 16, within: table).lowerBound
        let bucketCount = UInt64(try bytes.word(part, at: header))
        let firstSymbol = UInt64(try bytes.word(part, at: header + 4))
        let bloomWords = UInt64(try bytes.word(part, at: header + 8))
        guard bucketCount > 0 else { return nil }
        let hash = ELFImage.entrySymbol.utf8.reduce(UInt32(5381)) { $0 &* 33 &+ UInt32($1) }

        let buckets = 16 + bloomWords * (bytes.is64 ? 8 : 4)
        let chains = buckets + bucketCount * 4
        func word(_ offset: UInt64) throws(ELFError) -> UInt32 {
            try bytes.word(
                part, at: try bytes.range(part, at: offset, size: 4, within: table).lowerBound)
        }
        var index = UInt64(try word(buckets + UInt64(hash) % bucketCount * 4))
        guard index > 0 else { return false }
        guard index >= firstSymbol else { return nil }
        let last = index + Self.mostSymbols
        while index < last {
            let found = try word(chains + (index - firstSymbol) * 4)
            if found | 1 == hash | 1, try isEntry(index, tables) { return true }
            if found & 1 == 1 { return false }
            index += 1
        }
        return nil
    }

    /// Whether symbol `index` is the entry, defined here and visible to dlsym.
    private func isEntry(_ index: UInt64, _ tables: DynamicTables) throws(ELFError) -> Bool {
        let part = ELFPart.symbolTable
        let symbol = try bytes.range(
            part, at: index * symbolBytes, size: symbolBytes, within: tables.symbols
        ).lowerBound
        let name = UInt64(try bytes.word(part, at: symbol))
        guard bytes.holds(Self.entryName, in: tables.strings, at: name) else { return false }
        let binding = try bytes.byte(part, at: symbol + (bytes.is64 ? 4 : 12)) >> 4
        let section = try bytes.half(part, at: symbol + (bytes.is64 ? 6 : 14))
        // STB_GLOBAL, STB_WEAK, STB_GNU_UNIQUE; SHN_UNDEF is 0.
        return [1, 2, 10].contains(binding) && section != 0
    }
}
