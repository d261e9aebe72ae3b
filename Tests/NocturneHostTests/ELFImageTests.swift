// ELFImageTests.swift — the ELF parser against files of the system's compiler, against files no
// compiler would make, and against noise. Next: ManifestReaderTests.swift.

import Glibc
import NocturneHost
import Testing

@Suite struct ELFImageTests {
    let fixtures = CompiledFixtures.all

    private func image(_ name: String) throws -> ELFImage {
        let file = fixtures[name]
        try #require(!file.isEmpty, "the fixture \(name) was not built; is `cc` installed?")
        return try parse(file)
    }

    private func refusal(_ name: String) throws -> ELFError? { try image(name).refusals().first }

    // MARK: What compilers make

    @Test(arguments: ["plugin.so", "stripped.so", "aligned8.so", "sysv.so", "added.so", "twice.so"])
    func `a real plugin shows its manifest and may run`(name: String) throws {
        let image = try image(name)
        #expect(image.refusals() == [])
        #expect(image.architecture == .host)
        #expect(image.definesEntry == true)
        #expect(image.stack == .data)
        #expect(image.manifest == Array(CompiledFixtures.manifest.utf8))
    }

    @Test func `needed libraries are listed in the file's order`() throws {
        #expect(try image("plugin.so").needed == ["libm.so.6", "libc.so.6"])
    }

    @Test func `each thing that keeps a file from running has its own reason`() throws {
        #expect(try refusal("bare.so") == .noManifest)
        #expect(try refusal("two.so") == .ambiguousManifest(count: 2))
        #expect(try refusal("execstack.so") == .executableStack(stated: true))
        #expect(try refusal("program") == .notSharedObject(found: .program))
        #expect(try refusal("object.o") == .notSharedObject(found: .objectFile))
        #expect(try refusal("noentry.so") == .noEntry(symbol: "nocturne_plugin_entry"))
        #expect(try refusal("undefined.so") == .noEntry(symbol: "nocturne_plugin_entry"))
        guard case .malformed(.manifestNote, _) = try refusal("junk.so") else {
            Issue.record(
                "a section that holds no note: \(String(describing: try refusal("junk.so")))")
            return
        }
    }

    #if arch(x86_64)
        @Test func `text relocations are refused, because the loader would make code writable`()
            throws
        {
            #expect(try refusal("textrel.so") == .writableCode(.textRelocations))
        }
    #endif

    @Test func `a file for another machine is refused by name, and its manifest is still read`()
        throws
    {
        var file = fixtures["plugin.so"]
        file[18] = 0xb7  // e_machine: EM_AARCH64
        let arm = ELFArchitecture(bits: 64, isBigEndian: false, machine: 183)
        let intel = ELFArchitecture(bits: 64, isBigEndian: false, machine: 62)

        let image = try parse(file)
        #expect(image.refusals(on: intel) == [.wrongArchitecture(found: arm, host: intel)])
        #expect(image.manifest == Array(CompiledFixtures.manifest.utf8))
        #expect("\(arm)" == "aarch64")
    }

    // MARK: Files written by hand

    @Test(arguments: [(true, false), (true, true), (false, false), (false, true)])
    func `the manifest is found in both classes and byte orders`(
        is64: Bool, isBigEndian: Bool
    ) throws {
        var file = HandmadeELF(is64: is64, isBigEndian: isBigEndian, machine: 8)
        file.segments = [[4, 4, 0, 0, 0, 0, 4]]
        file.payload = file.note("{}")
        file.segments[0][2] = file.payloadOffset
        file.segments[0][4] = UInt64(file.payload.count)

        let image = try parse(file.bytes)
        #expect(image.manifest == Array("{}".utf8))
        let found = ELFArchitecture(bits: is64 ? 64 : 32, isBigEndian: isBigEndian, machine: 8)
        let expected: ELFError =
            is64 ? .wrongArchitecture(found: found, host: .host) : .wrongClass(found: 32, host: 64)
        #expect(image.refusals().first == expected)
    }

