// ManifestReaderMapping.swift — the bytes of a whole file as memory: our own object mapped, a
// stranger's file copied. Next: ManifestReader.swift.

internal import Glibc

/// The memory is given back with this value; ``bytes`` must not outlive it.
struct FileMapping: ~Copyable {
    let bytes: UnsafeRawBufferPointer

    /// Maps the file. Only for objects of the store, which nobody truncates.
    static func map(_ path: String) throws(IngestError) -> FileMapping {
        let source = try SourceFile.open(path, limitBytes: ObjectStore.largestObjectBytes)
        let size = Int(source.identity.sizeBytes)
        return FileMapping(
            try memory(size, PROT_READ, MAP_PRIVATE, source.descriptor, for: path))
    }

    /// Copies the file as it is now; one that grows or shrinks meanwhile is an error.
    static func copy(_ path: String) throws(IngestError) -> FileMapping {
        let source = try SourceFile.open(path, limitBytes: ObjectStore.largestObjectBytes)
        let size = Int(source.identity.sizeBytes)
        let memory = try memory(
            size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, for: path)
        // From here on `deinit` gives the memory back.
        let mapping = FileMapping(memory)
        var filled = 0
        while filled < size {
            let rest = UnsafeMutableRawBufferPointer(rebasing: memory[filled...])
            let count = try source.read(into: rest)
            guard count > 0 else { break }
            filled += count
        }
        try source.checkUntouched(readBytes: Int64(filled))
        return mapping
    }

    private init(_ memory: UnsafeMutableRawBufferPointer) {
        bytes = UnsafeRawBufferPointer(memory)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

    private static func memory(
        _ size: Int, _ protection: Int32, _ flags: Int32, _ descriptor: Int32, for path: String
    ) throws(IngestError) -> UnsafeMutableRawBufferPointer {
        guard let memory = mmap(nil, size, protection, flags, descriptor, 0), memory != MAP_FAILED
        else { throw .unreadable(path: path, errno: errno) }
        return UnsafeMutableRawBufferPointer(start: memory, count: size)
    }
}