    @Test func `silence about the stack is a wish for an executable one`() throws {
        var file = fixtures["plugin.so"]
        let header = try #require(segment(in: file, ofType: 0x6474_e551))
        file[header] = 0  // PT_NULL
        #expect(try parse(file).refusals().contains { $0 == .executableStack(stated: false) })
    }

    @Test func `a segment that is writable and executable is refused by its number`() throws {
        var file = fixtures["plugin.so"]
        let header = try #require(segment(in: file, ofType: 1))
        file[header + 4] = 7  // PF_R | PF_W | PF_X
        #expect(try parse(file).refusals() == [.writableCode(.segment(index: 0))])
    }

    @Test(arguments: [UInt64(0xffff), 300])
    func `a huge number of segments is an error, not a loop`(count: UInt64) throws {
        var file = HandmadeELF()
        file.segmentCount = count
        file.payload = [UInt8](repeating: 0, count: 1 << 16)
        let image = try parse(file.bytes)
        #expect(
            image.flaws == [
                .malformed(
                    .programHeaders, reason: "has \(count) entries; at most 256 may be")
            ])
    }

    @Test func `a number of sections beyond 16 bits is capped`() throws {
        var file = HandmadeELF(type: 1, sectionTable: 64)
        // e_shnum 0: the number is in the first section's sh_size (gABI).
        file.payload = [UInt8](repeating: 0, count: 64)
        file.payload.replaceSubrange(32..<40, with: [UInt8](repeating: 0xff, count: 8))
        let image = try parse(file.bytes)
        #expect(
            image.flaws == [
                .malformed(
                    .sectionHeaders, reason: "has \(UInt64.max) entries; at most 65536 may be")
            ])
    }

    @Test func `offsets that overflow are damage, those just beyond the end are incompleteness`()
        throws
    {
        var file = HandmadeELF(type: 1)
        file.segments = [[4, 4, .max - 3, 0, 8, 8, 4]]
        guard case .malformed(.segment, _) = try parse(file.bytes).flaws.first else {
            Issue.record("\(try parse(file.bytes).flaws)")
            return
        }
        file.segments = [[4, 4, 1000, 0, 24, 24, 4]]
        #expect(
            try parse(file.bytes).refusals().first
                == .truncated(.segment, offset: 1000, needed: 24, have: 120))
    }

    @Test func `a note that claims more than its segment holds is damage`() throws {
        var file = HandmadeELF(type: 1)
        file.segments = [[4, 4, 120, 0, 28, 28, 4]]
        file.payload = file.note("{}xx")
        file.payload[4...7] = [0xff, 0xff, 0xff, 0xff]
        guard case .malformed(.manifestNote, _) = try parse(file.bytes).manifestError else {
            Issue.record("\(String(describing: try parse(file.bytes).manifestError))")
            return
        }
    }

    @Test func `notes without end are capped`() throws {
        var file = HandmadeELF(type: 1)
        file.payload = [UInt8](repeating: 0, count: 1 << 20)
        file.segments = [[4, 4, 120, 0, 1 << 20, 1 << 20, 4]]
        #expect(
            try parse(file.bytes).manifestError
                == .malformed(.notes, reason: "are more than the 65536 allowed"))
    }

    @Test func `overlapping notes cannot make the parser copy without end`() throws {
        var file = HandmadeELF(type: 1)
        let text = String(repeating: "x", count: 1 << 10)
        file.payload = (0..<100).flatMap { _ in file.note(text) }
        let size = UInt64(file.payload.count)
        file.segments = (0..<100).map { _ in [4, 4, 0, 0, size, size, 4] }
        for index in 0..<100 { file.segments[index][2] = file.payloadOffset }
        #expect(try parse(file.bytes).manifestError == .ambiguousManifest(count: 100))
    }

    @Test func `what is no ELF file is told by its first bytes`() throws {
        let text = Array("#!/bin/sh\n".utf8)
        #expect(throws: ELFError.notELF(found: Array(text[..<8]))) { try parse(text) }
        #expect(throws: ELFError.truncated(.header, offset: 0, needed: 20, have: 3)) {
            try parse([0x7f, 0x45, 0x4c])
        }
        #expect(
            ELFError.notELF(found: [0x23, 0x21]).description
                .hasPrefix(#"not an ELF file: it begins with 23 21 ("#))
    }

    // MARK: Noise

    @Test(arguments: ["plugin.so", "stripped.so"])
    func `a file cut at any length is incomplete, and nothing beyond the cut is read`(
        name: String
    ) throws {
        let file = fixtures[name]
        let memory = GuardedMemory(capacity: file.count)
        for length in stride(from: 0, to: file.count, by: 64) {
            let error = memory.parse(file[..<length])
            guard case .truncated = error else {
                Issue.record("cut at \(length): \(String(describing: error))")
                return
            }
        }
        #expect(memory.parse(file[...]) == nil)
    }

    // Four times five thousand, so that they run beside each other.
    @Test(arguments: [0x0123_4567, 0x89ab_cdef, 0xdead_beef, 0x5eed_5eed] as [UInt64])
    func `twenty thousand damaged files are each read in bounded time without a trap`(
        seed: UInt64
    ) throws {
        let file = fixtures["stripped.so"]
        let memory = GuardedMemory(capacity: file.count)
        // Half of the damage goes where structure is: headers, notes and tables at both ends.
        let interesting = Array(0..<1_024) + Array((file.count - 2_048)..<file.count)
        var random = SplitMix64(state: seed)
        var refused = 0
        var slowest: Int64 = 0
        for _ in 0..<5_000 {
            var damaged: [(Int, UInt8)] = []
            for _ in 0..<(1 + random.next() % 3) {
                let isHeader = random.next() & 1 == 0
                let place =
                    isHeader
                    ? interesting[Int(random.next() % UInt64(interesting.count))]
                    : Int(random.next() % UInt64(file.count))
                let flips = random.next() & 1 == 0
                let value =
                    flips
                    ? file[place] ^ (1 << UInt8(random.next() % 8))
                    : UInt8(truncatingIfNeeded: random.next())
                damaged.append((place, value))
            }
            let start = threadTime()
            if memory.parse(file[...], damaged: damaged) != nil { refused += 1 }
            slowest = max(slowest, threadTime() - start)
        }
        // Both outcomes must occur, or the damage was not where the parser looks.
        #expect(refused > 250 && refused < 4_750)
        #expect(slowest < 500_000_000)
    }
}

// MARK: - Means

/// Nanoseconds that this thread has computed: what else the machine does has no part in it.
private func threadTime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Memory whose end is followed by a page that may not be touched: one byte too far is a crash.
private struct GuardedMemory: ~Copyable {
    private let region: UnsafeMutableRawBufferPointer
    private let usable: Int

    init(capacity: Int) {
        let page = 4_096
        usable = (capacity + page - 1) / page * page
        let memory = mmap(
            nil, usable + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        region = UnsafeMutableRawBufferPointer(start: memory, count: usable + page)
        mprotect(region.baseAddress?.advanced(by: usable), page, PROT_NONE)
    }

    deinit { munmap(region.baseAddress, region.count) }

    /// The first reason to refuse the bytes, after some were replaced.
    func parse(_ file: ArraySlice<UInt8>, damaged: [(Int, UInt8)] = []) -> ELFError? {
        let target = UnsafeMutableRawBufferPointer(
            rebasing: region[(usable - file.count)..<usable])
        file.withUnsafeBytes { target.copyMemory(from: $0) }
        for (place, value) in damaged { target[place] = value }
        do throws(ELFError) {
            return try ELFImage(parsing: UnsafeRawBufferPointer(target)).refusals().first
        } catch {
            return error
        }
    }
}

private func parse(_ file: [UInt8]) throws -> ELFImage {
    try file.withUnsafeBytes { try ELFImage(parsing: $0) }
}

/// The offset of the first program header of this type, found without the parser under test.
private func segment(in file: [UInt8], ofType type: UInt32) -> Int? {
    let count = Int(file[56]) | Int(file[57]) << 8
    let wanted = (0..<4).map { UInt8(truncatingIfNeeded: type >> (8 * $0)) }
    return (0..<count).map { 64 + 56 * $0 }.first { Array(file[$0..<($0 + 4)]) == wanted }
}

/// The generator of Steele, Lea and Flood (2014): small, and the same on every machine.
struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
